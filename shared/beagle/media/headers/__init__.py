"""Sizes of images, read from their headers: a few kilobytes of the object, no decoder, no copy."""

from beagle.media.headers.reading import read_size
from beagle.media.headers.size import ImageFormat, Size

__all__ = ["ImageFormat", "Size", "read_size"]
