"""Our artifacts of a video held against darwin-py's, both made with the same ffmpeg."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from beagle.media.video.ffmpeg import find_ffmpeg

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Likeness:
    """What differs, and how much like the clip the segments are for their size."""

    differs: tuple[str, ...]
    thumbnail: float
    """How like our thumbnail is to darwin-py's: peak signal to noise, in decibels."""
    segments: dict[str, str]
    """For each quality: our bytes by darwin-py's, and how our SSIM to the clip differs from darwin-py's."""


def compare(ours: Path, theirs: Path, clip: Path, extension: str) -> Likeness:
    """Hold our artifacts against darwin-py's."""
    pairs = {
        "frames": [_pixels(side / "sections/high", extension) for side in (ours, theirs)],
        "previews": [_pixels(side / "sections/low", "jpg") for side in (ours, theirs)],
        "manifest": [(side / "frames_manifest.txt").read_text() for side in (ours, theirs)],
        "playlist": [(side / "segments/high/index.m3u8").read_text() for side in (ours, theirs)],
    }
    segments = {}
    for quality in ("high", "low"):
        folders = [side / "segments" / quality for side in (ours, theirs)]
        size, their_size = (sum(path.stat().st_size for path in folder.glob("*.ts")) for folder in folders)
        likeness, their_likeness = (ssim(folder, clip) for folder in folders)
        segments[quality] = f"{size / their_size:.3f}, {likeness - their_likeness:+.4f}"
    differs = tuple(name for name, (one, other) in pairs.items() if one != other)
    return Likeness(differs, psnr(ours / "thumbnail.jpg", theirs / "thumbnail.jpg"), segments)


def psnr(one: Path, other: Path) -> float:
    """Return the peak signal to noise ratio of two pictures of one size, in decibels."""
    first, second = (np.asarray(Image.open(path).convert("RGB"), float) for path in (one, other))
    return float(10 * np.log10(255**2 / max(((first - second) ** 2).mean(), 1e-9)))


def _pixels(folder: Path, extension: str) -> str:
    """Return a checksum of every picture's pixels, in order."""
    return subprocess.run(
        [
            *(find_ffmpeg().path, "-v", "error", "-i", folder / f"%09d.{extension}"),
            *("-pix_fmt", "rgb48be", "-f", "framemd5", "-"),
        ],
        check=True,
        capture_output=True,
        text=True,
    ).stdout


def ssim(folder: Path, clip: Path) -> float:
    """Return how like a stream's frames are to the clip's."""
    joined = "concat:" + "|".join(str(path) for path in sorted(folder.glob("*.ts")))
    graph = "[1:v][0:v]scale2ref=flags=bicubic[b][a];[a]setpts=N/TB[x];[b]setpts=N/TB[y];[x][y]ssim"
    said = subprocess.run(
        [find_ffmpeg().path, "-v", "info", "-i", joined, "-i", clip, "-lavfi", graph, "-f", "null", "-"],
        check=True,
        capture_output=True,
        text=True,
    ).stderr
    return float(said.split("All:")[1].split()[0])
