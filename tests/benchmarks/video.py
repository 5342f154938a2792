"""Beagle against V7's own extractor, on the same clips, in the same run.

    python tests/benchmarks/video.py [--quick] [--darwin-python .cache/darwin-py-venv/bin/python]
                                     [--darwin-ffmpeg /usr/bin/ffmpeg] [--repeat N]

Both sides are whole processes, one after the other: processor seconds include every child, memory is the sum
over the process tree at its worst moment, disk what lay in the working folder at its worst moment (there
darwin-py's artifacts lie; ours go into a folder that stands for the bucket). darwin-py needs an `ffprobe` on
the path, which imageio-ffmpeg's wheel does not bring.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve()
ROOT = HERE.parents[2]
sys.path.insert(0, str(ROOT / "shared"))

from beagle.domain.items import HlsArtifacts  # noqa: E402 - the path comes first
from beagle.media.video.extract import extract_video  # noqa: E402
from beagle.media.video.ffmpeg import find_ffmpeg  # noqa: E402
from beagle.media.video.options import VideoOptions  # noqa: E402

DARWIN = """
import json, sys
from darwin.extractor.video import extract_artifacts
clip, out, fps, quality = sys.argv[1:]
extract_artifacts(clip, out, "pfx", fps=float(fps), primary_frames_quality=int(quality), save_metadata=True)
"""
CASES = [("native", "png"), ("5", "png"), ("native", "jpeg:5"), ("5", "jpeg:5")]


class Hour:
    """Time enough."""

    def remaining(self) -> float:
        return 3600


class Folder:
    """A folder that stands for the bucket."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, name: str, data: bytes, _content_type: str, _content_encoding: str = "") -> None:
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def key(self, name: str) -> str:
        return f"pfx/{name}"


def make_clip(path: Path, size: str, seconds: int) -> None:
    """Write a clip like a camera's: a natural still, panned, with things that move, and noise."""
    width, height = (int(n) for n in size.split("x"))
    rng = np.random.default_rng(7)
    w, h = width + 240, height + 60
    frequency = np.hypot(np.fft.fftfreq(h)[:, None], np.fft.rfftfreq(w)[None, :])
    frequency[0, 0] = 1

    def plane(steepness: float, spread: float) -> np.ndarray:
        picture = np.fft.irfft2(
            np.exp(2j * np.pi * rng.random(frequency.shape)) / frequency**steepness, (h, w)
        )
        return spread * (picture - picture.mean()) / picture.std()

    light = plane(1.45, 45)
    still = np.stack(
        [np.clip(128 + light + plane(1.8, 20), 0, 255).astype(np.uint8) for _ in range(3)], axis=-1
    )
    for _ in range(30):
        x, y = rng.integers(0, w - 80), rng.integers(0, h - 80)
        still[y : y + rng.integers(8, 80), x : x + rng.integers(8, 80)] = rng.integers(0, 256, 3)
    moving = f"testsrc2=s={width // 5}x{height // 5}:r=30:d={seconds}"
    graph = (
        f"[0:v]loop=loop=-1:size=1,fps=30,trim=duration={seconds},setpts=N/30/TB,"
        f"crop={width}:{height}:'t*20':'t*5'[still];"
        f"[still][1:v]overlay='100+40*t':'{height // 3}',noise=alls=3:allf=t,format=yuv420p[v]"
    )
    subprocess.run(
        [
            *(find_ffmpeg().path, "-v", "error", "-y"),
            *("-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{w}x{h}", "-r", "30", "-i", "pipe:0"),
            *("-f", "lavfi", "-i", moving, "-f", "lavfi", "-i", f"sine=f=440:d={seconds}"),
            *("-filter_complex", graph, "-map", "[v]", "-map", "2:a", "-t", str(seconds)),
            *("-c:v", "libx264", "-preset", "faster", "-b:v", f"{width * height * 4 // 1000}k", "-g", "250"),
            *("-c:a", "aac", "-b:a", "128k", path),
        ],
        input=still.tobytes(),
        check=True,
    )


