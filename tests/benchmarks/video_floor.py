"""The least that a video's artifacts can cost: each step that cannot be left out, measured alone.

One decode; both x264 encoders with our settings, and the scaling before one of them; every visible frame as
PNG or JPEG, and its preview. Not in it: pipes, the interpreter, thumbnail, sound, looking at the file first.
"""

from __future__ import annotations

import subprocess
import tempfile
import time
from typing import TYPE_CHECKING

from beagle.media.video import graph
from beagle.media.video.ffmpeg import find_ffmpeg
from beagle.media.video.png import PngEncoder, layout_of
from benchmarks.process_cost import cost_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from benchmarks.video_clips import Shape

_EVERY, _SAMPLE = 8, 30
"""Which frames, and how many of them, tell what a PNG takes."""
_SCALE = ("-vf", graph.LOW)


class Floor:
    """What each step takes on one clip, in seconds of processor: what it adds to a decode."""

    def __init__(
        self, clip: Path, shape: Shape, profiles: Iterable[str], qualities: set[int], work: Path
    ) -> None:
        self._clip = clip
        self._shape = shape
        self._work = work
        self._decode = self._run()
        scale = self._run(*_SCALE) - self._decode
        self._segments = {
            profile: scale
            + (self._run(*graph.x264_arguments("high", profile)) - self._decode)
            + (self._run(*_SCALE, *graph.x264_arguments("low", profile)) - self._decode - scale)
            for profile in profiles
        }
        self._jpegs = {
            quality: self._run("-c:v", "mjpeg", "-q:v", str(quality)) - self._decode
            for quality in {*qualities, graph.PREVIEW_QUALITY}
        }
        self._pngs = self._run("-pix_fmt", "rgb24") - self._decode + self._png_seconds() * shape.frames

    def seconds(self, profile: str, jpeg_quality: int | None, visible: float) -> float:
        """Return the floor of a case; `visible` is the share of frames that become pictures."""
        qualities = {graph.PREVIEW_QUALITY, jpeg_quality} - {None}
        pictures = sum(self._jpegs[quality] for quality in qualities)
        if jpeg_quality is None:
            pictures += self._pngs
        return self._decode + self._segments[profile] + visible * pictures

    def _command(self, *output: str) -> list[object]:
        return [find_ffmpeg().path, "-v", "error", "-i", self._clip, "-map", "0:V:0", *output]

    def _run(self, *output: str) -> float:
        """Return what it takes to decode, and to make one output that is thrown away."""
        return cost_of(self._command(*output, "-f", "null", "-"), self._work).cpu

    def _png_seconds(self) -> float:
        """Return what a frame takes from pixels to a written PNG, the mean of some all over the clip."""
        spread = f"select=not(mod(n\\,{_EVERY}))"
        some = (*("-vf", spread), *("-fps_mode", "passthrough"), *("-frames:v", str(_SAMPLE)))
        command = self._command(*some, "-pix_fmt", "rgb24", "-f", "rawvideo", "-")
        pixels = memoryview(subprocess.run(command, check=True, capture_output=True).stdout)
        width, height = self._shape.width, self._shape.height
        length = width * height * 3
        encoder = PngEncoder(width, height, layout_of("yuv420p", deep=False))
        began = time.process_time()
        with tempfile.TemporaryFile() as file:
            for start in range(0, len(pixels), length):
                file.write(encoder.encode(pixels[start : start + length]))
        return (time.process_time() - began) / (len(pixels) // length)
