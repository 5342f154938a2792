"""What several kinds of tests share: worlds that are built in this process, and looks into them."""
