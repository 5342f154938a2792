"""What a read-only image needs: a thumbnail, and the exact size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from beagle.domain.errors import EmptyObjectError, MediaTooLargeError, UnreadableMediaError
from beagle.domain.items import ImageArtifacts
from beagle.media.headers import ImageFormat, Size, read_size
from beagle.media.remember import Remembering
from beagle.media.uploads import Uploads

if TYPE_CHECKING:
    from beagle.media.child import Children
    from beagle.ports import ArtifactSink, Deadline, ObjectReader

THUMBNAIL = "thumbnail.jpg"
_BYTES_PER_PIXEL: dict[ImageFormat, int] = {
    "JPEG": 1, "PNG": 5, "GIF": 5, "BMP": 5, "TIFF": 5, "WEBP": 18, "HEIC": 12, "AVIF": 12,
}  # fmt: skip
"""What decoding takes, as `tests/benchmarks/thumbnails.py` measures it, with some room."""
_BYTES_PER_PIXEL_PROGRESSIVE = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class StillLimits:
    """Bounds that an image's own header must keep, before anything decodes it."""

    pixels: int = 120_000_000
    memory: int = 640 * 1024 * 1024
    """Bytes that decoding may take, as measured per pixel of each format; below the child's own limit."""


def make_still(  # noqa: PLR0913 - what, where to, with which bounds
    reader: ObjectReader,
    sink: ArtifactSink,
    *,
    children: Children,
    size: Literal["shown", "stored"] = "shown",
    limits: StillLimits | None = None,
    deadline: Deadline | None = None,
) -> ImageArtifacts:
    """Draw an image's thumbnail, and tell its size as the browser shows it, or as it is stored.

    Raises:
        VerdictError: It is none of the formats, damaged, or larger than allowed.
        ServiceError: The store did not answer, or the time is over.

    """
    if reader.size == 0:
        raise EmptyObjectError("The object has no bytes.")
    source = Remembering(reader)
    header = read_size(source)
    if header is None:
        raise UnreadableMediaError(
            "Its first bytes are no image's: it is damaged, or not what its name says."
        )
    _require_bounds(header, limits or StillLimits())
    arguments = {
        "format": header.format,
        "stored": [header.stored_width, header.stored_height],
        "shown": [header.width, header.height],
        "orientation": header.orientation,
        "upright": size == "shown",
        "pixels": (limits or StillLimits()).pixels,
    }
    with Uploads(sink) as uploads:
        children.run("still", arguments, [source], uploads.put, deadline=deadline)
    return ImageArtifacts(
        thumbnail_key=sink.key(THUMBNAIL),
        width=header.width if size == "shown" else header.stored_width,
        height=header.height if size == "shown" else header.stored_height,
    )


def _require_bounds(header: Size, limits: StillLimits) -> None:
    if header.pixels > limits.pixels:
        raise MediaTooLargeError(
            f"{header.stored_width} x {header.stored_height} pixels are more than {limits.pixels}.",
            pixels=header.pixels,
        )
    needed = header.pixels * (
        _BYTES_PER_PIXEL_PROGRESSIVE if header.progressive else _BYTES_PER_PIXEL[header.format]
    )
    if needed > limits.memory:
        raise MediaTooLargeError(
            f"{header.stored_width} x {header.stored_height} pixels of {header.format} need more memory "
            f"than {limits.memory} bytes.",
            pixels=header.pixels,
        )
