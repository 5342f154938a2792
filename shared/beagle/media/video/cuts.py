"""Where a long video is cut, so that each part fits into one invocation: arithmetic only."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Self

from beagle.domain.errors import MediaTooLargeError
from beagle.media.video.grid import segment_starts, to_ticks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from beagle.domain.making import VideoOptions
    from beagle.media.video.facts import Facts

CAUTION = 1.5
"""How much longer than measured an invocation may take for its frames."""
HOPELESS = 4.0
"""How much longer than planned a part may take and is tried all the same: what is planned is cautious, and
less than an invocation, so that two and a half times as much may fit."""
_LATE = 2.0
"""How much longer than planned a part may take where its key frame lies far before it."""
_SMALLEST = 0.25
"""Of what is planned, left for the frames of a part however far its key frame lies before it."""
_DECODING = 0.008
"""Processor seconds a million pixels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A range of a video's frames that is extracted on its own; plain numbers, fit for a message."""

    number: int
    parts: int
    first_frame: int
    frames: int
    """How many; a promise where the video is cut, an estimate where it is whole."""
    first_segment: int
    since_start: int
    """From the video's first frame to the part's, in ticks of a 90 kHz clock."""
    start: int | None = None
    """The time of the first frame, in the source's time base; None begins at the beginning."""
    end: int | None = None
    """The time of the first frame of the next part; None goes on to the end."""
    seek: float = 0
    """Seconds: a key frame from which the part can be decoded."""
    has_middle: bool = True
    """The frame in the middle of the video, of which the thumbnail is made, lies in this part."""

    @property
    def is_whole(self) -> bool:
        """Say whether the part is the whole video."""
        return self.parts == 1

    @property
    def has_sound_peaks(self) -> bool:
        """Say whether the part makes the audio peaks of the whole video."""
        return self.number == 0

    def to_json(self) -> dict[str, Any]:
        """Return what `from_json` reads."""
        return asdict(self)

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> Self:
        """Return the part that `to_json` wrote."""
        return cls(**fields)


def whole(facts: Facts) -> Part:
    """Return the whole video as one part."""
    return Part(number=0, parts=1, first_frame=0, frames=len(facts.times), first_segment=0, since_start=0)


def frames_a_second(facts: Facts, options: VideoOptions, processors: float) -> float:
    """Return how many frames of the source an invocation extracts in a second, cautiously.

    From processor seconds per million pixels measured at 1080p, with a third to spare.
    """
    encode = {"fast": 0.020, "equal": 0.050}[options.profile] if options.shape == "hls" else 0
    picture = 0.012 if options.jpeg_quality is None else 0.006
    frame = _DECODING + encode + (picture + 0.006) / options.step(facts.native_fps)
    return processors / (frame * _megapixels(facts)) / CAUTION


def decoded_a_second(facts: Facts, processors: float) -> float:
    """Return how many frames an invocation decodes in a second, cautiously, where that is all it does."""
    return processors / (_DECODING * _megapixels(facts)) / CAUTION


def _megapixels(facts: Facts) -> float:
    return max(facts.width * facts.height / 1e6, 0.05)


def plan_parts(
    facts: Facts, seconds_per_invocation: float, speed: float, decoding: float = math.inf
) -> list[Part]:
    """Return the parts into which a video is cut, one if it fits; the same for the same video, always.

    `speed` is how many frames of the source an invocation extracts in a second (`frames_a_second`),
    `decoding` how many it decodes (`decoded_a_second`). Cuts lie where segments begin, and a part begins to
    decode at the key frame before its cut: where those are rare, parts are smaller. A video whose packets
    tell no times, or the same time twice, cannot be cut: it is one part.

    Raises:
        MediaTooLargeError: A part would take so much longer than an invocation that it is not even tried.

    """
    total = len(facts.times)
    if total <= max(int(seconds_per_invocation * speed), 1):
        return [whole(facts)]
    if not _can_be_cut(facts):
        _require_hope(
            total / speed,
            seconds_per_invocation,
            "it cannot be cut: its file, as AVI and raw streams do, hides when each frame is shown",
        )
        return [whole(facts)]
    before = _longest_way(facts) / decoding
    room = min(
        seconds_per_invocation,
        max(_LATE * seconds_per_invocation - before, _SMALLEST * seconds_per_invocation),
    )
    wanted = -(-total // max(int(room * speed), 1))
    starts = list(segment_starts(facts))
    cuts = sorted({_nearest(starts, total * part // wanted) for part in range(wanted)})
    parts = [
        _part(facts, starts, cuts, number, at) for number, at in enumerate(pairwise([*cuts, len(starts)]))
    ]
    longest = max(part.frames / speed + _decoded_before(facts, part) / decoding for part in parts)
    _require_hope(
        longest, seconds_per_invocation, "its key frames lie too far apart for cutting it into shorter parts"
    )
    return parts


def _require_hope(seconds: float, planned: float, why: str) -> None:
    if seconds > HOPELESS * planned:
        raise MediaTooLargeError(
            f"The video is too long: one invocation would take {seconds / 60:.0f} minutes, and {why}. "
            "Put it into MP4 or Matroska, encoded with a key frame every few seconds.",
            seconds=round(seconds),
        )


def _longest_way(facts: Facts) -> float:
    """Return about how many frames lie between the two key frames that are farthest from each other."""
    way = max(after - key for key, after in pairwise([*facts.keys, facts.times[-1]]))
    return way / (facts.times[-1] - facts.times[0]) * len(facts.times)


def _decoded_before(facts: Facts, part: Part) -> int:
    """Return how many frames are decoded for a part and are not its own."""
    start = facts.times[part.first_frame]
    key = facts.keys[bisect_right(facts.keys, start) - 1]
    return part.first_frame - bisect_left(facts.times, key)


def _nearest(starts: Sequence[int], frame: int) -> int:
    before = bisect_right(starts, frame) - 1
    return min(range(before, min(before + 2, len(starts))), key=lambda at: abs(starts[at] - frame))


def _can_be_cut(facts: Facts) -> bool:
    grows = all(before < after for before, after in pairwise(facts.times))
    return grows and bool(facts.keys) and facts.keys[0] <= facts.times[0]


def _part(
    facts: Facts, starts: Sequence[int], cuts: Sequence[int], number: int, segments: tuple[int, int]
) -> Part:
    first = starts[segments[0]]
    after = starts[segments[1]] if segments[1] < len(starts) else len(facts.times)
    start = facts.times[first]
    key = facts.keys[bisect_right(facts.keys, start) - 1]
    return Part(
        number=number,
        parts=len(cuts),
        first_frame=first,
        frames=after - first,
        first_segment=segments[0],
        since_start=to_ticks(start, facts.time_base) - to_ticks(facts.times[0], facts.time_base),
        start=start if first else None,
        end=facts.times[after] if after < len(facts.times) else None,
        seek=float(key * facts.time_base) if first else 0,
        has_middle=first <= len(facts.times) // 2 < after,
    )
