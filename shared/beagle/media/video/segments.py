"""Cuts ffmpeg's MPEG-TS streams into HLS segments as they come, and counts their frames without a decode."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from beagle.media.video.grid import TICKS, ends_segment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from beagle.media.stream import Stream
    from beagle.media.video.outgoing import Outgoing

_PACKET = 188
_CHUNK = _PACKET * 4096
_VIDEO, _SOUND = 0x100, 0x101
_TABLES = (0x11, 0x00, 0x1000)
"""The streams of ffmpeg's writer: SDT, PAT and PMT at the head, then video from 0x100."""
_STARTS, _ADAPTED, _KEY = 0x40, 0x20, 0x40


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One finished piece of a stream."""

    frames: int
    size: int
    start: int
    """When its first frame is shown, in ticks of a 90 kHz clock."""
    last: int
    """When its last frame is shown."""


class SegmentSplitter:
    """Turns bytes of an MPEG-TS stream into whole segments, each of which can be played by itself."""

    def __init__(self, *, first: int, since_start: int) -> None:
        """Begin with the segment of that number, so many ticks after the video's start."""
        self._number = first
        self._since_start = since_start
        self._rest = b""
        self._tables: list[NDArray[np.uint8]] = []
        self._counters: dict[int, int] = {}
        self._held: list[NDArray[np.uint8]] = []
        self._times: list[int] = []
        self._zero: int | None = None

    def feed(self, data: bytes) -> Iterator[tuple[Segment, bytes]]:
        """Take bytes in; yield the segments that they complete."""
        data = self._rest + data
        whole = len(data) // _PACKET * _PACKET
        self._rest = data[whole:]
        packets = np.frombuffer(data[:whole], np.uint8).reshape(-1, _PACKET)
        streams = (packets[:, 1].astype(np.uint16) & 0x1F) << 8 | packets[:, 2]
        begins = (packets[:, 1] & _STARTS) != 0
        if missing := len(_TABLES) - len(self._tables):
            self._tables += [packets[at] for at in np.flatnonzero(np.isin(streams, _TABLES))[:missing]]
        taken = 0
        for at in map(int, np.flatnonzero(begins & (streams == _VIDEO))):
            time, is_key = _describe(packets[at])
            if self._zero is None:
                self._zero = time
                if self._number:
                    self._held += [packets[taken:at], _restart(_VIDEO), _restart(_SOUND)]
                    taken = at
            since_start = time - self._zero + self._since_start
            if is_key and self._times and ends_segment(since_start, self._number):
                self._held.append(packets[taken:at])
                yield self._finish()
                self._held.append(np.stack(self._tables))
                taken = at
            self._times.append(time)
        self._held.append(packets[taken:])

    def end(self) -> Iterator[tuple[Segment, bytes]]:
        """Yield the last segment."""
        if self._times:
            yield self._finish()

    def _finish(self) -> tuple[Segment, bytes]:
        packets = np.concatenate(self._held)
        self._count_tables(packets)
        segment = Segment(
            frames=len(self._times), size=packets.size, start=min(self._times), last=max(self._times)
        )
        self._held, self._times = [], []
        self._number += 1
        return segment, packets.tobytes()

    def _count_tables(self, packets: NDArray[np.uint8]) -> None:
        """Give the tables running numbers, as readers expect: some of them are our repetitions."""
        streams = (packets[:, 1].astype(np.uint16) & 0x1F) << 8 | packets[:, 2]
        for table in _TABLES:
            rows = np.flatnonzero(streams == table)
            counter = self._counters.get(table, 0)
            numbers = (np.arange(counter, counter + len(rows)) % 16).astype(np.uint8)
            packets[rows, 3] = packets[rows, 3] & 0xF0 | numbers
            self._counters[table] = (counter + len(rows)) % 16


def _restart(stream: int) -> NDArray[np.uint8]:
    """Return a packet without content which says that a stream's packets are counted anew, from zero."""
    head = bytes([0x47, stream >> 8, stream & 0xFF, 0x2F, _PACKET - 5, 0x80])
    return np.frombuffer(head.ljust(_PACKET, b"\xff"), np.uint8).reshape(1, _PACKET)


def _describe(packet: NDArray[np.uint8]) -> tuple[int, bool]:
    """Return when the frame that begins in a packet is shown, and whether it needs no other frame."""
    data = packet.tobytes()
    at, is_key = 4, False
    if data[3] & _ADAPTED:
        is_key = data[4] > 0 and bool(data[5] & _KEY)
        at += 1 + data[4]
    t = data[at + 9 : at + 14]
    time = (t[0] >> 1 & 7) << 30 | t[1] << 22 | t[2] >> 1 << 15 | t[3] << 7 | t[4] >> 1
    return time, is_key


class SegmentStream:
    """Reads one quality's stream, sends its segments off, and remembers what they are."""

    def __init__(
        self, outgoing: Outgoing, name: Callable[[int], str], *, first: int, since_start: int
    ) -> None:
        self._outgoing = outgoing
        self._name = name
        self._first = first
        self._splitter = SegmentSplitter(first=first, since_start=since_start)
        self.segments: list[Segment] = []

    def __call__(self, stream: Stream) -> None:
        """Read until the pipe ends."""
        while data := stream.read(_CHUNK):
            self._send(self._splitter.feed(data))
        self._send(self._splitter.end())

    def _send(self, finished: Iterable[tuple[Segment, bytes]]) -> None:
        for segment, data in finished:
            self._outgoing.put(self._name(self._first + len(self.segments)), data, "video/mp2t")
            self.segments.append(segment)


def durations(segments: Sequence[Segment], frame: float, end: float | None) -> list[float]:
    """Return how long each segment plays, in seconds: until the next begins.

    The last one plays until `end`, in seconds after the first begins; or where nothing follows, until its
    own last frame has been shown for as long as frames are.
    """
    if not segments:
        return []
    starts = [segment.start for segment in segments]
    seconds = [(after - start) / TICKS for start, after in pairwise(starts)]
    last = segments[-1]
    if end is not None:
        return [*seconds, end - (last.start - starts[0]) / TICKS]
    return [*seconds, (last.last - last.start) / TICKS + frame]
