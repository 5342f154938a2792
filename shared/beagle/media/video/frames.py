"""Frames as they come out of ffmpeg's pipes, made into files in memory and sent off."""

from __future__ import annotations

import queue
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from beagle.media.video.png import Layout, PngEncoder
from beagle.media.video.thumbnail import Picture

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from beagle.media.stream import Stream
    from beagle.media.video.choice import Choice
    from beagle.media.video.outgoing import Outgoing

HIGH, LOW = "sections/high", "sections/low"
_CHUNK = 1 << 20
_BETWEEN_JPEGS = b"\xff\xd9\xff\xd8"
"""The end of one JPEG and the start of the next; neither can occur inside one."""


def frame_name(folder: str, number: int, extension: str) -> str:
    """Return the name of a visible frame's picture."""
    return f"{folder}/{number:09d}.{extension}"


class PngFrames:
    """Reads raw pictures and sends them off as PNG; one is kept for the thumbnail.

    As many pictures are in memory as there are buffers; with none free, ffmpeg waits.
    """

    def __init__(
        self,
        outgoing: Outgoing,
        layout: Layout,
        size: Callable[[], tuple[int, int]],
        choice: Choice,
        *,
        workers: int,
    ) -> None:
        self._outgoing = outgoing
        self._layout = layout
        self._size = size
        self._choice = choice
        self._workers = workers
        self._own = threading.local()
        self.middle: Picture | None = None
        self.places = 0

    def __call__(self, stream: Stream) -> None:
        """Read until the pipe ends. `size` is asked once the first bytes are there."""
        begun = stream.read(_CHUNK)
        if not begun:
            return
        width, height = self._size()
        length = width * height * self._layout.pixel_bytes
        free: queue.SimpleQueue[bytearray] = queue.SimpleQueue()
        for _ in range(self._workers + 2):
            free.put(bytearray(length))
        with ThreadPoolExecutor(self._workers) as pool:
            tasks: list[Future[None]] = []
            while True:
                picture = free.get()
                begun, filled = begun[length:], self._fill(stream, memoryview(picture), begun)
                if not filled:
                    break
                tasks = [task for task in tasks if not task.done() or task.result()]
                tasks.append(pool.submit(self._take, picture, self.places, (width, height), free))
                self.places += 1
            for task in tasks:
                task.result()

    @staticmethod
    def _fill(stream: Stream, picture: memoryview, begun: bytes) -> bool:
        """Fill a whole picture; what an ended ffmpeg left unfinished is no picture."""
        filled = min(len(begun), len(picture))
        picture[:filled] = begun[:filled]
        while filled < len(picture):
            got = stream.readinto(picture[filled:])
            if not got:
                return False
            filled += got
        return True

    def _take(
        self, picture: bytearray, place: int, size: tuple[int, int], free: queue.SimpleQueue[bytearray]
    ) -> None:
        number, data = self._choice.number(place), b""
        try:
            if place == self._choice.thumbnail_place:
                self.middle = Picture.of_pixels(picture, size, self._layout)
            if number is not None:
                if not hasattr(self._own, "encoder"):
                    self._own.encoder = PngEncoder(*size, self._layout)
                data = self._own.encoder.encode(picture)
        finally:
            free.put(picture)
        if number is not None:
            self._outgoing.put(frame_name(HIGH, number, "png"), data, "image/png")


class JpegFrames:
    """Splits a stream of JPEG files and sends each off, to all folders that want it; one is kept, too."""

    def __init__(self, outgoing: Outgoing, folders: Sequence[str], choice: Choice) -> None:
        self._outgoing = outgoing
        self._folders = folders
        self._choice = choice
        self.middle: Picture | None = None
        self.places = 0

    def __call__(self, stream: Stream) -> None:
        """Read until the pipe ends."""
        rest = bytearray()
        while data := stream.read(_CHUNK):
            looked = max(len(rest) - 3, 0)
            rest += data
            while (end := rest.find(_BETWEEN_JPEGS, looked)) >= 0:
                self._take(bytes(rest[: end + 2]))
                del rest[: end + 2]
                looked = 0
        if rest:
            self._take(bytes(rest))

    def _take(self, data: bytes) -> None:
        place, number = self.places, self._choice.number(self.places)
        self.places += 1
        if place == self._choice.thumbnail_place:
            self.middle = Picture.of_jpeg(data)
        if number is not None:
            for folder in self._folders:
                self._outgoing.put(frame_name(folder, number, "jpg"), data, "image/jpeg")
