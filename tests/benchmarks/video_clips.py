"""Clips like a camera's: a natural still, panned, with things that move, and noise."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from beagle.media.video.ffmpeg import find_ffmpeg

if TYPE_CHECKING:
    from pathlib import Path

KINDS = {"camera": (3, 1.45), "noisy": (10, 1.45), "detailed": (3, 1.15)}
"""How strong the noise is, and how steeply detail falls off: with 1.15 the finest is strong."""


RATE = 30


@dataclass(frozen=True, slots=True)
class Shape:
    """How large a clip is, and how long."""

    width: int
    height: int
    seconds: int

    @property
    def frames(self) -> int:
        return self.seconds * RATE


def make_clip(path: Path, kind: str, shape: Shape) -> None:
    """Write a clip with sound, and a key frame every 250 frames."""
    noise, steepness = KINDS[kind]
    width, height, seconds = shape.width, shape.height, shape.seconds
    still = _still(width + 240, height + 60, steepness)
    moving = f"testsrc2=s={width // 5}x{height // 5}:r={RATE}:d={seconds}"
    graph = (
        f"[0:v]loop=loop=-1:size=1,fps={RATE},trim=duration={seconds},setpts=N/{RATE}/TB,"
        f"crop={width}:{height}:'t*20':'t*5'[still];"
        f"[still][1:v]overlay='100+40*t':'{height // 3}',noise=alls={noise}:allf=t,format=yuv420p[v]"
    )
    subprocess.run(
        [
            *(find_ffmpeg().path, "-v", "error", "-y"),
            *("-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width + 240}x{height + 60}", "-r", str(RATE)),
            *("-i", "pipe:0", "-f", "lavfi", "-i", moving, "-f", "lavfi", "-i", f"sine=f=440:d={seconds}"),
            *("-filter_complex", graph, "-map", "[v]", "-map", "2:a", "-t", str(seconds)),
            *("-c:v", "libx264", "-preset", "faster", "-b:v", f"{width * height * 4 // 1000}k", "-g", "250"),
            *("-c:a", "aac", "-b:a", "128k", path),
        ],
        input=still.tobytes(),
        check=True,
    )


def _still(width: int, height: int, steepness: float) -> np.ndarray:
    """Return a picture with the statistics of nature, and thirty hard-edged patches."""
    rng = np.random.default_rng(7)
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None, :])
    frequency[0, 0] = 1

    def plane(steepness: float, spread: float) -> np.ndarray:
        phases = np.exp(2j * np.pi * rng.random(frequency.shape))
        picture = np.fft.irfft2(phases / frequency**steepness, (height, width))
        return spread * (picture - picture.mean()) / picture.std()

    light = plane(steepness, 45)
    planes = [np.clip(128 + light + plane(1.8, 20), 0, 255).astype(np.uint8) for _ in range(3)]
    still = np.stack(planes, axis=-1)
    for _ in range(30):
        x, y = rng.integers(0, width - 80), rng.integers(0, height - 80)
        still[y : y + rng.integers(8, 80), x : x + rng.integers(8, 80)] = rng.integers(0, 256, 3)
    return still
