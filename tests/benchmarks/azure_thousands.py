"""Take thousands of objects through Beagle on a local Azure: `python tests/benchmarks/azure_thousands.py`.

Once undisturbed, register beginning when all are prepared; once with everything twice, Darwin and containers
failing, and an instance killed.
"""

import argparse
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "shared")]

from rich.console import Console  # noqa: E402 - the path comes first
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: E402
from rich.table import Table  # noqa: E402

from e2e.books import FINAL  # noqa: E402
from support.azure.azurite import Azurite  # noqa: E402
from support.azure.key_vault import KeyVault  # noqa: E402
from support.azure.thousands import Ran, run  # noqa: E402

WAYS = {"calm": "undisturbed", "storm": "all twice, with faults"}


def conserved(ran: Ran, objects: int) -> bool:
    """Say whether each object stands once, and each announcement has an outcome."""
    endings = ran.books.count("register")
    return (
        set(ran.items.values()) == {1}
        and len(ran.items) == objects
        and ran.letters == 0
        and sum(endings[ending] for ending in FINAL) >= ran.announced
    )


def facts(ran: Ran, objects: int) -> dict[str, str]:
    """Return what a run says, as people read it."""
    endings, thousands = ran.books.count("register"), objects / 1000
    queues, containers = ran.calls["queues"], ran.calls["containers"]
    fetches = sum(queues[call] for call in queues if call.startswith("GET "))
    return {
        "announced": f"{ran.announced:,}",
        "registered": f"{len(ran.items):,}, each once" if set(ran.items.values()) == {1} else "not each once",
        "already registered": f"{endings['already_registered']:,}",
        "came again": f"{endings['again']:,}",
        "dead letters": f"{ran.letters:,}",
        "objects/s, uploading too": f"{objects / ran.seconds:,.0f}",
        "Darwin requests / 1,000": f"{ran.requests / thousands:,.1f}",
        "queue calls / 1,000": f"{queues.total() / thousands:,.0f}",
        "fetches among them": f"{fetches / thousands:,.0f}",
        "container calls / 1,000": f"{containers.total() / thousands:,.0f}",
    }


def main() -> int:
    """Run both, show a table, and fail where an object was lost or doubled."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--objects", type=int, default=5000)
    objects = parser.parse_args().objects
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    )
    found: dict[str, Ran] = {}
    with (
        tempfile.TemporaryDirectory() as scratch,
        Azurite(Path(scratch)) as azurite,
        KeyVault() as vault,
        progress,
    ):
        for name, words in WAYS.items():
            task = progress.add_task(words, total=objects)
            found[name] = run(
                *(azurite, vault, Path(scratch) / name, objects),
                faults=name == "storm",
                lease=30,
                name=name,
                told=lambda stand, task=task: progress.update(task, completed=stand),
            )
    table = Table("", *WAYS.values(), title=f"{objects:,} objects on a local Azure", title_justify="left")
    told = {name: facts(ran, objects) for name, ran in found.items()}
    for what in told["calm"]:
        table.add_row(what, *(told[name][what] for name in WAYS))
    Console().print(table)
    return 0 if all(conserved(ran, objects) for ran in found.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
