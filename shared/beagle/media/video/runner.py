"""Runs the main command over one part of a video, and keeps what comes out while it comes."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from beagle.domain.errors import UnreadableMediaError, UnsupportedMediaError
from beagle.media import sandbox
from beagle.media.video import graph
from beagle.media.video.choice import Choice
from beagle.media.video.frames import HIGH, LOW, JpegFrames, PngFrames
from beagle.media.video.manifest import segment_name
from beagle.media.video.png import layout_of
from beagle.media.video.segments import SegmentStream
from beagle.media.video.thumbnail import Picture

if TYPE_CHECKING:
    from pathlib import Path

    from beagle.domain.making import VideoOptions
    from beagle.media.video.cuts import Part
    from beagle.media.video.facts import Facts
    from beagle.media.video.ffmpeg import Ffmpeg
    from beagle.media.video.outgoing import Outgoing
    from beagle.ports import Deadline

Progress = Callable[[int, int], None]
"""Told how many frames have been decoded, and of how many."""

_FRAME = re.compile(r"n: *(\d+) pts: *(-?\d+|NOPTS) +pts_time:(\S+) .* s:(\d+)x(\d+) ")
"""Wherever in a line: another thread of ffmpeg may have half of one written, to which this is added."""
_BEGIN = "Stream mapping:"
"""Said once: what comes before may be the file's own words."""
_OURS = re.compile(r"^\[Parsed_showinfo_|^\s*$")
_PATIENCE = 30


class FrameLog:
    """The frames that were decoded, as the filter `showinfo` tells them on standard error."""

    def __init__(self, progress: Progress, expected: int) -> None:
        self._progress = progress
        self._expected = expected
        self._begun = False
        self._known = threading.Event()
        self._size = (0, 0)
        self.times: list[float] = []
        self.stamps: list[int] = []

    def read(self, line: str) -> bool:
        """Take a line in; say whether it was about frames."""
        self._begun = self._begun or line.startswith(_BEGIN)
        found = _FRAME.search(line) if self._begun else None
        if not found:
            return _OURS.match(line) is not None
        if found[2] == "NOPTS":
            raise UnreadableMediaError("A frame of the video has no time.")
        # A change on the way makes ffmpeg build its graph anew, and count from zero.
        if int(found[1]) != len(self.times):
            raise UnsupportedMediaError("The video changes its size or form on the way.")
        self.stamps.append(int(found[2]))
        self.times.append(float(found[3]))
        if len(self.times) == 1:
            self._size = (int(found[4]), int(found[5]))
            self._known.set()
        self._progress(len(self.times), max(self._expected, len(self.times)))
        return True

    def size(self) -> tuple[int, int]:
        """Return width and height as they are shown; asked once frames flow, it is known at once."""
        if not self._known.wait(_PATIENCE):
            raise UnreadableMediaError("ffmpeg did not tell how large its frames are.")
        return self._size


@dataclass(frozen=True, slots=True)
class Made:
    """What came out of one run."""

    size: tuple[int, int]
    times: list[float]
    stamps: list[int]
    visible: int
    middle: Picture | None
    """The frame in the middle of those that the file promises; None where it did not come."""
    streams: dict[str, SegmentStream] = field(default_factory=dict)


def extract_frames(  # noqa: PLR0913 - what, of what, how, and where to
    path: Path,
    facts: Facts,
    part: Part,
    options: VideoOptions,
    outgoing: Outgoing,
    *,
    ffmpeg: Ffmpeg,
    workers: int,
    deadline: Deadline,
    progress: Progress,
) -> Made:
    """Decode a part once, and send its frames, previews and segments off while they are made.

    Raises:
        UnreadableMediaError: Nothing can be decoded, or not what the packets promised.
        UnsupportedMediaError: The pictures change their size on the way.

    """
    layout = layout_of(facts.pixel_format, deep=facts.deep)
    outputs = graph.outputs_of(options)
    choice = Choice(
        step=options.step(facts.native_fps),
        first_frame=part.first_frame,
        middle=len(facts.times) // 2 if part.has_middle else None,
    )
    log = FrameLog(progress, part.frames)
    streams = {
        quality: SegmentStream(
            outgoing, _namer(quality), first=part.first_segment, since_start=part.since_start
        )
        for quality in outputs.segments
    }
    frames: PngFrames | JpegFrames
    if options.jpeg_quality is None:
        frames = PngFrames(outgoing, layout, log.size, choice, workers=workers)
    else:
        doubled = options.preview_frames and not outputs.previews
        frames = JpegFrames(outgoing, [HIGH, LOW] if doubled else [HIGH], choice)
    previews = [JpegFrames(outgoing, [LOW], choice)] if outputs.previews else []

    def command(file: int, pipes: Sequence[str]) -> list[str]:
        seek = graph.seek_to(part.seek) if part.start is not None else []
        arguments = graph.main_arguments(facts, part, choice, options, layout, pipes)
        return [*ffmpeg.reading(file, *seek), *arguments]

    ending = sandbox.run(
        command,
        path,
        [*streams.values(), frames, *previews],
        deadline=deadline,
        limits=ffmpeg.limits,
        on_line=log.read,
    )
    ending.require_success()
    visible = _check(log, part, choice, frames.places, list(streams.values()))
    return Made(log.size(), log.times, log.stamps, visible, frames.middle, streams)


def _namer(quality: str) -> Callable[[int], str]:
    return lambda number: segment_name(quality, number)


def _check(log: FrameLog, part: Part, choice: Choice, places: int, streams: list[SegmentStream]) -> int:
    """Return how many frames are visible, if all of them came out, and all frames lie in segments."""
    total = len(log.times)
    if not total:
        raise UnreadableMediaError("No frame of the video can be decoded.")
    if not part.is_whole and total != part.frames:
        raise UnreadableMediaError(
            f"The video is too long for one invocation, and too damaged to be cut: {total} of {part.frames} "
            f"frames of part {part.number} can be decoded.",
            part=part.number,
        )
    counts = [sum(segment.frames for segment in stream.segments) for stream in streams]
    visible, stored = choice.visible(total), places - choice.hides_one_of(total)
    if stored != visible or any(count != total for count in counts):
        raise UnreadableMediaError(
            f"Of {total} decoded frames {stored} were stored and {counts} went into segments.", frames=total
        )
    return visible
