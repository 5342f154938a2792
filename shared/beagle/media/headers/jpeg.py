"""JPEG headers: marker by marker, jumping over what lies between."""

from __future__ import annotations

from typing import TYPE_CHECKING

from beagle.media.headers.size import UPRIGHT, Size
from beagle.media.headers.tiff import read_orientation
from beagle.media.headers.window import DamagedHeaderError

if TYPE_CHECKING:
    from beagle.media.headers.window import Window

_PREFIX = 0xFF
_APP1 = 0xE1
_NO_FRAME = frozenset({0xC4, 0xC8, 0xCC})
"""Huffman tables, an extension and arithmetic conditioning lie among the frame markers C0 to CF."""
_FRAMES = frozenset(range(0xC0, 0xD0)) - _NO_FRAME
_PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD8)})
_END, _SCAN = 0xD9, 0xDA


def read_jpeg(window: Window) -> Size:
    """Return the size that the frame header tells, turned as the first EXIF segment asks."""
    at, orientation = 2, None
    while True:
        window.step()
        if window.big(at, 1) != _PREFIX:
            raise DamagedHeaderError
        marker = window.big(at + 1, 1)
        if marker == _PREFIX:  # filling
            at += 1
            continue
        if marker in _WITHOUT_LENGTH:
            at += 2
            continue
        if marker in {_END, _SCAN}:
            raise DamagedHeaderError
        length = window.big(at + 2, 2)
        if marker in _FRAMES:
            return Size(
                format="JPEG",
                stored_width=window.big(at + 7, 2),
                stored_height=window.big(at + 5, 2),
                orientation=orientation or UPRIGHT,
                progressive=marker in _PROGRESSIVE,
            )
        if marker == _APP1 and orientation is None and window.at(at + 4, 6) == b"Exif\0\0":
            orientation = read_orientation(window.at(at + 4, max(length - 2, 0)))
        at += 2 + max(length, 2)
