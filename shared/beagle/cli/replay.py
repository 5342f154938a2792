"""`beagle replay`: dead letters go through again, from the start."""

from __future__ import annotations

import sys
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
from beagle.cli.letters import SHORT, key_of, record_of
from beagle.cli.output import FAILED, aside, print_lines, screen, styled, wants_lines
from beagle.domain.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console, RenderableType

    from beagle.bootstrap.operator import Deployment
    from beagle.pipeline.replay import Step, StepDone
    from beagle.ports import LetterBox


def replay(  # noqa: PLR0913 - each an option
    *,
    code: Codes = None,
    prefix: Prefix = "",
    since: Since = "",
    limit: Limit = None,
    letter_id: Annotated[
        str, typer.Option("--id", metavar="ID", help="Only this letter; the start of its id is enough.")
    ] = "",
    stack: StackName = "",
    terraform: TerraformPlace = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would be replayed.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """`beagle replay --code name_collision --dry-run` tells what would be sent again; without it, sends it.

    Each object goes through from the start, so that corrected routes apply; its letter is removed once it is
    sent. Doing it twice is harmless: registration happens once for each item.

    Exits with 1 when a letter could not be sent.
    """
    from beagle.pipeline.replay import plan_replay  # noqa: PLC0415 - see the package
    from beagle.providers.local.clock import SystemClock  # noqa: PLC0415

    asks = not (yes or dry_run)
    if asks and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise ConfigurationError("No terminal to confirm on: pass --yes to proceed, or --dry-run to preview.")
    choice = choice_of(code, prefix, since, limit, SystemClock().now())
    place = deployment(stack, terraform)
    box = place.letter_box()
    with released(box):
        letters = list_oldest_first(box)
        steps = plan_replay(by_id(letters, letter_id) if letter_id else letters, choice)
        lines = wants_lines(as_json)
        aside().print(styled(_summary(steps, place), "dim"), soft_wrap=True)
        if steps and not lines:
            screen().print(plan_table(steps))
        if dry_run and lines:
            print_lines(record_of(step) for step in steps)
        if dry_run or not steps or (asks and not typer.confirm("Replay?", err=True)):
            return
        done = run_plan(steps, place, box, aside())
        if lines:
            print_lines(_record(one) for one in done)
    failed = [one for one in done if one.error]
    for one in failed:
        aside().print(
            styled(f"{one.step.letter.id[:SHORT]} {key_of(one.step.letter)}: {one.error}", "red"),
            soft_wrap=True,
        )
    aside().print(
        styled(f"{len(done) - len(failed)} sent, {len(failed)} failed", "red" if failed else "green")
    )
    if failed:
        raise typer.Exit(FAILED)


def run_plan(steps: Sequence[Step], place: Deployment, box: LetterBox, console: Console) -> list[StepDone]:
    """Send every planned message, with a progress bar for whoever looks."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn  # noqa: PLC0415

    from beagle.pipeline.replay import run_replay  # noqa: PLC0415

    columns = (TextColumn("Replaying"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        running = run_replay(steps, place.outbox(), box)
        return list(progress.track(running, total=len(steps)))


def plan_table(steps: Sequence[Step]) -> RenderableType:
    """Return what a replay does, a row a letter."""
    from rich.table import Table  # noqa: PLC0415

    table = Table(box=None, padding=(0, 2), header_style="dim")
    for column in ("id", "code", "copies", "object"):
        table.add_column(column, overflow="fold", justify="right" if column == "copies" else "left")
    for step in steps:
        lost = styled(f"  cannot be sent again. {step.obstacle}" if step.body is None else "", "red")
        table.add_row(
            step.letter.id[:SHORT],
            styled(step.letter.code, "red"),
            str(len(step.copies)),
            styled(key_of(step.letter)).append_text(lost),
        )
    return table


def _summary(steps: Sequence[Step], place: Deployment) -> str:
    number = f"{len(steps)} dead letter{'' if len(steps) == 1 else 's'}"
    return f"{number} to replay, of {place.found_by}" if steps else f"Nothing to replay in {place.found_by}"


def _record(done: StepDone) -> dict[str, Any]:
    return {
        **record_of(done.step),
        "sent": done.error is None,
        "error": str(done.error) if done.error else None,
    }
