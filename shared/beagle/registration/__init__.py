"""Telling Darwin that items exist: what is sent, what its answers mean, and how fast to ask."""
