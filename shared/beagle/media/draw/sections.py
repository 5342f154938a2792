"""Frames and pages, stored as images of their own, one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from beagle.media.draw.thumbnail import draw_thumbnail, encode_jpeg, encode_png

if TYPE_CHECKING:
    from PIL import Image

    from beagle.media.draw.inside import Put

_LOW_QUALITY = 60


class Sections:
    """Puts each image losslessly and as a JPEG to preview it; one of them becomes the thumbnail."""

    def __init__(self, put: Put, *, thumbnail_of: int) -> None:
        self._put = put
        self._thumbnail_of = thumbnail_of
        self.sizes: list[tuple[int, int]] = []
        """Width and height of what was put, in order."""

    def add(self, image: Image.Image) -> None:
        """Put the next image; it is used up."""
        index = len(self.sizes)
        self.sizes.append(image.size)
        self._put(f"sections/high/{index:09d}.png", encode_png(image))
        self._put(f"sections/low/{index:09d}.jpg", encode_jpeg(image, _LOW_QUALITY))
        if index == self._thumbnail_of:
            self._put("thumbnail.jpg", draw_thumbnail(image))
