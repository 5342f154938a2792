"""Which format an image has, told by its first bytes, and the size its header tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from beagle.media.headers.heif import format_of, read_heif
from beagle.media.headers.jpeg import read_jpeg
from beagle.media.headers.size import Size
from beagle.media.headers.tiff import read_orientation, read_tiff
from beagle.media.headers.window import DamagedHeaderError, Window

if TYPE_CHECKING:
    from beagle.ports import ObjectReader

_TIFF_MARKS = frozenset({b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"})
_SHORTEST = 26
"""No image is smaller than the smallest BMP header."""
_LOW_14_BITS = 0x3FFF
_OLD_BMP_HEADER = 12


def read_size(reader: ObjectReader) -> Size | None:
    """Return the size that an image's header tells, from one ranged read where the format allows.

    None when the bytes are none of the formats, or damaged before the size is told.
    """
    try:
        size = _read(Window(reader))
    except DamagedHeaderError:
        return None
    return size if size is not None and size.pixels else None


def _read(window: Window) -> Size | None:  # noqa: PLR0911 - one line a format
    head = window.at(0, _SHORTEST)
    if head.startswith(b"\xff\xd8\xff"):
        return read_jpeg(window)
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return _read_png(window)
    if head[:6] in {b"GIF87a", b"GIF89a"}:
        return _read_gif(window)
    if head[:4] in _TIFF_MARKS:
        return read_tiff(window)
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return _read_webp(window)
    if head[4:8] == b"ftyp" and (kind := format_of(window)):
        return read_heif(window, kind)
    if head.startswith(b"BM"):
        return _read_bmp(window)
    return None


def _read_png(window: Window) -> Size:
    width, height, orientation, at = window.big(16, 4), window.big(20, 4), 1, 33
    if window.at(12, 4) != b"IHDR":
        raise DamagedHeaderError
    while (name := window.at(at + 4, 4)) != b"IDAT":
        window.step()
        length = window.big(at, 4)
        if name == b"eXIf":
            orientation = read_orientation(window.at(at + 8, length))
        at += 12 + length
    return Size(format="PNG", stored_width=width, stored_height=height, orientation=orientation)


def _read_gif(window: Window) -> Size:
    """Return the canvas; decoders widen it when the first frame reaches beyond."""
    width, height, packed, at = window.little(6, 2), window.little(8, 2), window.big(10, 1), 13
    if packed & 0x80:
        at += 3 << (packed & 7) + 1
    while (mark := window.at(at, 1)) == b"!":
        at += 2
        while length := window.big(at, 1):
            window.step()
            at += 1 + length
        at += 1
        window.step()
    if mark != b",":
        raise DamagedHeaderError
    left, top, wide, high = (window.little(at + 1 + 2 * index, 2) for index in range(4))
    return Size(format="GIF", stored_width=max(width, left + wide), stored_height=max(height, top + high))


def _read_bmp(window: Window) -> Size:
    if window.little(14, 4) == _OLD_BMP_HEADER:
        width, height = window.little(18, 2), window.little(20, 2)
    else:
        width, height = window.little(18, 4), window.little(22, 4)
        height = min(height, (1 << 32) - height)  # negative when the rows run from the top
    return Size(format="BMP", stored_width=width, stored_height=height)


def _read_webp(window: Window) -> Size:
    kind = window.at(12, 4)
    if kind == b"VP8X":
        width, height = window.little(24, 3) + 1, window.little(27, 3) + 1
    elif kind == b"VP8L":
        bits = window.little(21, 4)
        width, height = (bits & _LOW_14_BITS) + 1, (bits >> 14 & _LOW_14_BITS) + 1
    elif kind == b"VP8 ":
        width, height = window.little(26, 2) & _LOW_14_BITS, window.little(28, 2) & _LOW_14_BITS
    else:
        raise DamagedHeaderError
    return Size(format="WEBP", stored_width=width, stored_height=height)
