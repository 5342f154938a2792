"""Thumbnails against ImageMagick: the same images, in one run, side by side.

`python tests/benchmarks/thumbnails.py [--rounds N] [--quick]` prints a table. The other side is what V7's
documentation suggests: `mogrify -resize "356x200>" -format jpg -quality 50`, a new process for each image.
"""

from __future__ import annotations

import argparse
import io
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageChops, ImageStat

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "shared")]

from beagle.media.child import Children  # noqa: E402 - the path comes first
from beagle.media.stills import make_still  # noqa: E402
from benchmarks.one_thumbnail import File, Kept  # noqa: E402
from benchmarks.rows import Row  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

THEIRS = "out/image.jpg"
RESIZE = ["-resize", "356x200>"]
TWELVE, FIFTY = (4032, 3024), (8688, 5792)
CASES: dict[str, tuple[tuple[int, int], str, dict[str, object]]] = {
    "12 MP JPEG": (TWELVE, "jpg", {"quality": 90}),
    "12 MP JPEG, progressive": (TWELVE, "jpg", {"quality": 90, "progressive": True}),
    "50 MP JPEG": (FIFTY, "jpg", {"quality": 90}),
    "12 MP PNG": (TWELVE, "png", {}),
    "12 MP TIFF, LZW": (TWELVE, "tif", {"compression": "tiff_lzw"}),
    "12 MP WebP": (TWELVE, "webp", {"quality": 85}),
    "12 MP AVIF": (TWELVE, "avif", {"quality": 70, "speed": 9}),
}
FRESH = Path(__file__).with_name("one_thumbnail.py")


@dataclass(frozen=True)
class Cost:
    """What one thumbnail took: seconds of processor and clock, and megabytes at the peak."""

    cpu: float
    wall: float
    memory: float

    def __str__(self) -> str:
        return f"{self.cpu * 1000:.0f} ms, {self.wall * 1000:.0f} ms, {self.memory:.0f} MB"


