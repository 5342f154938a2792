"""The thumbnail: the frame in the middle, shrunk if it must be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from beagle.domain.errors import UnreadableMediaError
from beagle.media import sandbox
from beagle.media.video import graph

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from beagle.media.stream import Stream
    from beagle.media.video.ffmpeg import Ffmpeg
    from beagle.ports import Deadline


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
