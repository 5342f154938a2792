"""The thumbnail: the frame in the middle, shrunk if it must be.

It is one of the pictures that leave ffmpeg anyhow. Where fewer frames can be decoded than are promised,
it is known only at the end which one is in the middle, and that is decoded again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from beagle.domain.errors import UnreadableMediaError
from beagle.media import sandbox
from beagle.media.video import graph

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from beagle.media.stream import Stream
    from beagle.media.video.ffmpeg import Ffmpeg
    from beagle.media.video.png import Layout
    from beagle.ports import Deadline


@dataclass(frozen=True, slots=True)
class Picture:
    """A frame that left ffmpeg, and what ffmpeg must be told to read it again."""

    data: bytes
    form: tuple[str, ...]

    @classmethod
    def of_pixels(cls, pixels: bytes | bytearray, size: tuple[int, int], layout: Layout) -> Picture:
        """Return the picture whose pixels lie in memory."""
        described = ("-pixel_format", layout.name, "-video_size", "{}x{}".format(*size))
        return cls(bytes(pixels), ("-f", "rawvideo", *described))

    @classmethod
    def of_jpeg(cls, data: bytes) -> Picture:
        """Return the picture that a JPEG file holds."""
        return cls(data, ("-f", "mjpeg"))


def shrink(picture: Picture, ffmpeg: Ffmpeg, deadline: Deadline) -> bytes:
    """Return the thumbnail, a JPEG, of a frame that is at hand."""

    def command(file: int, pipes: Sequence[str]) -> list[str]:
        reading = ffmpeg.reading(file, *picture.form, formats="rawvideo,mjpeg")
        return [*reading, *graph.thumbnail_arguments(pipes[0])]

    return _run(command, picture.data, ffmpeg, deadline)


def extract_thumbnail(path: Path, stamp: int, seconds: float, ffmpeg: Ffmpeg, deadline: Deadline) -> bytes:
    """Return a JPEG of the frame at a time, given in the source's time base and in seconds.

    It is decoded from the key frame before it. Where a container finds no way there, from the beginning.
    """

    def after(seek: Sequence[str]) -> sandbox.Command:
        return lambda file, pipes: [
            *ffmpeg.reading(file, *seek),
            *graph.thumbnail_arguments(pipes[0], time=stamp),
        ]

    try:
        return _run(after(graph.seek_to(seconds)), path, ffmpeg, deadline)
    except UnreadableMediaError:
        return _run(after([]), path, ffmpeg, deadline)


def _run(command: sandbox.Command, source: Path | bytes, ffmpeg: Ffmpeg, deadline: Deadline) -> bytes:
    picture = bytearray()

    def keep(stream: Stream) -> None:
        while data := stream.read(1 << 16):
            picture.extend(data)

    ending = sandbox.run(command, source, [keep], deadline=deadline, limits=ffmpeg.limits)
    if not picture:
        ending.require_success()
        raise UnreadableMediaError("The frame in the middle, which becomes the thumbnail, cannot be decoded.")
    return bytes(picture)
