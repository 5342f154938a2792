"""How the demo looks: a table that fills itself on a terminal, plain lines anywhere else."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich import box
from rich.live import Live
from rich.table import Table
from rich.text import Text

from beagle.cli.letters import groups
from beagle.cli.output import outcome_text, styled
from beagle.cli.replay import plan_table
from beagle.cli.up import outcome_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from rich.console import Console

    from beagle.pipeline.replay import Step
    from beagle.playground.outcomes import Ended
    from beagle.playground.run import Books, Run
    from beagle.playground.story import Upload

_STEPS = {
    "aws": "Local AWS, its permissions enforced",
    "darwin": "Darwin, played by the emulator",
    "build": "Functions built",
    "deploy": "template.yaml deployed",
}
_ENDINGS = ("registered", "already_registered", "superseded", "ignored", "dead_lettered")


class Show:
    """Tells a person what happens."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._since = time.monotonic()
        self._told = 0

    def title(self, text: str) -> None:
        """Begin a new act."""
        self.console.print()
        self.console.print(styled(text, "bold"))

    def say(self, text: str) -> None:
        """Say one sentence."""
        self.console.print(styled(text), soft_wrap=True)

    def step(self, step: str, detail: str) -> None:
        """Tick a step off, with the seconds it took."""
        now = time.monotonic()
        took, self._since = now - self._since, now
        line = Text.assemble(("  ok  ", "green"), f"{_STEPS[step]:<38}", (f"{took:4.1f} s", "dim"))
        if step in {"aws", "darwin"}:
            line.append(f"  {detail}", style="cyan" if step == "darwin" else "dim")
        self.console.print(line, soft_wrap=True)

    @contextmanager
    def watching(self, run: Run) -> Iterator[None]:
        """Show what becomes of the uploads for as long as the block runs."""
        if not self.console.is_terminal:
            with self.telling(run):
                yield
            return
        with Live(_progress(run.uploads, []), console=self.console, refresh_per_second=10) as live:
            run.look = lambda ended: live.update(_progress(run.uploads, ended))
            yield

    @contextmanager
    def telling(self, run: Run) -> Iterator[None]:
        """Tell each new outcome as a line for as long as the block runs."""

        def look(ended: list[Ended]) -> None:
            for one in ended[self._told :]:
                if one.is_final:
                    self.console.print("  ", outcome_line(one), sep="", soft_wrap=True)
            self._told = len(ended)

        run.look = look
        yield

    def skip(self, run: Run) -> None:
        """Count what has been shown already as told."""
        self._told = len(run.outcomes())

    def letters(self, steps: Sequence[Step], now: datetime) -> None:
        """Show the dead letters as `beagle letters` does."""
        self.console.print(groups(steps, now))

    def correct(self, before: str, after: str) -> None:
        """Show a line that was changed."""
        self.console.print(Text.assemble((f"  - {before}\n", "red"), (f"  + {after}", "green")))

    def plan(self, steps: Sequence[Step]) -> None:
        """Show what will be replayed as `beagle replay` does."""
        self.console.print(plan_table(steps))

    def books(self, books: Books) -> None:
        """Show the conservation law at work."""
        self.console.print(_ledger(books))
        for sentence, holds in books.checks:
            mark = ("  ok  ", "green") if holds else ("  NO  ", "bold red")
            self.console.print(Text.assemble(mark, sentence), soft_wrap=True)

    def page(self, url: str, *, keep: bool) -> None:
        """Say where to look."""
        self.console.print()
        self.console.print(Text.assemble("Darwin's page: ", (url, "bold cyan")), soft_wrap=True)
        if not keep:
            self.console.print(
                styled(
                    "It ends now. To look around: beagle demo --keep. For your own files: beagle up.", "dim"
                ),
                soft_wrap=True,
            )


def _progress(uploads: Sequence[Upload], ended: Sequence[Ended]) -> Table:
    table = Table(box=None, padding=(0, 1), header_style="dim")
    for column in ("first delivery", "second delivery"):
        table.add_column(column, no_wrap=True, min_width=len("already registered"))
    table.add_column("object", overflow="fold")
    for upload in uploads:
        mine = [one for one in ended if one.key == upload.key]
        final = [one for one in mine if one.is_final]
        waiting = outcome_text("passed_on") if mine else styled("on its way", "dim")
        why = ""
        if final:
            why = f" -> {final[0].place}" if final[0].stands else f": {final[0].code}"
        table.add_row(
            outcome_text(final[0].ending) if final else waiting,
            outcome_text(final[1].ending) if len(final) > 1 else "",
            Text.assemble(styled(upload.key), "\n", styled(upload.about + why, "dim")),
        )
    return table


def _ledger(books: Books) -> Table:
    from beagle.playground.outcomes import Account  # noqa: PLC0415 - for this act alone

    columns = [*books.acts.values(), sum(books.acts.values(), Account())]
    table = Table(box=box.SIMPLE_HEAD, header_style="dim", padding=(0, 2))
    table.add_column("")
    for name in (*books.acts, "all"):
        table.add_column(name, justify="right", style="bold" if name == "all" else "")
    table.add_row("received", *(str(len(act.received)) for act in columns), style="bold", end_section=True)
    for ending in _ENDINGS:
        table.add_row(outcome_text(ending), *(_number(act.counts[ending]) for act in columns))
    table.add_row("still queued", *(_number(len(act.queued)) for act in columns), end_section=True)
    sums = [act.counts.total() + len(act.queued) for act in columns]
    table.add_row("sum", *map(str, sums), style="bold")
    return table


def _number(number: int) -> Text:
    return Text(str(number), style="" if number else "bright_black")
