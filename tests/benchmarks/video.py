"""Beagle against V7's own extractor, darwin-py, on the same clips in the same run.

    python tests/benchmarks/video.py [--repeat N] [--clips camera noisy detailed] [--cases native,png 5,png]

Both sides are whole processes, one after the other, and every ratio is of a pair: darwin-py's cost by ours,
the median over the repetitions. Processor seconds include every child, memory is the sum over the processes
at the worst moment, disk what lay in the working folder then (darwin-py's artifacts; ours go into a folder
that stands for the bucket). darwin-py runs with the ffmpeg of the PATH; with ours, whose PNG takes five times
as long, it runs once more to compare what comes out. It needs `ffprobe`, which no wheel brings.

Exits with 1 where anything is not darwin-py's that must be: frames, previews, times, visibility, audio peaks,
thumbnail; and manifest and playlists, unless the clip has cuts and the profile is `fast`. x264 makes a cut a
key frame, where darwin-py's segments may begin; those of `fast` begin on a grid.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[2]
OURS = Path(__file__).with_name("one_video.py")
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "shared")]

from rich.console import Console  # noqa: E402 - the path comes first
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: E402
from rich.table import Table  # noqa: E402

from beagle.domain.making import VideoOptions  # noqa: E402
from beagle.media.video.ffmpeg import find_ffmpeg  # noqa: E402
from benchmarks.process_cost import Cost, cost_of  # noqa: E402
from benchmarks.video_clips import KINDS, Shape, make_clip  # noqa: E402
from benchmarks.video_floor import Floor  # noqa: E402
from benchmarks.video_likeness import LAYOUT, SAME, Likeness, compare  # noqa: E402
from support.darwin_py import sdk_python  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator

DARWIN = """
import sys
from darwin.extractor.video import extract_artifacts
clip, out, fps, quality = sys.argv[1:]
extract_artifacts(clip, out, "pfx", fps=float(fps), primary_frames_quality=int(quality), save_metadata=True)
"""
CASES = ("native,png", "5,png", "native,jpeg:5", "5,jpeg:5")
HEADS = (
    "clip",
    "fps, frames",
    "profile",
    "wall",
    "processor",
    "memory",
    "disk",
    "of the floor",
    "differs",
    "thumbnail",
)
HEADS += ("high: bytes, SSIM", "low: bytes, SSIM")


@dataclass(frozen=True)
class Case:
    """Which pictures are made of a clip."""

    fps: str
    frames: str

    def options(self, profile: str) -> VideoOptions:
        fps = "native" if self.fps == "native" else float(self.fps)
        return VideoOptions(fps=fps, frames=self.frames, profile=profile)


@dataclass
class Result:
    """What a case took with one of our profiles, round by round."""

    theirs: list[Cost] = field(default_factory=list)
    ours: list[Cost] = field(default_factory=list)
    floors: list[float] = field(default_factory=list)
    likeness: Likeness | None = None

    def cells(self) -> list[str]:
        """Return medians as they stand in the table."""
        shares = [floor / cost.cpu for floor, cost in zip(self.floors, self.ours, strict=True)]
        return [
            *(self._ratio("wall"), self._ratio("cpu"), self._megabytes("memory"), self._megabytes("disk")),
            f"{median(shares):.0%}",
            ", ".join(self.likeness.differs) or "nothing",
            f"{self.likeness.thumbnail:.1f} dB",
            *self.likeness.segments.values(),
        ]

    def _ratio(self, name: str) -> str:
        pairs = [(getattr(a, name), getattr(b, name)) for a, b in zip(self.theirs, self.ours, strict=True)]
        theirs, ours = (median(side) for side in zip(*pairs, strict=True))
        return f"{theirs:.1f} / {ours:.1f} s = {median(a / b for a, b in pairs):.2f}x"

    def _megabytes(self, name: str) -> str:
        sides = (median(getattr(cost, name) for cost in costs) for costs in (self.theirs, self.ours))
        return " / ".join(f"{size / 1e6:.0f}" for size in sides) + " MB"


class Race:
    """Runs darwin-py and ours by turns on one clip."""

    def __init__(self, work: Path, kind: str, args: argparse.Namespace) -> None:
        self._work = work
        self._clip = work / "clip.mp4"
        self._kind = kind
        self._empty = work / "empty"
        self._empty.mkdir(parents=True)
        self._shape = Shape(640, 360, 4) if args.quick else Shape(1920, 1080, 10)
        make_clip(self._clip, kind, self._shape)
        self._python = args.darwin_python or sdk_python()
        self._peer = args.darwin_ffmpeg
        self._profiles = args.profiles
        self._cases = [Case(*case.split(",")) for case in args.cases[: 2 if args.quick else None]]
        self._results = {pair: Result() for pair in product(self._cases, args.profiles)}

    @property
    def steps(self) -> int:
        """How many steps a round takes."""
        return 1 + len(self._cases) * (1 + len(self._profiles))

    def round(self) -> Iterator[str]:
        """Measure the floor, and every case on both sides; name each step before it is taken."""
        yield "floor"
        qualities = {case.options("fast").jpeg_quality for case in self._cases} - {None}
        floor = Floor(self._clip, self._shape, self._profiles, qualities, self._empty)
        for case in self._cases:
            yield f"{case.fps}, {case.frames}: darwin-py"
            theirs = self._darwin(case, "theirs", self._peer)
            for profile in self._profiles:
                yield f"{case.fps}, {case.frames}: Beagle, {profile}"
                self._ours(case, profile, theirs, floor)

    def rows(self) -> Iterator[list[str]]:
        """Yield what stands in the table behind the clip's name."""
        for (case, profile), result in self._results.items():
            yield [f"{case.fps}, {case.frames}", profile, *result.cells()]

    def faults(self) -> Iterator[str]:
        """Yield what is not darwin-py's and must be."""
        for (case, profile), result in self._results.items():
            on_grid = profile == "fast" and len(KINDS[self._kind].begins) > 1
            for fault in result.likeness.faults(SAME if on_grid else SAME + LAYOUT):
                yield f"{self._kind}, {case.fps}, {case.frames}, {profile}: {fault}"

    def _ours(self, case: Case, profile: str, theirs: Cost, floor: Floor) -> None:
        options, result, out = case.options(profile), self._results[case, profile], self._work / "ours"
        shutil.rmtree(out, ignore_errors=True)
        words = [sys.executable, OURS, self._clip, out, case.fps, case.frames, profile]
        result.theirs.append(theirs)
        result.ours.append(cost_of(words, self._empty))
        visible = len(list((out / "sections/high").iterdir())) / self._shape.frames
        result.floors.append(floor.seconds(profile, options.jpeg_quality, visible))
        if result.likeness is None:
            same = self._work / f"same-{self._cases.index(case)}"
            if not same.exists():
                self._darwin(case, same.name, find_ffmpeg().path)
            result.likeness = compare(out, same, self._clip, options.extension)

    def _darwin(self, case: Case, folder: str, ffmpeg: Path) -> Cost:
        """Run darwin-py, behind a wrapper that tells a version which it can read."""
        out, programs = self._work / folder, self._work / f"{folder}-bin"
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
        programs.mkdir(exist_ok=True)
        wrapper = programs / "ffmpeg"
        version = '[ "$1" = -version ] && echo "ffmpeg version 9.0" && exit'
        wrapper.write_text(f'#!/bin/sh\n{version}\nexec {ffmpeg} -nostdin "$@"\n')
        wrapper.chmod(0o755)
        quality = case.options("fast").jpeg_quality or 1
        rate = "0" if case.fps == "native" else case.fps
        command = [self._python, "-c", DARWIN, self._clip, out, rate, quality]
        return cost_of(command, out, PATH=f"{programs}:/usr/bin:/bin")


