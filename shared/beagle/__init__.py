"""Beagle registers what lands in a bucket as items of V7 Darwin datasets."""

__version__ = "0.1.0"
