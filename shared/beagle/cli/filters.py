"""Which dead letters are meant: the options that `letters` and `replay` share, and what they do."""

from __future__ import annotations

import re
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from beagle.cli.output import aside
from beagle.domain.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from beagle.bootstrap.operator import Deployment
    from beagle.pipeline.replay import Choice
    from beagle.ports import KeptLetter, LetterBox

Codes = Annotated[
    list[str] | None,
    typer.Option("--code", metavar="CODE", help="Only letters of this code; may stand several times."),
]
Prefix = Annotated[
    str, typer.Option(metavar="PREFIX", help="Only objects whose key starts with this.", show_default=False)
]
Since = Annotated[
    str,
    typer.Option(
        metavar="WHEN", help="Only letters written since: `2h`, `3d`, `2026-11-20`, `2026-11-20T09:00Z`."
    ),
]
Limit = Annotated[int | None, typer.Option(metavar="N", min=1, help="At most so many, the oldest first.")]
StackName = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="The CloudFormation stack. By default what BEAGLE_DEAD_LETTERS_QUEUE and BEAGLE_UPLOADS_QUEUE "
        "name, or else the stack that `beagle up` runs.",
    ),
]
TerraformPlace = Annotated[
    Path | None,
    typer.Option(
        "--terraform",
        metavar="DIR",
        help="Instead of a stack: the folder of the Terraform configuration, or a file of what "
        "`terraform output -json` prints there.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line, also on a terminal.")]

_AGO = re.compile(r"([0-9]+)\s*([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def choice_of(
    codes: Sequence[str] | None, prefix: str, since: str, limit: int | None, now: datetime
) -> Choice:
    """Return the choice that the options make.

    Raises:
        ConfigurationError: `--since` is not a valid time.

    """
    from beagle.pipeline.replay import Choice  # noqa: PLC0415 - see the package

    return Choice(
        codes=frozenset(code.strip().lower() for code in codes or ()),
        prefix=prefix,
        since=parse_since(since, now) if since else None,
        limit=limit,
    )


def parse_since(text: str, now: datetime) -> datetime:
    """Return the time that `2h`, `3d` or an ISO date means; without a zone it is this machine's.

    Raises:
        ConfigurationError: It is none of these.

    """
    try:
        if ago := _AGO.fullmatch(text.strip().lower()):
            return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        return datetime.fromisoformat(text.strip()).astimezone()
    except (ValueError, OverflowError) as error:
        raise ConfigurationError(
            f"--since {text!r} is not a valid time: write 90m, 2h, 3d, 2026-11-20 or 2026-11-20T09:00Z."
        ) from error


def deployment(stack: str, terraform: Path | None = None) -> Deployment:
    """Return the deployment that is meant.

    Raises:
        ConfigurationError: It cannot be told which.

    """
    from beagle.bootstrap.operator import find_deployment  # noqa: PLC0415
    from beagle.settings import read_settings  # noqa: PLC0415

    return find_deployment(stack, read_settings(), state_file(), terraform=terraform)


def state_file() -> Path:
    """Return where a command that runs a local stack tells the others about it."""
    from beagle.playground.packaging import project_root  # noqa: PLC0415

    try:
        root = project_root()
    except FileNotFoundError:
        root = Path.cwd()
    return root / "demo-run" / "stack.json"


def list_oldest_first(box: LetterBox) -> list[KeptLetter]:
    """Return every letter, counted for whoever looks; queues hand them out in any order."""
    letters = []
    with aside().status("Reading the dead letters") as status:
        for kept in box.list_letters():
            letters.append(kept)
            if len(letters) % 100 == 0:
                status.update(f"Reading the dead letters: {len(letters)} by now")
    return sorted(letters, key=lambda kept: (kept.letter.last_at, kept.letter.id))


@contextmanager
def released(box: LetterBox) -> Iterator[None]:
    """Leave the letters visible for the next reader, whatever happens inside."""
    try:
        yield
    finally:
        with aside().status("Giving back the dead letters"):
            box.release()


def by_id(letters: Sequence[KeptLetter], start: str) -> list[KeptLetter]:
    """Return the one letter, with its copies, whose id starts as given.

    Raises:
        ConfigurationError: There is none, or more than one.

    """
    found = [kept for kept in letters if kept.letter.id.startswith(start.strip().lower())]
    ids = sorted({kept.letter.id for kept in found})
    if not ids:
        raise ConfigurationError(f"No dead letter has an id that starts with {start!r}.")
    if len(ids) > 1:
        raise ConfigurationError(
            f"Several dead letters have ids that start with {start!r}: {', '.join(ids)}."
        )
    return found
