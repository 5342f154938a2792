"""HEIC and AVIF: boxes within boxes, and the properties of the primary image."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from beagle.media.headers.size import UPRIGHT, ImageFormat, Size
from beagle.media.headers.window import LONGEST_READ, DamagedHeaderError, Window, window_on

if TYPE_CHECKING:
    from collections.abc import Iterator

BRANDS: dict[bytes, ImageFormat] = {
    b"avif": "AVIF",
    b"avis": "AVIF",
    **dict.fromkeys((b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"), "HEIC"),
}
_ORIENTATION_OF: dict[tuple[int, int | None], int] = {
    (0, None): 1, (0, 0): 4, (0, 1): 2,
    (1, None): 8, (1, 0): 5, (1, 1): 7,
    (2, None): 3, (2, 0): 2, (2, 1): 4,
    (3, None): 6, (3, 0): 7, (3, 1): 5,
}  # fmt: skip
"""Quarter turns to the left, then a mirror (0: top and bottom, 1: left and right) as EXIF's number."""


@dataclass(slots=True)
class _Properties:
    """What the `meta` box says: the primary image, all properties, and which belong to which image."""

    primary: int | None = None
    boxes: list[tuple[bytes, bytes]] = field(default_factory=list)
    of_item: dict[int, list[int]] = field(default_factory=dict)


def format_of(window: Window) -> ImageFormat | None:
    """Return which of the two it is, told by the brands of its `ftyp` box; None when it is neither."""
    length = window.big(0, 4)
    if not 16 <= length <= 1024:  # noqa: PLR2004 - at least a brand and a version; no writer names hundreds
        return None
    brands = window.at(8, min(length, window.size) - 8)
    known = [
        BRANDS[brand] for at in (0, *range(8, len(brands), 4)) if (brand := brands[at : at + 4]) in BRANDS
    ]
    return None if not known else "AVIF" if "AVIF" in known else "HEIC"


def read_heif(window: Window, kind: ImageFormat) -> Size:
    """Return the primary image's size, cropped and turned as its properties ask."""
    for name, start, length in _boxes(window, 0, window.size):
        if name == b"meta":
            if length > LONGEST_READ:
                raise DamagedHeaderError
            return _size(_read_meta(window_on(window.at(start, length))), kind)
    raise DamagedHeaderError


def _size(properties: _Properties, kind: ImageFormat) -> Size:
    width = height = turns = 0
    mirror: int | None = None
    for index in properties.of_item.get(properties.primary or 0, ()):
        if not 1 <= index <= len(properties.boxes):
            continue
        name, data = properties.boxes[index - 1]
        box = window_on(data)
        if name == b"ispe":
            width, height = box.big(4, 4), box.big(8, 4)
        elif name == b"clap" and kind == "HEIC":  # libavif leaves cropping to its caller
            width, height = _ratio(box, 0) or width, _ratio(box, 8) or height
        elif name == b"irot":
            turns = box.big(0, 1) & 3
        elif name == b"imir":
            mirror = box.big(0, 1) & 1
    orientation = _ORIENTATION_OF.get((turns, mirror), UPRIGHT)
    return Size(format=kind, stored_width=width, stored_height=height, orientation=orientation)


def _ratio(box: Window, at: int) -> int:
    return round(box.big(at, 4) / (box.big(at + 4, 4) or 1))


def _read_meta(meta: Window) -> _Properties:
    properties = _Properties()
    for name, start, length in _boxes(meta, 4, meta.size):
        if name == b"pitm":
            properties.primary = meta.big(start + 4, 4 if meta.big(start, 1) else 2)
        elif name == b"iprp":
            for inner, inner_start, inner_length in _boxes(meta, start, start + length):
                if inner == b"ipco":
                    properties.boxes = [
                        (kind, meta.at(at, min(size, 64)))
                        for kind, at, size in _boxes(meta, inner_start, inner_start + inner_length)
                    ]
                elif inner == b"ipma":
                    _read_associations(meta, inner_start, properties.of_item)
    return properties


def _read_associations(meta: Window, at: int, of_item: dict[int, list[int]]) -> None:
    id_length = 4 if meta.big(at, 1) else 2
    index_length = 2 if meta.big(at + 3, 1) & 1 else 1
    items = meta.big(at + 4, 4)
    at += 8
    for _ in range(items):
        meta.step()
        item, count = meta.big(at, id_length), meta.big(at + id_length, 1)
        at += id_length + 1
        raw = meta.at(at, count * index_length)
        at += count * index_length
        essential_bit = 1 << (8 * index_length - 1)
        of_item[item] = [
            int.from_bytes(raw[i : i + index_length], "big") & ~essential_bit
            for i in range(0, len(raw), index_length)
        ]


def _boxes(window: Window, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield name, start and length of each box's content between two offsets."""
    while at + 8 <= end:
        window.step()
        length, name, head = window.big(at, 4), window.at(at + 4, 4), 8
        if length == 1:
            length, head = window.big(at + 8, 8), 16
        elif length == 0:
            length = end - at
        if length < head or at + length > end:
            raise DamagedHeaderError
        yield name, at + head, length - head
        at += length
