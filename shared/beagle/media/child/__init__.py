"""Decoders run in processes of their own, that hold no secret, write no file, and may crash.

This is the parent's side; `beagle.media.draw.inside` is the child's.
"""

from beagle.media.child.children import Children
from beagle.media.child.limits import ChildLimits

__all__ = ["ChildLimits", "Children"]
