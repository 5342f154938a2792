"""`beagle letters`: what could not be registered, why, and what to do about it."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from beagle.cli.filters import (
    AsJson,
    Codes,
    Limit,
    Prefix,
    Since,
    StackName,
    TerraformPlace,
    by_id,
    choice_of,
    deployment,
    list_oldest_first,
    released,
)
from beagle.cli.output import aside, pretty_json, print_line, print_lines, screen, styled, wants_lines

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from rich.console import RenderableType

    from beagle.domain.items import Item
    from beagle.domain.letters import DeadLetter
    from beagle.pipeline.replay import Step

SHORT = 8
"""Characters of an id that are shown; any start that is unique will do."""


def letters(  # noqa: PLR0913 - each an option
    *,
    code: Codes = None,
    prefix: Prefix = "",
    since: Since = "",
    limit: Limit = None,
    show: Annotated[
        str, typer.Option(metavar="ID", help="One letter in full; the start of its id is enough.")
    ] = "",
    stack: StackName = "",
    terraform: TerraformPlace = None,
    as_json: AsJson = False,
) -> None:
    """`beagle letters --since 2h` lists the dead letters by code, with what to do about each.

    All of them stay where they are. `beagle letters --show ID` tells one in full.
    """
    from beagle.pipeline.replay import plan_replay  # noqa: PLC0415 - see the package
    from beagle.providers.local.clock import SystemClock  # noqa: PLC0415

    now = SystemClock().now()
    choice = choice_of(code, prefix, since, limit, now)
    place = deployment(stack, terraform)
    box = place.letter_box()
    with released(box):
        kept = list_oldest_first(box)
    if show:
        _show(by_id(kept, show)[0].letter, as_json=as_json)
        return
    steps = plan_replay(kept, choice)
    aside().print(styled(f"{_count(steps)} in {place.found_by}", "dim"), soft_wrap=True)
    if wants_lines(as_json):
        print_lines(record_of(step) for step in steps)
    elif steps:
        screen().print(groups(steps, now))


def record_of(step: Step) -> dict[str, Any]:
    """Return a letter as one line of data."""
    letter = step.letter
    ref = letter.event.ref if letter.event else None
    return {
        "id": letter.id,
        "code": letter.code,
        "reason": letter.reason,
        "advice": letter.advice,
        "stage": letter.stage,
        "object": {"provider": ref.provider, "bucket": ref.bucket, "key": ref.key} if ref else None,
        "route": letter.route or None,
        "dataset": letter.item.id.dataset if letter.item else None,
        "path": letter.item.id.path if letter.item else None,
        "name": letter.item.id.name if letter.item else None,
        "first_at": letter.first_at.isoformat(),
        "last_at": letter.last_at.isoformat(),
        "attempts": letter.attempts,
        "replayed": letter.replayed,
        "copies": len(step.copies),
        "replayable": step.body is not None,
    }


def groups(steps: Sequence[Step], now: datetime) -> RenderableType:
    """Return the letters by code, the most frequent code first."""
    from rich.console import Group  # noqa: PLC0415
    from rich.padding import Padding  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    by_code: dict[str, list[Step]] = defaultdict(list)
    for step in steps:
        by_code[step.letter.code].append(step)
    parts: list[RenderableType] = []
    for code, found in sorted(by_code.items(), key=lambda pair: (-len(pair[1]), pair[0])):
        newest = max(found, key=lambda step: step.letter.last_at).letter
        head = Text.assemble(
            (visible_code(code), "bold red"),
            (f"  {_letters(len(found))}, newest {_ago(newest.last_at, now)} ago", "dim"),
        )
        rows = Table.grid(padding=(0, 2))
        rows.add_column(style="dim", no_wrap=True)
        rows.add_column(overflow="fold")
        rows.add_row("for example", styled(key_of(newest)))
        rows.add_row(f"id {newest.id[:SHORT]}", styled(newest.reason))
        rows.add_row("do this", styled(newest.advice, "green"))
        parts += [*([""] if parts else []), head, Padding(rows, (0, 0, 0, 2))]
    return Group(*parts)


def key_of(letter: DeadLetter) -> str:
    """Return the object a letter is about, or what stands for it."""
    return str(letter.event.ref) if letter.event else "(a message that names no object)"


def visible_code(code: str) -> str:
    """Return a code as it may stand on a terminal: letters may be anybody's."""
    from beagle.cli.output import visible  # noqa: PLC0415

    return visible(code)


def _show(letter: DeadLetter, *, as_json: bool) -> None:
    from beagle.messages import dump_letter  # noqa: PLC0415

    if wants_lines(as_json):
        print_line(json.loads(dump_letter(letter)))
        return
    from rich.console import Group  # noqa: PLC0415
    from rich.panel import Panel  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column(overflow="fold")
    for name, value in (
        ("code", letter.code),
        ("reason", letter.reason),
        ("do this", letter.advice),
        ("object", key_of(letter)),
        ("content", letter.event.content if letter.event else ""),
        ("route", letter.route),
        ("stage", letter.stage),
        ("first", letter.first_at.isoformat()),
        ("last", letter.last_at.isoformat()),
        ("attempts", letter.attempts),
        ("replayed", letter.replayed),
        ("written by", f"Beagle {letter.version}"),
        ("id", letter.id),
    ):
        if value != "":
            facts.add_row(name, styled(value, {"code": "bold red", "do this": "green"}.get(name, "")))
    parts: list[RenderableType] = [facts]
    if letter.item:
        parts += ["", styled("item", "dim"), pretty_json(_said(letter.item))]
    if letter.raw:
        parts += ["", styled("the message as it arrived", "dim"), _raw(letter.raw)]
    screen().print(Panel(Group(*parts), border_style="red", padding=(1, 2)))


def _said(item: Item) -> dict[str, Any]:
    """Return the item as Darwin was told, or, where it cannot be said, its identity."""
    from beagle.domain.errors import InvalidRequestError  # noqa: PLC0415
    from beagle.registration.payloads import build_item  # noqa: PLC0415

    try:
        return build_item(item)
    except InvalidRequestError:
        return {"path": item.id.path, "name": item.id.name}


def _raw(raw: str) -> RenderableType:
    try:
        message = json.loads(raw)
    except (ValueError, RecursionError):
        return styled(raw)
    return pretty_json(message)


def _count(steps: Sequence[Step]) -> str:
    copies = sum(len(step.copies) for step in steps) - len(steps)
    more = f" (and {copies} further {'copy' if copies == 1 else 'copies'} of them)" if copies else ""
    return _letters(len(steps)) + more


def _letters(number: int) -> str:
    return f"{number or 'No'} dead letter{'' if number == 1 else 's'}"


def _ago(then: datetime, now: datetime) -> str:
    seconds = max(0, int((now - then).total_seconds()))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
