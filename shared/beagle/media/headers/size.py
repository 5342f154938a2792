"""What an image's header says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ImageFormat = Literal["JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF", "HEIC", "AVIF"]

UPRIGHT = 1
TURNED = frozenset({5, 6, 7, 8})
"""The orientations, as EXIF numbers them, that swap width and height."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """An image's size in pixels.

    `orientation` is what a browser obeys, and no more: EXIF in JPEG, and in PNG before the pixels; the
    rotation and mirror boxes of HEIC and AVIF; the tag of TIFF. Chromium was seen to ignore EXIF in WebP,
    EXIF behind a PNG's pixels, and XMP anywhere.
    """

    format: ImageFormat
    stored_width: int
    stored_height: int
    orientation: int = UPRIGHT
    progressive: bool = False
    """JPEG only: a decoder holds the coefficients of the whole image."""

    @property
    def width(self) -> int:
        """Return the width as the browser shows it."""
        return self.stored_height if self.orientation in TURNED else self.stored_width

    @property
    def height(self) -> int:
        """Return the height as the browser shows it."""
        return self.stored_width if self.orientation in TURNED else self.stored_height

    @property
    def pixels(self) -> int:
        """Return how many pixels a decoder must make."""
        return self.stored_width * self.stored_height
