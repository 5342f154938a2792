"""The thumbnail of any image: inside 356x200, never enlarged, JPEG of quality 50."""

from __future__ import annotations

import io

from PIL import Image

from beagle.media.draw.colour import show, shrinkable

BOX = (356, 200)
_QUALITY = 50
_GAP = 2.0
"""How much larger an image may still be before the good filter has it; what is above is averaged, fast."""
_TURN_OF: dict[int, Image.Transpose] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What sets an image upright, by its EXIF orientation."""
_TURNS_BACK = {6: 8, 8: 6}
_SIDEWAYS = frozenset({5, 6, 7, 8})


def draw_thumbnail(image: Image.Image, turn: int = 1) -> bytes:
    """Return the thumbnail of an image that lies as this EXIF orientation says; the image is used up."""
    profile = image.info.get("icc_profile")
    shown = show(shrink(shrinkable(image), BOX[::-1] if turn in _SIDEWAYS else BOX), profile)
    if turn in _TURN_OF:
        shown = shown.transpose(_TURN_OF[turn])
    shown.info = {}  # neither comments nor profiles
    return encode_jpeg(shown, _QUALITY)


def shrink(image: Image.Image, box: tuple[int, int]) -> Image.Image:
    """Return the image inside a box, its sides rounded as ImageMagick rounds them; a small one as it is.

    A JPEG that was not decoded yet is decoded at the smallest scale of at least twice the size.
    """
    scale = min(box[0] / image.width, box[1] / image.height)
    if scale >= 1:
        return image
    width, height = (max(int(side * scale + 0.5), 1) for side in image.size)
    drafted = image.draft(None, (int(_GAP * width), int(_GAP * height)))
    part = drafted[1] if drafted else None
    return image.resize((width, height), Image.Resampling.LANCZOS, box=part, reducing_gap=_GAP)


def turn_back(orientation: int) -> int:
    """Return the orientation that undoes another."""
    return _TURNS_BACK.get(orientation, orientation)


def encode_jpeg(image: Image.Image, quality: int) -> bytes:
    """Return the image as a JPEG file."""
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality)
    return out.getvalue()


def encode_png(image: Image.Image) -> bytes:
    """Return the image as a PNG file, fast rather than smallest."""
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=2)
    return out.getvalue()
