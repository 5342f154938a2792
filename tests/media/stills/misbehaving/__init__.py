"""Decoders that do what a broken or conquered one might do."""
