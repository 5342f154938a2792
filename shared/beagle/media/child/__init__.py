"""Decoders run in processes of their own, that hold no secret, write no file, and may crash."""

from beagle.media.child.children import Children
from beagle.media.child.limits import ChildLimits

__all__ = ["ChildLimits", "Children"]
