"""The demo's pictures: a ship at sea, at any hour."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Literal

from PIL import Image, ImageDraw

if TYPE_CHECKING:
    from collections.abc import Sequence

Hour = Literal["dawn", "noon", "dusk", "night"]
_Colour = tuple[int, int, int]
_ORIENTATION, _TURN_RIGHT = 0x0112, 6

# Sky above, sky at the horizon, sea at the horizon, sea below, sun or moon, ship.
_HOURS: dict[Hour, tuple[_Colour, _Colour, _Colour, _Colour, _Colour, _Colour]] = {
    "dawn": ((86, 114, 160), (250, 200, 170), (196, 160, 160), (60, 84, 110), (255, 236, 200), (64, 44, 52)),
    "noon": ((70, 150, 220), (190, 226, 245), (70, 160, 190), (16, 84, 128), (255, 250, 220), (92, 58, 36)),
    "dusk": ((58, 40, 92), (244, 132, 84), (180, 92, 96), (36, 30, 66), (255, 210, 130), (30, 20, 34)),
    "night": ((8, 12, 32), (32, 44, 84), (26, 40, 72), (6, 12, 28), (236, 238, 224), (4, 6, 14)),
}
# The ship's outline, in hundredths of its own height: hull, then sails.
_HULL = ((-52, 0), (56, -4), (44, 16), (-42, 16))
_SAILS = (
    ((-34, -8), (-34, -62), (-10, -8)),
    ((-4, -8), (-4, -84), (24, -8)),
    ((30, -8), (30, -56), (60, -10)),
    ((-8, -8), (-8, -70), (-28, -8)),
)


def draw_ship(hour: Hour, *, size: tuple[int, int] = (960, 640), at: float = 0.5) -> Image.Image:
    """Draw the ship as far across the picture as `at` says, from 0 to 1."""
    width, height = size
    high, low, near, deep, light, dark = _HOURS[hour]
    horizon = height * 6 // 10
    picture = Image.new("RGB", size)
    canvas = ImageDraw.Draw(picture)
    for y in range(height):
        above, below, start, span = (
            (high, low, 0, horizon) if y < horizon else (near, deep, horizon, height - horizon)
        )
        canvas.line(((0, y), (width, y)), fill=_mix(above, below, (y - start) / span))
    radius = height // 14
    sun = (width * 3 // 4, height // 4)
    canvas.ellipse((sun[0] - radius, sun[1] - radius, sun[0] + radius, sun[1] + radius), fill=light)
    for row in range(1, 9):
        y = horizon + row * row * (height - horizon) // 81
        half = radius * (12 - row) // 10
        canvas.line(((sun[0] - half, y), (sun[0] + half, y)), fill=_mix(near, light, 0.5), width=2)
    scale, middle = height / 260, round(width * at)
    for sail in _SAILS:
        canvas.polygon(_placed(sail, middle, horizon, scale), fill=_mix(light, low, 0.25))
    canvas.polygon(_placed(_HULL, middle, horizon, scale), fill=dark)
    for mast, top in ((-34, -68), (-6, -92), (30, -62)):
        canvas.line(
            _placed(((mast, 0), (mast, top)), middle, horizon, scale), fill=dark, width=max(1, round(scale))
        )
    return picture


def encode(picture: Image.Image, form: Literal["JPEG", "PNG", "PDF"], *, on_its_side: bool = False) -> bytes:
    """Return the file that holds the picture: for PDF, a page.

    On its side it is stored as by a camera that was turned, with the EXIF orientation that sets it upright.
    """
    file = io.BytesIO()
    if on_its_side:
        exif = Image.Exif()
        exif[_ORIENTATION] = _TURN_RIGHT
        picture.transpose(Image.Transpose.ROTATE_90).save(file, form, exif=exif)
    else:
        picture.save(file, form)
    return file.getvalue()


def _mix(one: _Colour, other: _Colour, share: float) -> _Colour:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _placed(
    points: Sequence[tuple[int, int]], middle: int, horizon: int, scale: float
) -> list[tuple[float, float]]:
    return [(middle + x * scale, horizon + y * scale) for x, y in points]
