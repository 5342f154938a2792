"""Colours as a browser shows them: eight bits, sRGB, on white."""

from __future__ import annotations

import io
import math
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING

from PIL import Image, ImageCms

from beagle.domain.errors import UnsupportedMediaError

if TYPE_CHECKING:
    from collections.abc import Callable

_BITS_PER_SAMPLE, _PHOTOMETRIC = 258, 262
_WHITE_IS_ZERO = 0
_MODES_OF_PROFILES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK", "Lab": "LAB"}
_IN_EIGHT_BITS: dict[str, Callable[[int], int]] = {
    "L;2": lambda value: value * 85,
    "L;4": lambda value: value * 17,
    "RGB;16B": lambda value: value >> 8,
}
"""What Pillow makes of the numbers of a PNG, by its name for how they are stored."""
_SHRINKABLE = frozenset({"L", "LA", "RGB", "RGBA", "CMYK", "YCbCr", "LAB"})


def shrinkable(image: Image.Image) -> Image.Image:
    """Return the image in a mode whose pixels can be averaged.

    The image itself wherever possible: a JPEG that was not decoded yet can then be decoded small.
    """
    if image.mode in {"I", "F"} or image.mode.startswith("I;16"):
        return _scale_grey(image)
    if "transparency" in image.info:
        _tell_in_eight_bits(image)
        return image.convert("RGBA")
    if image.mode in _SHRINKABLE:
        return image
    return image.convert({"1": "L", "PA": "RGBA", "La": "LA", "RGBa": "RGBA"}.get(image.mode, "RGB"))


def show(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Return the image in sRGB, its transparent parts white."""
    if "A" not in image.getbands():
        return _to_srgb(image, profile)
    alpha = image.getchannel("A")
    opaque = image.getchannel("L") if image.mode == "LA" else image.convert("RGB")
    white = Image.new("RGB", image.size, "white")
    white.paste(_to_srgb(opaque, profile), mask=alpha)
    return white


def _tell_in_eight_bits(image: Image.Image) -> None:
    """Tell a PNG's transparent colour by the numbers that its pixels will have: Pillow tells the file's own.

    Of 16 bits the upper eight are left, so that neighbours of the colour become transparent with it.
    """
    for tile in getattr(image, "tile", ()):
        if fit := _IN_EIGHT_BITS.get(str(tile.args)):
            hidden = image.info["transparency"]
            image.info["transparency"] = tuple(map(fit, hidden)) if isinstance(hidden, tuple) else fit(hidden)
            return


def _scale_grey(image: Image.Image) -> Image.Image:
    """Return eight-bit grey: 16 bits by their full range, as browsers do; others from darkest to brightest.

    No convention says what 32-bit integers and floating-point numbers look like, so their own range does.
    """
    tags = getattr(image, "tag_v2", {})
    if image.mode.startswith("I;16"):
        bits = tags.get(_BITS_PER_SAMPLE, (16,))[0]
        low, high = 0.0, float((1 << min(bits, 16)) - 1)
    else:
        low, high = (float(number) for number in _extremes(image))
    if not (math.isfinite(low) and math.isfinite(high)):
        raise UnsupportedMediaError("Its grey values are no finite numbers.", mode=image.mode)
    wide = image if image.mode in {"I", "F", "I;16"} else image.convert("I")
    scale = 255.0 / (high - low or 1.0)
    grey = wide.point(lambda value: value * scale + -low * scale).convert("L")
    if tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO:
        grey = grey.point(lambda value: 255 - value)
    grey.info = dict(image.info)
    if (hidden := grey.info.pop("transparency", None)) is not None:
        grey.paste(255, mask=_where(image, hidden))
    return grey


def _where(image: Image.Image, value: int) -> Image.Image:
    """Return a mask of the pixels that have a value of 16 bits."""
    table = [0] * (1 << 16)
    table[value] = 255
    return image.convert("I").point(table, "L")


def _extremes(image: Image.Image) -> tuple[float, float]:
    low, high = image.getextrema()
    if isinstance(low, tuple) or isinstance(high, tuple):
        raise UnsupportedMediaError("It has several channels of more than eight bits.", mode=image.mode)
    return low, high


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    if profile or image.mode == "LAB":
        with suppress(ImageCms.PyCMSError, OSError, ValueError, TypeError):  # a broken profile is no profile
            return _transform(image, profile)
    return image.convert("RGB")


def _transform(image: Image.Image, profile: bytes | None) -> Image.Image:
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile) if profile else ImageCms.createProfile("LAB"))
    mode = _MODES_OF_PROFILES.get(source.profile.xcolor_space.strip())
    if mode is None or (mode == "CMYK") != (image.mode == "CMYK"):  # the profile is of other colours
        return image.convert("RGB")
    known = image if image.mode == mode else image.convert(mode)
    shown = ImageCms.profileToProfile(known, source, _srgb(), outputMode="RGB")
    return shown or image.convert("RGB")


@cache
def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
