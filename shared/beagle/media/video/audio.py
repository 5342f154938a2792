"""Audio peaks: the curve that Darwin draws below a video."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

from beagle.media import sandbox
from beagle.media.video import graph

if TYPE_CHECKING:
    from pathlib import Path

    from beagle.media.stream import Stream
    from beagle.media.video.facts import Facts
    from beagle.media.video.ffmpeg import Ffmpeg
    from beagle.ports import Deadline


def extract_peaks(path: Path, facts: Facts, ffmpeg: Ffmpeg, deadline: Deadline) -> bytes | None:
    """Return a thousand unsigned bytes a second of the first sound, as gzip; None if it cannot be decoded.

    The same sound gives the same bytes: no time is written into them.
    """
    peaks = bytearray()

    def keep(stream: Stream) -> None:
        while data := stream.read(1 << 16):
            peaks.extend(data)

    ending = sandbox.run(
        lambda file, pipes: [*ffmpeg.reading(file), *graph.peaks_arguments(facts, pipes[0])],
        path,
        [keep],
        deadline=deadline,
        limits=ffmpeg.limits,
    )
    return gzip.compress(bytes(peaks), mtime=0) if peaks and ending.status == 0 else None
