"""One folder for each provider, with the same file names in each; none knows another."""
