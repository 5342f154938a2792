"""Where segments begin: at the first key frame after every two seconds, counted from the video's start.

This is what ffmpeg's own HLS writer does with `-hls_time 2`. Here it is a rule of its own, because a part of
a long video must go on where the part before it ended, whatever the frame rate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from fractions import Fraction

    from beagle.media.video.facts import Facts

TICKS = 90_000
"""A second of MPEG-TS."""
KEY_FRAME_EVERY = 15
"""Frames; darwin-py's choice, for quick seeking."""
_SEGMENT = 2 * TICKS


def to_ticks(time: int, time_base: Fraction) -> int:
    """Return a time of the source as MPEG-TS tells it, rounded as ffmpeg does: half away from zero."""
    exact = abs(time) * time_base * TICKS
    rounded = (2 * exact.numerator + exact.denominator) // (2 * exact.denominator)
    return rounded if time >= 0 else -rounded


def ends_segment(since_start: int, segment: int) -> bool:
    """Say whether a key frame so many ticks after the video's start ends the segment of that number.

    One tick is forgiven: times are rounded on their way.
    """
    return since_start >= _SEGMENT * (segment + 1) - 1


def segment_starts(facts: Facts) -> Iterator[int]:
    """Yield the frames at which segments begin, where key frames come at fixed distances."""
    start, segment = to_ticks(facts.times[0], facts.time_base), 0
    yield 0
    for frame in range(KEY_FRAME_EVERY, len(facts.times), KEY_FRAME_EVERY):
        if ends_segment(to_ticks(facts.times[frame], facts.time_base) - start, segment):
            segment += 1
            yield frame
