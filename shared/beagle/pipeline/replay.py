"""Replay: chosen dead letters go through the pipeline again, from its start: corrected routes apply."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from beagle.domain.errors import (
    BeagleError,
    NewerMessageError,
    QueueUnavailableError,
    UnparsableMessageError,
)
from beagle.domain.letters import RAW_LIMIT, DeadLetter
from beagle.forms import is_ours
from beagle.messages import dump_event, look_inside
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
    """When the letter was written, or later; of what nobody knows when, all is meant."""
    limit: int | None = None

    def takes(self, kept: KeptLetter) -> bool:
        """Say whether the letter is meant, whatever the limit."""
        letter = kept.letter
        key = letter.event.ref.key if letter.event else ""
        return (
            (not self.codes or letter.code in self.codes)
            and key.startswith(self.prefix)
            and (self.since is None or not kept.is_dated or letter.last_at >= self.since)
        )


@dataclass(frozen=True, slots=True)
class Step:
    """One letter to be replayed, with every copy of it that the queue holds."""

    letter: DeadLetter
    copies: tuple[KeptLetter, ...]
    body: str | None
    """The message that brings it back; None where nothing can."""

    @property
    def obstacle(self) -> str:
        """Why nothing brings it back."""
        if self.letter.code == NewerMessageError.code:
            return "A newer Beagle wrote it: replay it by that version's command."
        return "Too little of the message was kept: upload the object again."


@dataclass(frozen=True, slots=True)
class StepDone:
    """What became of a step; no error: it was sent again, and its letter is gone."""

    step: Step
    error: BeagleError | None


def plan_replay(letters: Iterable[KeptLetter], choice: Choice) -> list[Step]:
    """Return what a replay would do, in the order of the letters; copies of one letter are one step."""
    copies: dict[str, list[KeptLetter]] = {}
    for kept in letters:
        if choice.takes(kept):
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
                raise UnparsableMessageError(step.obstacle)
            if uploads.send([step.body]):
                raise QueueUnavailableError("The uploads queue did not take the message.")
            for kept in step.copies:
                box.remove(kept)
        except BeagleError as error:
            yield StepDone(step, error)
        else:
            yield StepDone(step, None)


def _body(letter: DeadLetter) -> str | None:
    event = letter.event or look_inside(letter.raw).event
    if event:
        return dump_event(event, letter.replayed + 1)
    # Of a message of our own that tells of no object, prepare would only make one more letter.
    is_cut = not letter.is_whole or len(letter.raw) == RAW_LIMIT
    return None if is_cut or is_ours(letter.raw) else letter.raw