def picture(width: int, height: int) -> Image.Image:
    """Return something like a photograph: structure at every scale, and a little noise."""
    channels = []
    for _ in range(3):
        channel = Image.effect_noise((width, height), 12)
        for step, share in ((8, 0.35), (64, 0.5), (512, 0.6)):
            coarse = Image.effect_noise((width // step + 2, height // step + 2), 110)
            channel = Image.blend(channel, coarse.resize((width, height), Image.Resampling.BICUBIC), share)
        channels.append(channel)
    return Image.merge("RGB", channels)


def paint(name: str, folder: Path) -> Path:
    """Make the file of a case."""
    size, suffix, options = CASES[name]
    (folder / "out").mkdir()
    path = folder / f"image.{suffix}"
    picture(*size).save(path, **options)
    return path


def apart(work: Callable[..., Any], *arguments: object) -> Any:
    """Do something in a process of its own: what we start next would inherit our memory's high-water mark."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(work, *arguments).result()


def cost_of_process(command: Sequence[str], **options: object) -> Cost:
    """Return what a process and its own children took, from its start to its end."""
    before = time.perf_counter()
    process = subprocess.Popen(command, **options)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return Cost(usage.ru_utime + usage.ru_stime, time.perf_counter() - before, usage.ru_maxrss / 1024)


def cost_of_mogrify(path: Path, folder: Path) -> Cost:
    """Return what ImageMagick takes for one image."""
    out = str((folder / THEIRS).parent)
    return cost_of_process(["mogrify", "-path", out, "-format", "jpg", *RESIZE, "-quality", "50", str(path)])


def cost_warm(children: Children, path: Path) -> Cost:
    """Return what a thumbnail takes in a worker that has drawn one before: parent and child together."""
    child = children._idle[0].id
    cpu, wall = time.process_time() + cpu_of(child), time.perf_counter()
    make_still(File(path), Kept(), children=children)
    wall = time.perf_counter() - wall
    return Cost(time.process_time() + cpu_of(child) - cpu, wall, peak_of(child))


def cost_fresh(path: Path) -> Cost:
    """Return what a worker takes that starts for this image alone, its child included."""
    return cost_of_process([sys.executable, str(FRESH), str(path)])


def cpu_of(pid: int) -> float:
    """Return the seconds of processor that a process has used, as finely as the kernel tells."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def peak_of(pid: int) -> float:
    """Return the most memory that a process has held, in megabytes."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def difference(ours: Image.Image, theirs: Image.Image) -> str:
    """Return the peak signal-to-noise ratio of two images, in decibels."""
    if ours.size != theirs.size:
        return f"sizes differ: {ours.size}, {theirs.size}"
    squares = ImageStat.Stat(ImageChops.difference(ours.convert("RGB"), theirs.convert("RGB"))).rms
    mean = sum(value * value for value in squares) / 3
    return "equal" if mean == 0 else f"{10 * math.log10(255 * 255 / mean):.1f} dB"


def unpacked(path: Path, folder: Path) -> str:
    """Return how near our pixels come to ImageMagick's before both become JPEG."""
    from beagle.media.draw.colour import show, shrinkable  # noqa: PLC0415 - decoders belong to children
    from beagle.media.draw.thumbnail import BOX  # noqa: PLC0415

    theirs = folder / "theirs.png"
    subprocess.run(["convert", str(path), *RESIZE, str(theirs)], check=True)  # noqa: S607
    with Image.open(path) as image:
        small = shrinkable(image)
        small.thumbnail(BOX, Image.Resampling.LANCZOS, reducing_gap=2.0)
        return difference(show(small, None), Image.open(theirs))


def repeat(rounds: int, measure: Callable[[], Cost]) -> Cost:
    """Return the medians of some rounds."""
    costs = [measure() for _ in range(rounds)]
    return Cost(*(median(getattr(cost, name) for cost in costs) for name in ("cpu", "wall", "memory")))


@dataclass(frozen=True)
class Comparison:
    """What one image took on both sides; `why_not` where ImageMagick could not be measured."""

    name: str
    warm: Cost
    fresh: Cost
    theirs: Cost | None = None
    why_not: str = ""
    pixels: str = ""
    as_jpeg: str = ""

    def line(self) -> str:
        """Return it as a line of the table."""
        if self.theirs is None:
            return f"| {self.name} | {self.why_not} | {self.warm} | | {self.fresh} | | | |"
        warm, fresh = (
            f"**{self.theirs.cpu / cost.cpu:.1f}x**, {self.theirs.wall / cost.wall:.1f}x"
            for cost in (self.warm, self.fresh)
        )
        return (
            f"| {self.name} | {self.theirs} | {self.warm} | {warm} "
            f"| {self.fresh} | {fresh} | {self.pixels} | {self.as_jpeg} |"
        )

    def rows(self) -> Iterator[Row]:
        """Yield it as rows of the whole benchmark."""
        for what, cost in (("a warm worker", self.warm), ("a new process", self.fresh)):
            if self.theirs is None:
                note, times = f"{cost}; mogrify: {self.why_not}", None
            else:
                note, times = f"{cost}; mogrify: {self.theirs}", self.theirs.cpu / cost.cpu
            yield Row(
                group="Thumbnails, processor time against mogrify's",
                what=f"{self.name}, {what}",
                value=times,
                unit="times less",
                note=note,
            )


def compare(name: str, rounds: int) -> Comparison:
    """Measure both sides on one image."""
    with tempfile.TemporaryDirectory() as scratch, Children() as children:
        folder = Path(scratch)
        path = apart(paint, name, folder)
        kept = Kept()
        make_still(File(path), kept, children=children)
        warm = repeat(rounds, lambda: cost_warm(children, path))
        fresh = repeat(rounds, lambda: cost_fresh(path))
        if shutil.which("mogrify") is None:
            return Comparison(name, warm, fresh, why_not="not installed")
        try:
            theirs = repeat(rounds, lambda: cost_of_mogrify(path, folder))
        except subprocess.CalledProcessError:
            return Comparison(name, warm, fresh, why_not="cannot read it")
        pixels = apart(unpacked, path, folder)
        with Image.open(io.BytesIO(kept["thumbnail.jpg"])) as ours, Image.open(folder / THEIRS) as small:
            return Comparison(name, warm, fresh, theirs, pixels=pixels, as_jpeg=difference(ours, small))


def measure(advance: Callable[[str], None], rounds: int = 3) -> Iterator[Row]:
    """Measure every image, as part of the whole benchmark."""
    for name in CASES:
        advance(f"thumbnail of a {name}")
        yield from compare(name, rounds).rows()


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often each is measured; medians are shown")
    parser.add_argument("--quick", action="store_true", help="only the 12 MP JPEG and PNG, once")
    options = parser.parse_args(arguments)
    heads = (
        "image", "mogrify: CPU, wall, peak", "Beagle, warm", "CPU, wall ratio", "Beagle, new process",
        "CPU, wall ratio", "pixels against ImageMagick's", "both as JPEG",
    )  # fmt: skip
    sys.stdout.write(f"| {' | '.join(heads)} |\n|{' --- |' * len(heads)}\n")
    for name in ["12 MP JPEG", "12 MP PNG"] if options.quick else CASES:
        sys.stdout.write(compare(name, 1 if options.quick else options.rounds).line() + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
