"""A video's artifacts in one go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from beagle.media.timely import TimelySink
from beagle.media.video.cuts import whole
from beagle.media.video.ffmpeg import Ffmpeg, find_ffmpeg
from beagle.media.video.parts import extract_part, join_parts
from beagle.media.video.probe import probe

if TYPE_CHECKING:
    from pathlib import Path

    from beagle.domain.items import HlsArtifacts, SectionsArtifacts
    from beagle.domain.making import VideoOptions
    from beagle.media.video.runner import Progress
    from beagle.ports import ArtifactSink, Deadline


def extract_video(  # noqa: PLR0913 - what, how, and where to
    path: Path,
    sink: ArtifactSink,
    options: VideoOptions,
    deadline: Deadline,
    *,
    progress: Progress = lambda _done, _total: None,
    ffmpeg: Ffmpeg | None = None,
    workers: int | None = None,
) -> HlsArtifacts | SectionsArtifacts:
    """Put all artifacts of a video into the sink while they are made; return what Darwin is told.

    The disk is not used, and memory does not grow with the video's length but for some bytes a frame. The
    same video gives artifacts of the same names; a run after a broken one overwrites what that left.

    Raises:
        VerdictError: The video cannot be extracted: damaged, unsupported, too large.
        ServiceError: Not now: no time left, no progress, or the sink does not take artifacts.

    """
    ffmpeg = ffmpeg or find_ffmpeg()
    facts = probe(path, ffmpeg, deadline)
    part = whole(facts)
    timely = TimelySink(sink, deadline)
    result = extract_part(
        path, facts, part, timely, options, deadline, ffmpeg=ffmpeg, progress=progress, workers=workers
    )
    return join_parts([result], timely, options)
