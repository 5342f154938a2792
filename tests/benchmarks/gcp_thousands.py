"""Thousands of objects through the functions on a local Google Cloud: calmly, and with everything failing.

`python tests/benchmarks/gcp_thousands.py --objects 5000`
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "shared")]

from rich.console import Console  # noqa: E402 - the path comes first
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: E402
from rich.table import Table  # noqa: E402

from e2e.books import FINAL  # noqa: E402
from gcp.cloud import Cloud  # noqa: E402
from gcp.pubsub import NotHereError, PubSub  # noqa: E402
from gcp.thousands import Ran, run  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

WAYS = {"calm": "as they come", "storm": "each twice; 429, 5xx, resets, a failing state bucket, a kill"}


def columns(ran: Ran, objects: int) -> dict[str, str]:
    """Return what is to be told of a run."""
    prepare, register = ran.books.count("prepare"), ran.books.count("register")
    return {
        "announcements": f"{ran.announced:,}",
        "left prepare": f"{prepare['passed_on']:,}",
        "left register": f"{sum(register[ending] for ending in FINAL):,}",
        "items in Darwin": f"{len(ran.items):,}",
        "items twice": f"{sum(count > 1 for count in ran.items.values())}",
        "dead letters": f"{len(ran.codes)}",
        "registration requests": f"{ran.requests:,}",
        "requests per 1,000 objects": f"{ran.requests * 1000 / objects:.1f}",
        "objects a second": f"{objects / ran.seconds:.0f}",
    }


def measure(objects: int, advance: Callable[[str, int], None]) -> dict[str, Ran]:
    """Run each way, on one emulator."""
    found = {}
    with tempfile.TemporaryDirectory() as scratch, PubSub(Path(scratch)) as pubsub, Cloud() as cloud:
        for name in WAYS:
            found[name] = run(
                *(pubsub, cloud, Path(scratch) / name, objects),
                faults=name == "storm",
                name=name,
                told=lambda items, name=name: advance(name, items),
            )
    return found


def main() -> int:
    """Measure and show; fail where an object does not stand exactly once."""
    parser = argparse.ArgumentParser(description="Thousands of objects on a local Google Cloud.")
    parser.add_argument("--objects", type=int, default=5000)
    objects = parser.parse_args().objects
    progress = Progress(
        *(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()),
        console=Console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    )
    console = Console()
    with suppress(KeyboardInterrupt), progress:
        tasks = {name: progress.add_task(name, total=objects, start=False) for name in WAYS}

        def advance(name: str, items: int) -> None:
            progress.start_task(tasks[name])
            progress.update(tasks[name], completed=items)

        try:
            found = measure(objects, advance)
        except NotHereError as error:
            console.print(str(error))
            return 2
    table = Table(title=f"{objects:,} objects, pushed one by one to two instances of register")
    table.add_column("")
    for name in found:
        table.add_column(WAYS[name], justify="right", max_width=30)
    told = [columns(ran, objects) for ran in found.values()]
    for what in told[0]:
        table.add_row(what, *(column[what] for column in told))
    console.print(table)
    well = all(set(ran.items.values()) == {1} and len(ran.items) == objects for ran in found.values())
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
