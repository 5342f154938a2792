"""The thumbnail: the frame in the middle, shrunk if it must be.

It is one of the pictures that leave ffmpeg anyhow. Where fewer frames can be decoded than are promised,
it is known only at the end which one is in the middle, and that is decoded again.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from beagle.domain.errors import UnreadableMediaError
from beagle.media import sandbox
from beagle.media.draw.thumbnail import draw_thumbnail
from beagle.media.video import graph

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from beagle.media.stream import Stream
    from beagle.media.video.ffmpeg import Ffmpeg
    from beagle.media.video.png import Layout
    from beagle.ports import Deadline

_QUALITY = 85
_MODES = {1: "L", 3: "RGB", 4: "RGBA"}


def shrink_pixels(pixels: bytes | bytearray, size: tuple[int, int], layout: Layout) -> bytes:
    """Return a JPEG of a frame whose pixels lie in memory."""
    samples = np.frombuffer(pixels, np.uint8)
    if layout.bits > 8:  # noqa: PLR2004 - the others have two bytes, the more significant first
        samples = np.ascontiguousarray(samples[::2])
    return draw_thumbnail(Image.frombuffer(_MODES[layout.channels], size, samples), quality=_QUALITY)


def shrink_jpeg(data: bytes) -> bytes:
    """Return a JPEG of a frame that is one already."""
    with Image.open(io.BytesIO(data), formats=["JPEG"]) as image:
        return draw_thumbnail(image, quality=_QUALITY)


def extract_thumbnail(path: Path, stamp: int, seconds: float, ffmpeg: Ffmpeg, deadline: Deadline) -> bytes:
    """Return a JPEG of the frame at a time, given in the source's time base and in seconds.

    It is decoded from the key frame before it. Where a container finds no way there, from the beginning.
    """
    for seek in (graph.seek_to(seconds), []):
        picture = bytearray()

        def keep(stream: Stream, picture: bytearray = picture) -> None:
            while data := stream.read(1 << 16):
                picture.extend(data)

        def command(file: int, pipes: Sequence[str], seek: Sequence[str] = tuple(seek)) -> list[str]:
            return [*ffmpeg.reading(file, *seek), *graph.thumbnail_arguments(stamp, pipes[0])]

        ending = sandbox.run(command, path, [keep], deadline=deadline, limits=ffmpeg.limits)
        if picture:
            return bytes(picture)
    ending.require_success()
    raise UnreadableMediaError("The frame in the middle, of which the thumbnail is made, cannot be decoded.")
