"""The thumbnail of a still image."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO

from PIL import Image

from beagle.domain.errors import UnreadableMediaError, UnsupportedMediaError
from beagle.media.draw.guard import decoding
from beagle.media.draw.thumbnail import draw_thumbnail, turn_back

if TYPE_CHECKING:
    from collections.abc import Sequence

    from beagle.media.draw.inside import Put
    from beagle.media.wire import Words

_TURNED_BY_DECODER = frozenset({"TIFF", "HEIC"})


def draw(files: Sequence[BinaryIO], put: Put, arguments: Words) -> Words:
    """Draw `thumbnail.jpg` of one image, whose header says its format, size and orientation.

    Raises:
        VerdictError: It cannot be decoded, or is not what its header says.

    """
    kind, orientation = arguments["format"], arguments["orientation"]
    with decoding(f"{kind} image", pixels=arguments["pixels"]):
        plugin = _plugin(kind)
        with Image.open(files[0], formats=[plugin]) as image:
            for xmp in ("xmp", "XML:com.adobe.xmp"):  # browsers do not turn images by it
                image.info.pop(xmp, None)
            turned = kind in _TURNED_BY_DECODER
            said = arguments["shown"] if turned else arguments["stored"]
            if list(image.size) != said:
                raise UnreadableMediaError(f"Its header tells {said}, and its decoder {list(image.size)}.")
            turn = orientation if arguments["upright"] else 1
            if turned:
                turn = 1 if arguments["upright"] else turn_back(orientation)
            put("thumbnail.jpg", draw_thumbnail(image, turn))
    return {}


def _plugin(kind: str) -> str:
    if kind == "HEIC":
        with suppress(ModuleNotFoundError):
            import pillow_heif  # noqa: PLC0415 - large, and needed for HEIC only

            pillow_heif.register_heif_opener(thumbnails=False)
            return "HEIF"
        raise UnsupportedMediaError("HEIC images need the library pillow-heif, which is not installed.")
    Image.preinit()
    if kind not in Image.OPEN:
        Image.init()
    if kind not in Image.OPEN:
        raise UnsupportedMediaError(f"This Pillow reads no {kind} images.")
    return kind
