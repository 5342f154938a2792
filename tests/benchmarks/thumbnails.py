"""Thumbnails against ImageMagick: the same images, in one run, side by side.

`python tests/benchmarks/thumbnails.py [--rounds N] [--quick]` prints two tables: what images take, and the
eight EXIF orientations of one JPEG. The other side is what V7's documentation suggests, one process an image:
`mogrify -resize "356x200>" -format jpg -quality 50`. Exits with 1 where a thumbnail is not mogrify's, in size
or by more than a JPEG's difference, or where a worker that draws JPEGs takes more memory than is stated.
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

from PIL import Image

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "shared")]

from beagle.media.child import Children  # noqa: E402 - the path comes first
from beagle.media.stills import make_still  # noqa: E402
from benchmarks.one_thumbnail import File, Kept  # noqa: E402
from benchmarks.thumbnail_likeness import LEAST, RESIZE, Likeness, Turned, turn  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

THEIRS = "out/image.jpg"
TWELVE, FIFTY = (4032, 3024), (8688, 5792)
UPRIGHT = (2160, 3840)  # fitted, 112.5 pixels wide: both must round alike
CASES: dict[str, tuple[tuple[int, int], str, dict[str, object]]] = {
    "12 MP JPEG": (TWELVE, "jpg", {"quality": 90}),
    "12 MP JPEG, progressive": (TWELVE, "jpg", {"quality": 90, "progressive": True}),
    "50 MP JPEG": (FIFTY, "jpg", {"quality": 90}),
    "12 MP PNG": (TWELVE, "png", {}),
    "12 MP TIFF, LZW": (TWELVE, "tif", {"compression": "tiff_lzw"}),
    "12 MP WebP": (TWELVE, "webp", {"quality": 85}),
    "12 MP AVIF": (TWELVE, "avif", {"quality": 70, "speed": 9}),
}
MEMORY = {"12 MP JPEG": 40, "50 MP JPEG": 40}
"""Megabytes that a worker takes at most: these are decoded small."""
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


def unpacked(path: Path, folder: Path) -> Likeness:
    """Return how near our pixels come to ImageMagick's before both become JPEG."""
    from beagle.media.draw.colour import show, shrinkable  # noqa: PLC0415 - decoders belong to children
    from beagle.media.draw.thumbnail import BOX, shrink  # noqa: PLC0415

    theirs = folder / "theirs.png"
    subprocess.run(["convert", str(path), *RESIZE, str(theirs)], check=True)  # noqa: S607
    with Image.open(path) as image:
        return Likeness.of(show(shrink(shrinkable(image), BOX), None), Image.open(theirs))


def repeat(rounds: int, measure: Callable[[], Cost]) -> Cost:
    """Return the medians of some rounds."""
    costs = [measure() for _ in range(rounds)]
    return Cost(*(median(getattr(cost, name) for cost in costs) for name in ("cpu", "wall", "memory")))


@dataclass(frozen=True)
class Comparison:
    """What one image took on both sides; `theirs` is None where ImageMagick cannot read it."""

    HEADS = (
        "image", "mogrify: CPU, wall, peak", "Beagle, warm", "CPU, wall ratio", "Beagle, new process",
        "CPU, wall ratio", "pixels against ImageMagick's", "both as JPEG",
    )  # fmt: skip

    name: str
    warm: Cost
    fresh: Cost
    theirs: Cost | None = None
    pixels: Likeness | None = None
    as_jpeg: Likeness | None = None

    def line(self) -> str:
        """Return it as a line of the table."""
        if self.theirs is None:
            return f"| {self.name} | cannot read it | {self.warm} | | {self.fresh} | | | |"
        warm, fresh = (
            f"**{self.theirs.cpu / cost.cpu:.1f}x**, {self.theirs.wall / cost.wall:.1f}x"
            for cost in (self.warm, self.fresh)
        )
        return (
            f"| {self.name} | {self.theirs} | {self.warm} | {warm} "
            f"| {self.fresh} | {fresh} | {self.pixels} | {self.as_jpeg} |"
        )

    def faults(self) -> Iterator[str]:
        """Yield what is not as ImageMagick has it, or takes more than is stated."""
        for name, likeness in (("pixels", self.pixels), ("as JPEG", self.as_jpeg)):
            if likeness and not likeness.alike:
                yield f"{self.name}, {name}: {likeness}; JPEGs have {LEAST:.0f} dB"
        allowed = MEMORY.get(self.name, math.inf)
        for name, cost in (("a warm worker", self.warm), ("a new process", self.fresh)):
            if cost.memory > allowed:
                yield f"{self.name}, {name}: {cost.memory:.0f} MB are more than {allowed}"


def compare(name: str, rounds: int) -> Comparison:
    """Measure both sides on one image."""
    with tempfile.TemporaryDirectory() as scratch, Children() as children:
        folder = Path(scratch)
        path = apart(paint, name, folder)
        kept = Kept()
        make_still(File(path), kept, children=children)
        warm = repeat(rounds, lambda: cost_warm(children, path))
        fresh = repeat(rounds, lambda: cost_fresh(path))
        try:
            theirs = repeat(rounds, lambda: cost_of_mogrify(path, folder))
        except subprocess.CalledProcessError:
            return Comparison(name, warm, fresh)
        pixels = apart(unpacked, path, folder)
        with Image.open(io.BytesIO(kept["thumbnail.jpg"])) as ours, Image.open(folder / THEIRS) as small:
            return Comparison(name, warm, fresh, theirs, pixels, Likeness.of(ours, small))


def turned() -> list[Turned]:
    """Return how the eight orientations of a photograph compare."""
    with tempfile.TemporaryDirectory() as folder:
        return list(turn(picture(*UPRIGHT), Path(folder)))


def show(heads: Sequence[str], rows: Iterable[Comparison | Turned]) -> list[str]:
    """Print a table, row by row, and return what is wrong in it."""
    sys.stdout.write(f"| {' | '.join(heads)} |\n|{' --- |' * len(heads)}\n")
    faults: list[str] = []
    for row in rows:
        sys.stdout.write(row.line() + "\n")
        sys.stdout.flush()
        faults += row.faults()
    return faults


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables, and say what is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="how often each is measured; medians are shown")
    parser.add_argument("--quick", action="store_true", help="only the 12 MP JPEG and PNG, once")
    options = parser.parse_args(arguments)
    if shutil.which("mogrify") is None:
        parser.error("mogrify is not installed, and it is what is compared with")
    names, rounds = (["12 MP JPEG", "12 MP PNG"], 1) if options.quick else (list(CASES), options.rounds)
    faults = show(Comparison.HEADS, (compare(name, rounds) for name in names))
    sys.stdout.write("\n")
    faults += show(Turned.HEADS, apart(turned))
    for fault in faults:
        sys.stderr.write(f"Not as it must be: {fault}\n")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
