"""Our artifacts of a video held against darwin-py's, both made with the same ffmpeg."""

from __future__ import annotations

import gzip
import subprocess
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from beagle.media.video.ffmpeg import find_ffmpeg

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


SAME = ("frames", "previews", "times", "peaks", "counts")
"""What is darwin-py's whatever the profile, each frame's time and visibility among it; and that our manifest
counts as many frames in each segment as there are."""
LAYOUT = ("manifest", "high playlist", "low playlist")
"""What tells where segments begin."""
_LEAST = 35.0
"""Decibels: darwin-py's thumbnail is a JPEG, and so is ours."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """What differs, and how much like the clip the segments are for their size."""

    differs: tuple[str, ...]
    thumbnail: float
    """How like our thumbnail is to darwin-py's: peak signal to noise, in decibels."""
    segments: dict[str, str]
    """For each quality: our bytes by darwin-py's, and how our SSIM to the clip differs from darwin-py's."""

    def faults(self, same: Sequence[str]) -> Iterator[str]:
        """Yield what differs of that which must be the same."""
        for name in same:
            if name in self.differs:
                yield f"the {name} differ" if name.endswith("s") else f"the {name} differs"
        if not self.thumbnail >= _LEAST:
            yield f"the thumbnail has {self.thumbnail:.1f} dB, and must have {_LEAST:.0f}"


def compare(ours: Path, theirs: Path, clip: Path, extension: str) -> Likeness:
    """Hold our artifacts against darwin-py's."""
    sides = [_read(side, extension) for side in (ours, theirs)]
    segments = {}
    for quality in ("high", "low"):
        folders = [side / "segments" / quality for side in (ours, theirs)]
        size, their_size = (sum(path.stat().st_size for path in folder.glob("*.ts")) for folder in folders)
        likeness, their_likeness = (ssim(folder, clip) for folder in folders)
        segments[quality] = f"{size / their_size:.3f}, {likeness - their_likeness:+.4f}"
    differs = [name for name in sides[0] if sides[0][name] != sides[1][name]]
    counted = list(Counter(line[1] for line in _manifest(ours)).values())
    if any(counted != _frames_of_segments(ours / "segments" / quality) for quality in ("high", "low")):
        differs.append("counts")
    return Likeness(tuple(differs), psnr(ours / "thumbnail.jpg", theirs / "thumbnail.jpg"), segments)


def _read(side: Path, extension: str) -> dict[str, object]:
    """Return what must be compared letter by letter, or pixel by pixel."""
    manifest = _manifest(side)
    return {
        "frames": _pixels(side / "sections/high", extension),
        "previews": _pixels(side / "sections/low", "jpg"),
        "peaks": gzip.decompress((side / "audio_peaks.gz").read_bytes()),
        "times": [line[2:] for line in manifest],
        "manifest": manifest,
        "high playlist": (side / "segments/high/index.m3u8").read_text(),
        "low playlist": (side / "segments/low/index.m3u8").read_text(),
    }


def _manifest(side: Path) -> list[list[str]]:
    """Return the manifest's lines, each as frame in segment, segment, visible, seconds."""
    return [line.split(":") for line in (side / "frames_manifest.txt").read_text().splitlines()]


def _frames_of_segments(folder: Path) -> list[int]:
    """Return how many frames there are in each segment."""
    counts = []
    for path in sorted(folder.glob("*.ts")):
        command = [
            find_ffmpeg().path,
            "-v",
            "error",
            "-i",
            path,
            "-map",
            "0:v",
            "-c",
            "copy",
            "-f",
            "framecrc",
            "-",
        ]
        listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        counts.append(sum(not line.startswith("#") for line in listed.splitlines()))
    return counts


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
