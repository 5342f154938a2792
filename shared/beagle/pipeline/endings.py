"""How a stage ends an object that goes no further: as a dead letter, or left in its queue for later."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from beagle.domain.errors import (
    BeagleError,
    ObjectGoneError,
    QueueUnavailableError,
    ServiceError,
    SupersededError,
    VerdictError,
)
from beagle.domain.events import ObjectCreated
from beagle.domain.items import Item
from beagle.domain.letters import RAW_LIMIT, DeadLetter, derive_letter_id
from beagle.domain.outcomes import Ending, Outcome
from beagle.ports import Clock, DeadLetters, Received

FIRST_WAIT = 15.0
LONGEST_WAIT = 900.0
"""Seconds. The longest keeps a message alive through a long outage: 200 receives last for more than a day."""


def shortest_wait(attempts: int) -> float:
    """Return the seconds that a message waits at least after so many attempts."""
    return min(FIRST_WAIT * 2.0 ** min(attempts - 1, 10), LONGEST_WAIT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The object that is spoken of, as far as a stage knows it by now."""

    message: Received
    event: ObjectCreated | None = None
    item: Item | None = None
    route: str = ""
    replayed: int = 0


def _is_asked_again(subject: Subject, error: VerdictError) -> bool:
    """Say whether a verdict is too early: that an object is gone is seen twice before it is believed."""
    return isinstance(error, ObjectGoneError) and subject.message.attempts == 1


@dataclass(frozen=True, slots=True)
class Endings:
    """Turns errors into outcomes, by their class alone."""

    stage: str
    dead_letters: DeadLetters
    clock: Clock
    version: str
    chance: Callable[[], float] = field(default=random.random)
    """Draws the jitter, in [0, 1)."""

    def end(self, subject: Subject, error: BeagleError) -> Outcome:
        """Dead-letter what can never succeed; leave the rest in its queue, unless nothing is left to do."""
        if isinstance(error, SupersededError):
            return self.good(Ending.SUPERSEDED, subject, error.code, str(error))
        if isinstance(error, VerdictError) and not _is_asked_again(subject, error):
            return self.bury(subject, error)
        return self.again(subject, error)

    def bury(self, subject: Subject, error: BeagleError) -> Outcome:
        """Record a dead letter; while that fails, the message stays where it is."""
        event, now = subject.event, self.clock.now()
        letter = DeadLetter(
            id=derive_letter_id(error.code, event, subject.message.body),
            code=error.code,
            reason=str(error),
            stage=self.stage,
            event=event,
            raw=subject.message.body[:RAW_LIMIT],
            item=subject.item,
            route=subject.route,
            attempts=subject.message.attempts,
            replayed=subject.replayed,
            first_at=event.occurred_at if event else now,
            last_at=now,
            version=self.version,
            is_whole=len(subject.message.body) <= RAW_LIMIT,
        )
        try:
            self.dead_letters.record(letter)
        except QueueUnavailableError as trouble:
            return self.again(subject, trouble)
        return self._outcome(Ending.DEAD_LETTERED, subject, error.code, str(error))

    def again(self, subject: Subject, error: BeagleError) -> Outcome:
        """Leave the message in its queue, for longer each time, and as long as the service asked at least."""
        wait = shortest_wait(subject.message.attempts)
        asked = (error.retry_after or 0.0) if isinstance(error, ServiceError) else 0.0
        # A third of the wait is left to chance, so that what failed together does not come back together;
        # never sooner than asked, and later each time, or a long outage would use up the queue's patience.
        retry_in = max(asked, wait) * (1 + self.chance() / 2)
        outcome = self._outcome(Ending.AGAIN, subject, error.code, str(error))
        return replace(outcome, retry_in=retry_in, waited=self._waited(subject.message))

    def good(self, ending: Ending, subject: Subject, code: str = "", detail: str = "") -> Outcome:
        """Say that the object ended, or moved on, as it should."""
        return self._outcome(ending, subject, code, detail)

    def _waited(self, message: Received) -> float | None:
        return (self.clock.now() - message.sent_at).total_seconds() if message.sent_at else None

    @staticmethod
    def _outcome(ending: Ending, subject: Subject, code: str, detail: str) -> Outcome:
        return Outcome(
            ending=ending,
            code=code,
            ref=subject.event.ref if subject.event else None,
            content=subject.event.content if subject.event else "",
            item=subject.item.id if subject.item else None,
            detail=detail,
        )
