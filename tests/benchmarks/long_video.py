"""A long video in parts against the same video in one go: `python tests/benchmarks/long_video.py`.

The real template on the local AWS. The clip is uploaded and announced, prepare and register run as deployed;
extract runs by hand, as real processes that are fed from its queue, so that each can be measured: first one
process with all the time there is, then two whose invocations end by `kill -9` after a minute. Processor
seconds and memory include ffmpeg; the disk is each process's own temporary folder, looked at ten times a
second. It fails where a bound does not hold, or where the artifacts differ in more than x264's choices.

It wants a machine of its own: where others use the processors too, invocations run out of their minute, and
what they had done is done again.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "shared")]

import yaml  # noqa: E402 - the path comes first
from rich.console import Console  # noqa: E402
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: E402
from rich.table import Table  # noqa: E402

from beagle.emulator import DEFAULT_TEAM  # noqa: E402
from beagle.media.video.ffmpeg import find_ffmpeg  # noqa: E402
from beagle.playground.ministack import Ministack  # noqa: E402
from beagle.playground.packaging import build_local  # noqa: E402
from e2e.archive import READ_ONLY, Archive, open_archive  # noqa: E402
from e2e.conftest import DATASET, deployer  # noqa: E402
from e2e.crew import Effort, work  # noqa: E402
from e2e.hands import Hands  # noqa: E402

NAME = "long"
SIZE, FPS = "640x360", 2
LOOP_SECONDS = 30
COUNT_SECONDS = 3.0
PATIENCE = 3600.0
MORE_CPU = 1.15
MEMORY, DISK = 1 << 30, 512 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One way to extract the clip: what it took, and what came out."""

    what: str
    wall: float
    efforts: list[Effort]
    sums: dict[str, str]
    items: int
    problems: int

    @property
    def cpu(self) -> float:
        return sum(effort.cpu for effort in self.efforts)

    @property
    def invocations(self) -> list[float]:
        return [seconds for effort in self.efforts for seconds in effort.invocations]


@dataclass(frozen=True, slots=True)
class Bench:
    """The deployed stack, and the clip."""

    archive: Archive
    code: Path
    clip: Path
    scratch: Path
    progress: Progress
    expected: int
    """How many artifacts there will be, about."""

    def run(self, what: str, workers: int, limit: int) -> Run:
        """Upload the clip under a name of its own, extract it, and wait until it is registered."""
        stack, name = self.archive.stack, f"{workers}x{limit}.mp4"
        hands = Hands(stack, "extract", self.code, self.scratch / name)
        task = self.progress.add_task(what, total=self.expected)
        before = len(self.archive.artifacts())
        counted = 0.0

        def is_done() -> bool:
            nonlocal counted
            if time.monotonic() > counted + COUNT_SECONDS:
                self.progress.update(task, completed=len(self.archive.artifacts()) - before)
                counted = time.monotonic()
            return stack.depth("videos") == 0

        try:
            stack.upload(self.clip, name)
            stack.wait_until(lambda: stack.depth("videos") == 1, what="Preparation")
            disks = [self.scratch / name / f"disk{number}" for number in range(workers)]
            began = time.monotonic()
            efforts = work(hands, disks, is_done, plans_for=limit, limit=limit, patience=PATIENCE)
            wall = time.monotonic() - began
        finally:
            hands.close()
        stack.wait_until_idle()
        self.progress.update(task, completed=self.expected)
        items = [item for item in self.archive.darwin.items() if item.name == name]
        return Run(
            what=what,
            wall=wall,
            efforts=efforts,
            sums=self.archive.artifacts_of(name),
            items=len(items),
            problems=sum(len(item.problems) for item in items),
        )


def make_clip(path: Path, minutes: float) -> None:
    """Write so many minutes of things that move, with noise like a camera's and a sound."""
    ffmpeg, short = find_ffmpeg().path, path.with_name("short.mp4")
    moving = f"testsrc2=s={SIZE}:r=30:d={LOOP_SECONDS},noise=alls=6:allf=t,format=yuv420p"
    coded = ("-c:v", "libx264", "-preset", "veryfast", "-b:v", "900k", "-g", "250")
    endless = ("-stream_loop", "-1", "-i", short, "-f", "lavfi", "-i", "sine=f=440", "-t", str(minutes * 60))
    for words in (
        ("-f", "lavfi", "-i", moving, *coded, short),
        (*endless, "-map", "0:v", "-map", "1:a", "-c:v", "copy", "-c:a", "aac", path),
    ):
        subprocess.run([ffmpeg, "-v", "error", "-y", *words], check=True)


