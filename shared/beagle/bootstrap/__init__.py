"""Where concrete classes meet: one module a provider, so that no function imports another's SDK."""
