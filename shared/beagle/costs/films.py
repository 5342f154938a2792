"""What one video asks of extract: cut and paced by the code that cuts and paces it."""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING

from beagle.costs import measured
from beagle.costs.deployments import EXTRACT_AT_ONCE, Deployment
from beagle.domain.errors import MediaTooLargeError
from beagle.media.maker import PART_OF_THE_TIME
from beagle.media.video.cuts import CAUTION, frames_a_second, plan_parts
from beagle.media.video.facts import Facts
from beagle.media.video.ffmpeg import Bounds
from beagle.media.video.grid import segment_starts
from beagle.media.video.memory import require_memory

if TYPE_CHECKING:
    from beagle.costs.workload import Clip

KEY_FRAME_EVERY = 250
"""Frames: x264's own choice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Film:
    """One video on one provider."""

    frames: int
    visible: int
    """Of them: each is stored, with a preview."""
    segments: int
    parts: int
    artifact_mb: float
    processor_seconds: float
    seconds: float
    """Of one invocation that extracts a part, or the whole."""
    planning_seconds: float
    """Of the invocation that cuts it; 0 where it is not cut."""
    waits_for_network: bool
    """Whether bytes, not processors, set the pace."""
    is_parcel: bool
    """Whether its item is too large for a queue's message."""
    fits: bool

    @property
    def writes(self) -> int:
        """Return how many artifacts there are."""
        return (
            self.visible * measured.WRITES_A_FRAME
            + self.segments * measured.WRITES_A_SEGMENT
            + measured.WRITES_A_VIDEO
        )

    @property
    def invocations(self) -> int:
        """Return how often extract runs: for each part, and to cut."""
        return self.parts + (self.parts > 1)

    @property
    def wall_seconds(self) -> float:
        """Return how long it takes on its own, as many parts at a time as are allowed."""
        return self.planning_seconds + math.ceil(self.parts / EXTRACT_AT_ONCE) * self.seconds


@cache
def plan_film(clip: Clip, deployment: Deployment) -> Film:
    """Return what the video asks of a provider."""
    facts, options, extract = facts_of(clip), clip.options, deployment.extract
    frames, megapixels = len(facts.times), clip.width * clip.height / 1e6
    visible = math.ceil(frames / options.step(facts.native_fps))
    speed = frames_a_second(facts, options, extract.processors)
    parts = len(plan_parts(facts, deployment.invocation_seconds * PART_OF_THE_TIME, speed))
    segments = sum(1 for _ in segment_starts(facts))
    primary = measured.PNG_MB_A_MEGAPIXEL if options.jpeg_quality is None else measured.JPEG_MB_A_MEGAPIXEL
    mb = megapixels * (
        visible * (primary + measured.JPEG_MB_A_MEGAPIXEL)
        + clip.seconds * measured.SEGMENT_MB_A_MEGAPIXEL_SECOND
    )
    processor_seconds = frames / (frames_a_second(facts, options, 1) * CAUTION)
    drawing = processor_seconds / parts / extract.processors
    sending = mb / parts / measured.MB_A_SECOND
    reading = measured.VIDEO_READS * measured.STORE_SECONDS + clip.mb / measured.MB_A_SECOND
    return Film(
        frames=frames,
        visible=visible,
        segments=segments,
        parts=parts,
        artifact_mb=mb,
        processor_seconds=processor_seconds,
        seconds=reading + max(drawing, sending) + measured.QUEUE_SECONDS,
        planning_seconds=reading if parts > 1 else 0,
        waits_for_network=sending > drawing,
        is_parcel=2 * segments * measured.MESSAGE_BYTES_A_SEGMENT + measured.MESSAGE_BYTES
        > deployment.message_bytes,
        fits=clip.mb <= deployment.room_gb * 1000,
    )


def why_refused(clip: Clip, deployment: Deployment) -> str:
    """Return why extract would refuse the video before it decodes anything; empty where it would not."""
    facts, bounds, extract = facts_of(clip), Bounds(), deployment.extract
    if not plan_film(clip, deployment).fits:
        return f"{clip.mb:,.0f} MB are more than the {deployment.room_gb:g} GB of {deployment.why_room}."
    if len(facts.times) > bounds.frames:
        return f"{len(facts.times):,} frames are more than {bounds.frames:,}."
    if facts.width * facts.height > bounds.pixels:
        return f"Frames of {facts.width}x{facts.height} have more than {bounds.pixels:,} pixels."
    try:
        require_memory(facts, clip.options, round(extract.processors), int(extract.gb * 1024**3))
    except MediaTooLargeError as error:
        return str(error)
    return ""


def facts_of(clip: Clip) -> Facts:
    """Return what a probe would say of the video, were its frames evenly spaced."""
    frames = max(round(clip.seconds * clip.rate), 1)
    return Facts(
        codec="h264",
        width=clip.width,
        height=clip.height,
        pixel_format="yuv420p",
        native_fps=float(clip.rate),
        time_base=Fraction(1, clip.rate),
        times=array("q", range(frames)),
        keys=array("q", range(0, frames, KEY_FRAME_EVERY)),
        seconds=clip.seconds,
        audio_rate=48_000,
        square=True,
    )