def differences(one: dict[str, str], other: dict[str, str]) -> list[str]:
    """Name the artifacts that only one run has, or whose bytes differ; segments may differ in their bytes."""
    return sorted(
        name
        for name in one.keys() | other.keys()
        if name not in one or name not in other or (one[name] != other[name] and not name.endswith(".ts"))
    )


def claims(one: Run, parts: Run) -> dict[str, bool]:
    """Say which of the goals hold."""
    return {
        "one item each, and Darwin finds nothing wrong": all(
            run.items == 1 and run.problems == 0 for run in (one, parts)
        ),
        "all artifacts but the segments are the same to the byte": not differences(one.sums, parts.sums),
        f"processor time within {MORE_CPU} times": parts.cpu <= MORE_CPU * one.cpu,
        f"memory of each worker below {MEMORY >> 20} MB": all(
            effort.memory < MEMORY for effort in parts.efforts
        ),
        f"disk of each worker below {DISK >> 20} MB": all(effort.disk < DISK for effort in parts.efforts),
    }


def show(one: Run, parts: Run, console: Console) -> None:
    """Print the figures of both runs side by side."""
    table = Table("", one.what, parts.what, box=None, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"

    def row(what: str, say: object) -> None:
        table.add_row(what, *(say(run) for run in (one, parts)))  # type: ignore[operator]

    row("invocations of extract", lambda run: f"{len(run.invocations)}")
    row("  of them interrupted", lambda run: f"{sum(effort.interrupted for effort in run.efforts)}")
    row("the longest of them, s", lambda run: f"{max(run.invocations):.1f}")
    row("wall time, s", lambda run: f"{run.wall:.1f}")
    row("processor time, s", lambda run: f"{run.cpu:.1f}")
    row("  against one run", lambda run: f"{run.cpu / one.cpu:.2f}x")
    row("  lost in interrupted ones, s", lambda run: f"{sum(effort.lost for effort in run.efforts):.1f}")
    row("  of each worker, s", lambda run: " / ".join(f"{effort.cpu:.1f}" for effort in run.efforts))
    row("peak memory of each, MB", lambda run: " / ".join(f"{e.memory / 1e6:.0f}" for e in run.efforts))
    row("peak disk of each, MB", lambda run: " / ".join(f"{e.disk / 1e6:.0f}" for e in run.efforts))
    row("items in Darwin", lambda run: f"{run.items}")
    row("artifacts", lambda run: f"{len(run.sums):,}")
    console.print(table)
    for claim, holds in claims(one, parts).items():
        console.print(f"{'yes' if holds else 'NO '}  {claim}", highlight=False)


def main() -> int:
    """Measure, show, and say whether all goals hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--minutes", type=float, default=20, help="how long the clip is")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--limit", type=int, default=60, metavar="SECONDS", help="of one invocation")
    arguments = parser.parse_args()
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    progress = Progress(*columns, console=Console(stderr=True), transient=True)
    with tempfile.TemporaryDirectory() as folder, progress:
        scratch = Path(folder)
        clip, routes = scratch / "clip.mp4", scratch / "routes.yaml"
        making = progress.add_task(f"a clip of {arguments.minutes:g} minutes", total=None)
        make_clip(clip, arguments.minutes)
        progress.update(making, total=1, completed=1)
        watch = {"bucket": f"{NAME}-uploads"}
        route = {"watch": watch, "dataset": DATASET, "storage": READ_ONLY, "access": "read_only"}
        routes.write_text(
            yaml.safe_dump({"team": DEFAULT_TEAM, "routes": [{**route, "video": {"fps": FPS}}]})
        )
        code = build_local(ROOT, scratch / "build" / "aws", routes=routes)
        with (
            Ministack(scratch) as aws,
            open_archive(aws, deployer(aws, code), NAME, Routes="file") as archive,
        ):
            # Two pictures for each visible frame, and two segments for each two seconds.
            expected = int(arguments.minutes * 60 * (2 * FPS + 1))
            bench = Bench(archive, code, clip, scratch, progress, expected)
            one = bench.run("one, unlimited", 1, 900)
            parts = bench.run(
                f"{arguments.workers}, {arguments.limit} s each", arguments.workers, arguments.limit
            )
    show(one, parts, Console())
    return 0 if all(claims(one, parts).values()) else 1


if __name__ == "__main__":
    sys.exit(main())
