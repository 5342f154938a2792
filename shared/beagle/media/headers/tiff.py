"""TIFF headers, big and little endian, BigTIFF too; and the same structure inside EXIF."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from beagle.media.headers.size import UPRIGHT, Size
from beagle.media.headers.window import MOST_STEPS, DamagedHeaderError, Window, window_on

if TYPE_CHECKING:
    from collections.abc import Iterator

_WIDTH, _HEIGHT, _ORIENTATION = 256, 257, 274
_BYTES_OF_TYPE = {1: 1, 3: 2, 4: 4, 16: 8}
"""BYTE, SHORT, LONG and LONG8: the types of whole numbers."""
_SHORT = 3
_ORIENTATIONS = range(1, 9)
_EXIF_MARK = b"Exif\0\0"


def read_tiff(window: Window) -> Size:
    """Return the size of a TIFF's first image."""
    numbers = {tag: value for tag, _, value in _numbers(window)}
    if _WIDTH not in numbers or _HEIGHT not in numbers:
        raise DamagedHeaderError
    orientation = numbers.get(_ORIENTATION, UPRIGHT)
    return Size(
        format="TIFF",
        stored_width=numbers[_WIDTH],
        stored_height=numbers[_HEIGHT],
        orientation=orientation if orientation in _ORIENTATIONS else UPRIGHT,
    )


def read_orientation(exif: bytes) -> int:
    """Return the orientation that EXIF asks for: 1, upright, when it asks for none or is damaged."""
    try:
        for tag, kind, value in _numbers(window_on(exif.removeprefix(_EXIF_MARK))):
            if tag == _ORIENTATION and kind == _SHORT and value in _ORIENTATIONS:
                return value
    except DamagedHeaderError:
        pass
    return UPRIGHT


def _numbers(window: Window) -> Iterator[tuple[int, int, int]]:
    """Yield tag, type and first value of each whole number in the first directory."""
    order: Literal["big", "little"] = "big" if window.at(0, 2) == b"MM" else "little"

    def number(offset: int, length: int) -> int:
        return int.from_bytes(window.at(offset, length), order)

    is_big_tiff = number(2, 2) == 43  # noqa: PLR2004 - 42 marks TIFF, 43 BigTIFF
    counter, pointer = (8, 8) if is_big_tiff else (2, 4)
    first = number(8 if is_big_tiff else 4, pointer)
    entry_length = 4 + 2 * pointer
    entries = number(first, counter)
    if entries > MOST_STEPS:
        raise DamagedHeaderError
    for index in range(entries):
        entry = first + counter + index * entry_length
        tag, kind, values = number(entry, 2), number(entry + 2, 2), number(entry + 4, pointer)
        length = _BYTES_OF_TYPE.get(kind)
        if length is None or values < 1:
            continue
        field = entry + 4 + pointer
        is_inline = values * length <= pointer
        if tag in {_WIDTH, _HEIGHT, _ORIENTATION}:
            yield tag, kind, number(field if is_inline else number(field, pointer), length)
