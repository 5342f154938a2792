"""Thousands of objects through a local AWS while all goes wrong: `python tests/benchmarks/aws_thousands.py`.

The real template with its roles, queues and mappings. Every event comes twice, Darwin throttles, fails and
loses answers, and the functions' processes are ended by `kill -9`. The messages that a killed one had in hand
come again after a minute; the template's 725 seconds are shortened for that. Exits with 1 if an object is
lost or doubled, or an announcement is not accounted for.

Requests are more than on AWS: Lambda waits five seconds for a batch to fill, the local one not at all.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "shared")]

from rich.console import Console  # noqa: E402 - the path comes first
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: E402
from rich.table import Table  # noqa: E402

from beagle.playground.ministack import Ministack  # noqa: E402
from beagle.playground.packaging import build_local  # noqa: E402
from e2e.conftest import deployer  # noqa: E402
from e2e.thousands import STORM, run  # noqa: E402

if TYPE_CHECKING:
    from e2e.conserved import Ran

HIDDEN_SECONDS = 60
OBJECTS_A_FAULT, OBJECTS_A_KILL = 200, 1000
PATIENCE = 3600.0


def facts(ran: Ran) -> list[tuple[str, str]]:
    """Return what a run says, as people read it; below a figure, what it is made of."""
    announced, queued = ran.announced.total(), sum(waiting.total() for waiting in ran.queued.values())
    return [
        ("objects", f"{ran.objects:,}"),
        ("seconds", f"{ran.seconds:,.0f}"),
        ("objects a second", f"{ran.objects / ran.seconds:,.1f}"),
        ("requests to Darwin", f"{ran.requests:,}"),
        ("requests per 1,000 objects", f"{1000 * ran.requests / ran.objects:,.1f}"),
        ("faults", f"{ran.faults.total():,}"),
        *((f"  {kind}", f"{count:,}") for kind, count in sorted(ran.faults.items())),
        ("processes killed", f"{ran.kills.total():,}"),
        *((f"  invocations of {stage} that died", f"{died:,}") for stage, died in ran.interrupted.items()),
        ("redeliveries that a function asked for", f"{ran.redelivered:,}"),
        ("announcements received", f"{announced:,}"),
        ("  sent on twice by killed instances", f"{ran.copies:,}"),
        *((f"  {ending.replace('_', ' ')}", f"{count:,}") for ending, count in ran.endings.most_common()),
        ("  still queued", f"{queued:,}"),
        ("items in Darwin", f"{ran.items.total():,}"),
        ("objects with a dead letter", f"{len(ran.letters):,}"),
    ]


def main() -> int:
    """Run, show a table, and say whether the law holds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--objects", type=int, default=10_000)
    objects = parser.parse_args().objects
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    progress = Progress(
        *columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()
    )
    with tempfile.TemporaryDirectory() as folder, progress, Ministack(Path(folder)) as aws:
        task = progress.add_task("items in Darwin", total=objects)
        ran = run(
            deployer(aws, build_local(ROOT, Path(folder) / "build" / "aws")),
            objects,
            faults=max(len(STORM), objects // OBJECTS_A_FAULT),
            kills=max(2, objects // OBJECTS_A_KILL),
            hidden=HIDDEN_SECONDS,
            seconds=PATIENCE,
            told=lambda standing: progress.update(task, completed=standing),
        )
    table = Table("", "", box=None, pad_edge=False, show_header=False, title_justify="left")
    table.columns[1].justify = "right"
    for what, figure in facts(ran):
        table.add_row(what, figure)
    console = Console()
    console.print(table)
    for breach in ran.breaches():
        console.print(f"BROKEN: {breach}", highlight=False, soft_wrap=True)
    return 1 if ran.breaches() else 0


if __name__ == "__main__":
    sys.exit(main())
