"""Extracts a video part by part, and joins what the parts left behind.

A part needs nothing of the others: another process on another machine may extract it, or the same one again.
All write artifacts of the same names as one run over the whole video would, with the same frames. What is
joined in the end is numbers only: `join_parts` reads neither the video nor an artifact.

    facts = probe(path, ffmpeg, deadline)
    parts = plan_parts(facts, seconds_per_invocation=600, speed=frames_a_second(facts, options, 4))
    results = [extract_part(path, facts, part, ...) for part in parts]      # anywhere, in any order
    artifacts = join_parts(results, sink, options)
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

from beagle.domain.items import HlsArtifacts, HlsStream, Section, SectionsArtifacts
from beagle.media.room import processors
from beagle.media.video.audio import extract_peaks
from beagle.media.video.cuts import Part, frames_a_second, plan_parts, whole
from beagle.media.video.frames import HIGH, LOW, frame_name
from beagle.media.video.manifest import (
    AUDIO_PEAKS,
    MANIFEST,
    THUMBNAIL,
    bitrate,
    index_name,
    manifest_lines,
    playlist,
    segment_name,
)
from beagle.media.video.outgoing import Outgoing
from beagle.media.video.runner import Made, Progress, extract_frames
from beagle.media.video.segments import durations
from beagle.media.video.thumbnail import extract_thumbnail, shrink

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from beagle.domain.making import VideoOptions
    from beagle.media.video.facts import Facts
    from beagle.media.video.ffmpeg import Ffmpeg
    from beagle.ports import ArtifactSink, Deadline

__all__ = ["Part", "PartResult", "extract_part", "frames_a_second", "join_parts", "plan_parts", "whole"]

_PUTS_AT_ONCE = 8
_PLAYLIST = "application/vnd.apple.mpegurl"


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamResult:
    """One quality's segments in a part, in order."""

    frames: list[int]
    sizes: list[int]
    seconds: list[float]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartResult:
    """What joining needs to know of a part; plain numbers, about 12 bytes of JSON a frame."""

    number: int
    parts: int
    width: int
    height: int
    native_fps: float
    times: list[float]
    """When each frame is shown, in seconds."""
    visible: int
    streams: dict[str, StreamResult]
    has_peaks: bool

    def to_json(self) -> dict[str, Any]:
        """Return what `from_json` reads."""
        return asdict(self)

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> Self:
        """Return the result that `to_json` wrote."""
        streams = {quality: StreamResult(**stream) for quality, stream in fields["streams"].items()}
        return cls(**{**fields, "streams": streams})


def extract_part(  # noqa: PLR0913, PLR0917 - what, of what, how, and where to
    path: Path,
    facts: Facts,
    part: Part,
    sink: ArtifactSink,
    options: VideoOptions,
    deadline: Deadline,
    *,
    ffmpeg: Ffmpeg,
    progress: Progress = lambda _done, _total: None,
    workers: int | None = None,
) -> PartResult:
    """Put all artifacts of a part into the sink; return what `join_parts` needs of it.

    The first part also makes the audio peaks of the whole video, the one in the middle the thumbnail.

    Raises:
        VerdictError: The video cannot be extracted.
        ServiceError: Not now: no time left, no progress, or the sink does not take artifacts.

    """
    workers = workers or processors()
    with Outgoing(sink, _PUTS_AT_ONCE) as outgoing:
        made = extract_frames(
            path,
            facts,
            part,
            options,
            outgoing,
            ffmpeg=ffmpeg,
            workers=workers,
            deadline=deadline,
            progress=progress,
        )
        if part.has_middle:
            if made.middle and len(made.times) == part.frames:
                picture = shrink(made.middle, ffmpeg, deadline)
            else:
                middle = len(made.times) // 2
                picture = extract_thumbnail(path, made.stamps[middle], made.times[middle], ffmpeg, deadline)
            outgoing.put(THUMBNAIL, picture, "image/jpeg")
        wants_peaks = part.has_sound_peaks and facts.audio_rate and options.shape == "hls"
        peaks = extract_peaks(path, facts, ffmpeg, deadline) if wants_peaks else None
        if peaks:
            outgoing.put(AUDIO_PEAKS, peaks, "application/octet-stream", "gzip")
    width, height = made.size
    return PartResult(
        number=part.number,
        parts=part.parts,
        width=width,
        height=height,
        native_fps=facts.native_fps,
        times=made.times,
        visible=made.visible,
        streams=_streams(facts, part, made),
        has_peaks=bool(peaks),
    )


def _streams(facts: Facts, part: Part, made: Made) -> dict[str, StreamResult]:
    end = None
    if part.end is not None:
        end = float((part.end - made.stamps[0]) * facts.time_base)
    return {
        quality: StreamResult(
            frames=[segment.frames for segment in stream.segments],
            sizes=[segment.size for segment in stream.segments],
            seconds=durations(stream.segments, 1 / (facts.native_fps or 25), end),
        )
        for quality, stream in made.streams.items()
    }


def join_parts(
    results: Sequence[PartResult], sink: ArtifactSink, options: VideoOptions
) -> HlsArtifacts | SectionsArtifacts:
    """Write the manifest and the playlists over all parts; return what Darwin is told.

    `results` are those of all parts, in any order; `sink` and `options` the ones of the parts.
    """
    parts = sorted(results, key=lambda result: result.number)
    if [result.number for result in parts] != list(range(parts[0].parts)):
        raise ValueError("these are not all parts of one video")
    first, visible = parts[0], sum(result.visible for result in parts)
    if options.shape == "sections":
        return SectionsArtifacts(
            thumbnail_key=sink.key(THUMBNAIL),
            sections=tuple(_section(first, number, sink, options) for number in range(visible)),
        )
    times = [time for result in parts for time in result.times]
    counts = [frames for result in parts for frames in result.streams["high"].frames]
    lines = manifest_lines(times, counts, options.step(first.native_fps))
    sink.put(MANIFEST, "\n".join(lines).encode(), "text/plain")
    return HlsArtifacts(
        thumbnail_key=sink.key(THUMBNAIL),
        width=first.width,
        height=first.height,
        native_fps=first.native_fps,
        visible_frames=visible,
        total_frames=len(times),
        high=_join_stream(parts, "high", sink),
        low=_join_stream(parts, "low", sink),
        sections_prefix=sink.key(HIGH),
        sections_extension=options.extension,
        low_sections_prefix=sink.key(LOW) if options.preview_frames else None,
        frames_manifest_key=sink.key(MANIFEST),
        audio_peaks_key=sink.key(AUDIO_PEAKS) if first.has_peaks else None,
    )


def _section(result: PartResult, number: int, sink: ArtifactSink, options: VideoOptions) -> Section:
    return Section(
        width=result.width,
        height=result.height,
        high_key=sink.key(frame_name(HIGH, number, options.extension)),
        low_key=sink.key(frame_name(LOW, number, "jpg")) if options.preview_frames else None,
    )


def _join_stream(parts: Sequence[PartResult], quality: str, sink: ArtifactSink) -> HlsStream:
    streams = [result.streams[quality] for result in parts]
    seconds = [length for stream in streams for length in stream.seconds]
    beside = playlist(seconds, lambda number: f"{number:09d}.ts")
    sink.put(index_name(quality), beside.encode(), _PLAYLIST)
    return HlsStream(
        index=playlist(seconds, lambda number: sink.key(segment_name(quality, number))),
        bitrate=bitrate(seconds, [size for stream in streams for size in stream.sizes]),
    )