def show(rows: list[list[str]], console: Console) -> None:
    """Print a table on a terminal, lines of Markdown elsewhere."""
    if not console.is_terminal:
        for row in (HEADS, ["---"] * len(HEADS), *rows):
            console.print(f"| {' | '.join(row)} |", soft_wrap=True, highlight=False, markup=False)
        return
    table = Table(*HEADS, title="darwin-py / Beagle", title_justify="left", title_style="bold")
    for row in rows:
        table.add_row(*row)
    console.print(table)


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a small clip and two cases")
    parser.add_argument("--repeat", type=int, default=1, metavar="N", help="show medians of so many rounds")
    parser.add_argument("--clips", nargs="+", choices=KINDS, default=["camera"])
    parser.add_argument("--cases", nargs="+", metavar="FPS,FRAMES", default=CASES)
    parser.add_argument("--profiles", nargs="+", choices=("fast", "equal"), default=["fast", "equal"])
    parser.add_argument("--darwin-python", type=Path, metavar="PATH", help="one that has darwin-py")
    parser.add_argument("--darwin-ffmpeg", type=Path, metavar="PATH", help="what darwin-py runs")
    args = parser.parse_args()
    args.darwin_ffmpeg = args.darwin_ffmpeg or shutil.which("ffmpeg")
    if not (args.darwin_ffmpeg and shutil.which("ffprobe")):
        parser.error("darwin-py needs ffmpeg and ffprobe on the path")
    return args


def main() -> None:
    """Race, and print the table."""
    args = parse()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with (
        tempfile.TemporaryDirectory() as folder,
        Progress(*columns, console=Console(stderr=True), transient=True) as progress,
    ):
        races = {kind: Race(Path(folder) / kind, kind, args) for kind in args.clips}
        task = progress.add_task("", total=args.repeat * sum(race.steps for race in races.values()))
        for _, (kind, race) in product(range(args.repeat), races.items()):
            for step in race.round():
                progress.update(task, description=f"{kind}: {step}")
                progress.advance(task)
    rows = [[kind, *row] for kind, race in races.items() for row in race.rows()]
    show(rows, Console())
    faults = [fault for race in races.values() for fault in race.faults()]
    for fault in faults:
        sys.stderr.write(f"Not as it must be: {fault}\n")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
