"""The texts that tie a video together, in the form that darwin-py writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

MANIFEST = "frames_manifest.txt"
THUMBNAIL = "thumbnail.jpg"
AUDIO_PEAKS = "audio_peaks.gz"


def segment_name(quality: str, number: int) -> str:
    """Return the name of a segment."""
    return f"segments/{quality}/{number:09d}.ts"


def index_name(quality: str) -> str:
    """Return the name of a quality's playlist."""
    return f"segments/{quality}/index.m3u8"


def manifest_lines(times: Iterable[float], segment_frames: Sequence[int], step: float) -> Iterator[str]:
    """Yield a line for every frame: `frame in segment:segment:visible:seconds`."""
    places = ((frame, number) for number, frames in enumerate(segment_frames) for frame in range(frames))
    visible = 0
    for frame, (time, (place, segment)) in enumerate(zip(times, places, strict=True)):
        is_visible = frame == int(visible * step)
        visible += is_visible
        yield f"{place}:{segment}:{is_visible:d}:{time}"


def playlist(seconds: Sequence[float], line: Callable[[int], str]) -> str:
    """Return a playlist as ffmpeg writes it, `line` naming each segment."""
    longest = max((round(length) for length in seconds), default=0)
    entries = "".join(f"#EXTINF:{length:.6f},\n{line(number)}\n" for number, length in enumerate(seconds))
    return (
        f"#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:{longest}\n#EXT-X-MEDIA-SEQUENCE:0\n"
        f"{entries}#EXT-X-ENDLIST\n"
    )


def bitrate(seconds: Sequence[float], sizes: Sequence[int]) -> float | None:
    """Return the mean of the segments' bit rates, None where no segment lasts."""
    # darwin-py takes the durations from the playlist, where they have six digits.
    rates = [
        size * 8 / round(length, 6) for length, size in zip(seconds, sizes, strict=True) if round(length, 6)
    ]
    return sum(rates) / len(rates) if rates else None