def tree_memory(root: int) -> int:
    """Return the resident bytes of a process and all its descendants."""
    children: dict[int, list[int]] = {}
    sizes: dict[int, int] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        pid = int(entry.parent.name)
        children.setdefault(int(fields[1]), []).append(pid)
        sizes[pid] = int(fields[21]) * resource.getpagesize()
    total, waiting = 0, [root]
    while waiting:
        pid = waiting.pop()
        total += sizes.get(pid, 0)
        waiting += children.get(pid, [])
    return total


def folder_size(folder: Path) -> int:
    """Return the bytes below a folder, as far as they do not vanish while one looks."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                total += (Path(place) / name).lstat().st_size
            except OSError:
                continue
    return total


def measure(command: list[object], work: Path, **env: str) -> dict[str, float]:
    """Run a command with its temporary files in `work`; return what it cost."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    peaks = {"memory": 0, "disk": 0}
    process = subprocess.Popen(
        [str(word) for word in command],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={"PATH": "/usr/bin:/bin", "HOME": str(work), "TMPDIR": str(work), **env},
    )
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.1):
            peaks["memory"] = max(peaks["memory"], tree_memory(process.pid))
            peaks["disk"] = max(peaks["disk"], folder_size(work))

    watcher = threading.Thread(target=look)
    watcher.start()
    _, said = process.communicate()
    over.set()
    watcher.join()
    if process.returncode:
        raise SystemExit(f"{command}: {said.decode()[-2000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"wall": time.monotonic() - began, "cpu": cpu, **peaks}


def pictures(folder: Path, extension: str) -> list[str]:
    """Return a checksum of every picture's pixels, in order."""
    return subprocess.run(
        [
            *(find_ffmpeg().path, "-v", "error", "-i", folder / f"%09d.{extension}"),
            *("-pix_fmt", "rgb48be", "-f", "framemd5", "-"),
        ],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()


def psnr(one: Path, other: Path) -> float:
    """Return how like two pictures are, in decibel."""
    raw = [
        subprocess.run(
            [find_ffmpeg().path, "-v", "error", "-i", path, "-pix_fmt", "rgb24", "-f", "rawvideo", "-"],
            check=True,
            capture_output=True,
        ).stdout
        for path in (one, other)
    ]
    if len(raw[0]) != len(raw[1]):
        return 0
    a, b = (np.frombuffer(data, np.uint8).astype(float) for data in raw)
    error = ((a - b) ** 2).mean()
    return 10 * math.log10(255**2 / error) if error else math.inf


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


def compare(ours: Path, theirs: Path, clip: Path, extension: str) -> dict[str, object]:
    """Hold our artifacts against darwin-py's."""
    manifests = [(side / "frames_manifest.txt").read_text() for side in (ours, theirs)]
    counts = [[line.rsplit(":", 2)[0] for line in text.splitlines()] for text in manifests]
    indices = [(side / "segments/high/index.m3u8").read_text() for side in (ours, theirs)]
    said = {
        "frames pixel-equal": pictures(ours / "sections/high", extension)
        == pictures(theirs / "sections/high", extension),
        "previews pixel-equal": pictures(ours / "sections/low", "jpg")
        == pictures(theirs / "sections/low", "jpg"),
        "manifest equal": manifests[0] == manifests[1],
        "segment frames equal": counts[0] == counts[1],
        "playlist equal": indices[0] == indices[1],
        "thumbnail dB": round(psnr(ours / "thumbnail.jpg", theirs / "thumbnail.jpg"), 1),
        "png bytes": round(folder_size(ours / "sections/high") / folder_size(theirs / "sections/high"), 3),
    }
    for quality in ("high", "low"):
        sizes = [folder_size(side / "segments" / quality) for side in (ours, theirs)]
        likeness = [ssim(side / "segments" / quality, clip) for side in (ours, theirs)]
        said[f"{quality} bytes"] = round(sizes[0] / sizes[1], 3)
        said[f"{quality} SSIM"] = f"{likeness[0]:.4f} ({likeness[0] - likeness[1]:+.4f})"
    return said


def run_ours(clip: str, out: str, fps: str, frames: str, profile: str) -> None:
    """Extract once; this process is what is measured."""
    options = VideoOptions(fps="native" if fps == "native" else float(fps), frames=frames, profile=profile)
    made = extract_video(Path(clip), Folder(Path(out)), options, Hour())
    assert isinstance(made, HlsArtifacts)


def darwin_path(work: Path, ffmpeg: Path) -> str:
    """Return a PATH on which darwin-py finds an ffmpeg whose version it can read."""
    folder = work / "bin"
    folder.mkdir(exist_ok=True)
    wrapper = folder / "ffmpeg"
    wrapper.write_text(
        f'#!/bin/sh\n[ "$1" = -version ] && echo "ffmpeg version 9.0" && exit\nexec {ffmpeg} -nostdin "$@"\n'
    )
    wrapper.chmod(0o755)
    return f"{folder}:/usr/bin:/bin"


def race(clip: Path, case: tuple[str, str], args: argparse.Namespace, work: Path) -> None:
    """Run darwin-py and both our profiles on one clip; print a block of the table."""
    fps, frames = case
    quality = "1" if frames == "png" else frames.partition(":")[2]
    extension = "png" if frames == "png" else "jpg"
    path = darwin_path(work, args.darwin_ffmpeg)
    theirs, temporary = work / "theirs", work / "tmp"
    base = None
    for profile in args.profiles:
        for _ in range(args.repeat):
            shutil.rmtree(theirs, ignore_errors=True)
            theirs.mkdir()
            rate = "0" if fps == "native" else fps
            command = [args.darwin_python, "-c", DARWIN, clip, theirs, rate, quality]
            base = measure(command, theirs, PATH=path)
            ours = work / "ours"
            shutil.rmtree(ours, ignore_errors=True)
            temporary.mkdir(exist_ok=True)
            cost = measure([sys.executable, HERE, "--extract", clip, ours, fps, frames, profile], temporary)
            said = compare(ours, theirs, clip, extension)
            line = {
                "clip": clip.name,
                "fps": fps,
                "frames": frames,
                "profile": profile,
                "cpu": f"{base['cpu']:.1f} / {cost['cpu']:.1f} = {base['cpu'] / cost['cpu']:.2f}x",
                "wall": f"{base['wall']:.1f} / {cost['wall']:.1f} = {base['wall'] / cost['wall']:.2f}x",
                "memory MB": f"{base['memory'] / 1e6:.0f} / {cost['memory'] / 1e6:.0f}",
                "disk MB": f"{base['disk'] / 1e6:.1f} / {cost['disk'] / 1e6:.1f}",
                **said,
            }
            print("  ".join(f"{name}: {value}" for name, value in line.items()), flush=True)  # noqa: T201


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a small clip and two cases")
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--clip", type=Path)
    parser.add_argument("--cases", nargs="*", help="fps,frames such as native,png")
    parser.add_argument("--profiles", nargs="*", default=["fast", "equal"])
    parser.add_argument("--darwin-python", type=Path, default=ROOT / ".cache/darwin-py-venv/bin/python")
    parser.add_argument("--darwin-ffmpeg", type=Path, default=find_ffmpeg().path)
    parser.add_argument("--extract", nargs=5, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.extract:
        run_ours(*args.extract)
        return
    if not shutil.which("ffprobe"):
        raise SystemExit("darwin-py needs an ffprobe on the path")
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        clip = args.clip or work / ("clip360.mp4" if args.quick else "clip1080.mp4")
        if not args.clip:
            make_clip(clip, *(("640x360", 4) if args.quick else ("1920x1080", 8)))
        cases = [tuple(case.split(",")) for case in args.cases] if args.cases else CASES
        for case in cases[:2] if args.quick else cases:
            race(clip, case, args, work)
        print(json.dumps({"ffmpeg": str(args.darwin_ffmpeg)}))  # noqa: T201


if __name__ == "__main__":
    main()
