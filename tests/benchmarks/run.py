"""Measure Beagle, and its peers in the same run: `python tests/benchmarks/run.py [--json FILE]`."""

import argparse
import json
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "shared")]

from rich.console import Console  # noqa: E402 - the path comes first
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn  # noqa: E402
from rich.table import Table  # noqa: E402

from beagle.playground.ministack import Ministack  # noqa: E402
from benchmarks import gcp_starting, request_counts, starting, throughput  # noqa: E402
from benchmarks.rows import Row  # noqa: E402


def measure(advance: Callable[[str], None]) -> Iterator[Row]:
    """Measure everything, one after the other."""
    yield from request_counts.measure(advance)
    with tempfile.TemporaryDirectory() as scratch, Ministack(Path(scratch)) as aws:
        yield from throughput.measure(advance, aws)
        yield from starting.measure(advance, aws)
    yield from gcp_starting.measure(advance)


def show(rows: list[Row], console: Console) -> None:
    """Print a table on a terminal, a line a row elsewhere."""
    if not console.is_terminal:
        for row in rows:
            console.print(
                f"{row.group}: {row.what}: {row.number} {row.unit}" + (f" ({row.note})" if row.note else ""),
                soft_wrap=True,
                highlight=False,
            )
        return
    for group in dict.fromkeys(row.group for row in rows):
        table = Table(title=group, title_justify="left", title_style="bold")
        table.add_column("")
        table.add_column("", justify="right", style="bold")
        table.add_column("")
        table.add_column("", style="dim")
        for row in rows:
            if row.group == group:
                table.add_row(row.what, row.number, row.unit, row.note)
        console.print(table)


def main() -> None:
    """Measure, show, and write down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers to a file, too")
    arguments = parser.parse_args()
    progress = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    with progress:
        task = progress.add_task("starting")
        rows = list(measure(lambda what: progress.update(task, description=what)))
    show(rows, Console())
    if arguments.json:
        machine = {"python": platform.python_version(), "machine": platform.machine()}
        written = {**machine, "rows": [asdict(row) for row in rows]}
        arguments.json.write_text(json.dumps(written, indent=2) + "\n")


if __name__ == "__main__":
    main()
