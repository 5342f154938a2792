"""Replay: chosen dead letters go through the pipeline again, from its start: corrected routes apply."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from beagle.domain.errors import BeagleError, QueueUnavailableError, UnparsableMessageError
from beagle.domain.letters import RAW_LIMIT, DeadLetter
from beagle.messages import dump_event
from beagle.ports import KeptLetter

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from beagle.ports import LetterBox, Outbox


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which letters are meant; what is left out chooses all."""

    codes: frozenset[str] = frozenset()
    prefix: str = ""
    """Of the object's key."""
    since: datetime | None = None
    """When the letter was written, or later."""
    limit: int | None = None

    def takes(self, letter: DeadLetter) -> bool:
        """Say whether the letter is meant, whatever the limit."""
        key = letter.event.ref.key if letter.event else ""
        return (
            (not self.codes or letter.code in self.codes)
            and key.startswith(self.prefix)
            and (self.since is None or letter.last_at >= self.since)
        )


@dataclass(frozen=True, slots=True)
class Step:
    """One letter to be replayed, with every copy of it that the queue holds."""

    letter: DeadLetter
    copies: tuple[KeptLetter, ...]
    body: str | None
    """The message that brings it back; None where too little of it was kept to bring it back."""


@dataclass(frozen=True, slots=True)
class StepDone:
    """What became of a step; no error: it was sent again, and its letter is gone."""

    step: Step
    error: BeagleError | None


def plan_replay(letters: Iterable[KeptLetter], choice: Choice) -> list[Step]:
    """Return what a replay would do, in the order of the letters; copies of one letter are one step."""
    copies: dict[str, list[KeptLetter]] = {}
    for kept in letters:
        if choice.takes(kept.letter):
            copies.setdefault(kept.letter.id, []).append(kept)
    chosen = list(copies.values())[: choice.limit]
    return [Step(found[0].letter, tuple(found), _body(found[0].letter)) for found in chosen]


def run_replay(steps: Sequence[Step], uploads: Outbox, box: LetterBox) -> Iterator[StepDone]:
    """Send each planned message, then remove its letter: interrupted between the two, it is sent twice.

    Twice is harmless: registration happens once for each item.
    """
    for step in steps:
        try:
            if step.body is None:
                raise UnparsableMessageError("Too little of the message was kept: upload the object again.")
            if uploads.send([step.body]):
                raise QueueUnavailableError("The uploads queue did not take the message.")
            for kept in step.copies:
                box.remove(kept)
        except BeagleError as error:
            yield StepDone(step, error)
        else:
            yield StepDone(step, None)


def _body(letter: DeadLetter) -> str | None:
    if letter.event:
        return dump_event(letter.event, letter.replayed + 1)
    return letter.raw if letter.is_whole and len(letter.raw) < RAW_LIMIT else None
