"""Clips like a camera's: natural stills, panned, with things that move, and noise."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from beagle.media.video.ffmpeg import find_ffmpeg

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Kind:
    """How a clip looks."""

    noise: int = 3
    steepness: float = 1.45
    """How steeply detail falls off: with 1.15 the finest is strong."""
    begins: tuple[float, ...] = (0,)
    """Where scenes begin, as shares of the clip."""


KINDS = {
    "camera": Kind(),
    "noisy": Kind(noise=10),
    "detailed": Kind(steepness=1.15),
    "cuts": Kind(begins=(0, 0.13, 0.37, 0.61, 0.83)),
}
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
    look = KINDS[kind]
    width, height, seconds = shape.width, shape.height, shape.seconds
    stills = (_still(width + 240, height + 60, look.steepness, seed) for seed, _ in enumerate(look.begins, 7))
    begins = "+".join(f"eq(N,{number})*{share * seconds}" for number, share in enumerate(look.begins))
    moving = f"testsrc2=s={width // 5}x{height // 5}:r={RATE}:d={seconds}"
    graph = (
        f"[0:v]setpts='({begins})/TB',tpad=stop_mode=clone:stop_duration={seconds},fps={RATE},"
        f"trim=duration={seconds},setpts=N/{RATE}/TB,"
        f"crop={width}:{height}:'t*20':'t*5'[still];"
        f"[still][1:v]overlay='100+40*t':'{height // 3}',noise=alls={look.noise}:allf=t,format=yuv420p[v]"
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
        input=b"".join(still.tobytes() for still in stills),
        check=True,
    )


def _still(width: int, height: int, steepness: float, seed: int) -> np.ndarray:
    """Return a picture with the statistics of nature, and thirty hard-edged patches."""
    rng = np.random.default_rng(seed)
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
