"""Everything in this process or in a folder: for tests, dry runs and explanations."""
