"""How much memory a video's extraction takes at least, and whether there is so much: before it is decoded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from beagle.domain.errors import MediaTooLargeError

if TYPE_CHECKING:
    from beagle.domain.making import VideoOptions
    from beagle.media.video.facts import Facts

_STILLS = 100
"""Bytes a pixel, of ffmpeg and of us: frames on their way from the decoder to PNG files."""
_SEGMENTS, _SEGMENTS_PER_PROCESSOR = 50, 27
"""What the two encoders of segments add: each of their threads works on a frame of its own."""
_DEEP = 60
"""What more than eight bits a colour add."""

_OURS = 512 << 20
"""Bytes of this process, and of what it is about to upload."""


def memory_beside(size: int, memory: int) -> int:
    """Return the bytes that a file of so many leaves for its decoding, where files lie in memory.

    The disk has no end there: without this Linux would kill the process at each download.

    Raises:
        MediaTooLargeError: It leaves none.

    """
    left = memory - _OURS - size
    if left <= 0:
        raise MediaTooLargeError(
            f"It has {size >> 20:,} MB and lies in memory while it is decoded, and the function has "
            f"{memory >> 20:,} in all: more can be given to extract (extract_memory), or it made smaller.",
            size=size,
            memory=memory,
        )
    return left


def least_memory(facts: Facts, options: VideoOptions, processors: int) -> int:
    """Return bytes, all processes together.

    From 620 MB measured at 1920x1080 with two processors and 755 MB with four, at 3840x2160 1,965 and 2,350;
    with ten bits 2,700, as sections 1,000. Up to 200 MB of each are not counted here, nor caution.
    """
    each = _STILLS + (_DEEP if facts.deep else 0)
    if options.shape == "hls":
        each += _SEGMENTS + _SEGMENTS_PER_PROCESSOR * processors
    return facts.width * facts.height * each


def require_memory(facts: Facts, options: VideoOptions, processors: int, memory: int | None) -> None:
    """Check that so many bytes are enough, where they are bounded.

    Raises:
        MediaTooLargeError: Linux would kill the decoder, each time.

    """
    needed = least_memory(facts, options, processors)
    if memory is not None and needed > memory:
        raise MediaTooLargeError(
            f"Frames of {facts.width}x{facts.height} need at least {needed >> 20:,} MB of memory, and the "
            f"function has {memory >> 20:,} for that: more can be given to extract (ExtractMemory, in "
            "Terraform extract_memory), or the video scaled down.",
            needed=needed,
            memory=memory,
        )
