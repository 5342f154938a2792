"""A function on Azure: a queue message in, deleted when this returns, delivered again when this raises."""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from beagle import __version__
from beagle.domain.errors import QueueUnavailableError, ServiceError
from beagle.domain.outcomes import Ending, Outcome
from beagle.messages import load_letter
from beagle.ports import Clock, DeadLetters, Journal, Received, Stage
from beagle.providers.gather import Gather
from beagle.providers.local.clock import Until

if TYPE_CHECKING:
    from datetime import datetime

MARGIN = 15.0
"""Seconds before the host's own time limit."""


_AGAIN = "The message comes again: the log names its object, and says why."


class ComeAgainError(ServiceError):
    """The host must deliver the message again: its log has said why."""

    code = "come_again"


class QueueMessage(Protocol):
    """The part of `azure.functions.QueueMessage` that is used."""

    @property
    def id(self) -> str | None:
        """The queue's name for it."""

    @property
    def dequeue_count(self) -> int | None:
        """How often it was delivered, this time included."""

    @property
    def insertion_time(self) -> datetime | None:
        """When the queue took it."""

    def get_body(self) -> bytes:
        """Return what it says."""


@dataclass(frozen=True, slots=True)
class Invocations:
    """What every invocation of a function needs: time, and a name for its message."""

    clock: Clock
    seconds: float
    """How long one may last."""
    _names: Iterator[int] = field(default_factory=itertools.count)

    def deadline(self) -> Until:
        """Return when an invocation that begins now must have ended."""
        return Until(self.clock, self.clock.monotonic() + self.seconds - MARGIN)

    def received(self, message: QueueMessage) -> Received:
        """Return a message in our own words."""
        sent_at = message.insertion_time
        return Received(
            id=f"message-{next(self._names)}",
            body=message.get_body().decode(errors="replace"),
            attempts=message.dequeue_count or 1,
            name=message.id or "",
            # Azure's library drops the zone of a form of time that it does not know well.
            sent_at=sent_at if sent_at and sent_at.tzinfo else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LastDelivery:
    """Keeps what the host would give up: what it puts into a poison queue is there for a week only."""

    stage: str
    deliveries: int
    """How often the host delivers a message: its `maxDequeueCount`."""
    dead_letters: DeadLetters
    journal: Journal
    clock: Clock

    def is_near(self, message: Received) -> bool:
        """Say whether it is this one, or the one before it: a letter that is not taken is tried again."""
        return message.attempts >= self.deliveries - 1

    def keep(self, message: Received) -> Outcome:
        """Make a message the letter that other providers' queues make of it, durably.

        Raises:
            ComeAgainError: It was not kept.

        """
        now = self.clock.now()
        letter = load_letter(message.body, attempts=message.attempts, sent_at=now, version=__version__)
        try:
            self.dead_letters.record(letter)
        except QueueUnavailableError as error:
            raise ComeAgainError(_AGAIN) from error
        return Outcome(
            ending=Ending.DEAD_LETTERED,
            code=letter.code,
            ref=letter.event.ref if letter.event else None,
            content=letter.event.content if letter.event else "",
            item=letter.item.id if letter.item else None,
            detail=letter.reason,
        )

    def note(self, outcome: Outcome) -> None:
        """Write down that a message was kept."""
        self.journal.note(self.stage, outcome)


@dataclass(frozen=True, slots=True)
class Worker:
    """One function, message by message."""

    stage: Stage
    invocations: Invocations
    last: LastDelivery

    def answer(self, message: QueueMessage) -> None:
        """Take one message through.

        Raises:
            ComeAgainError: It must come again.

        """
        received, deadline = self.invocations.received(message), self.invocations.deadline()
        if not self.stage.run([received], deadline).again:
            return
        if not self.last.is_near(received):
            raise ComeAgainError(_AGAIN)
        self.last.note(self.last.keep(received))


@dataclass(frozen=True, slots=True)
class HeldLines:
    """Lines of the log, held until an invocation writes them.

    The host drops every line that it cannot assign to an invocation under way, and the thread in which
    messages are taken through together belongs to none.
    """

    write: Callable[[str, str], None]
    _held: deque[tuple[str, str]] = field(default_factory=deque)

    def hold(self, severity: str, line: str) -> None:
        """Take a line from any thread."""
        self._held.append((severity, line))

    def write_out(self) -> None:
        """Write what is held as the invocation that calls, be it about its own message or another's."""
        while self._held:
            self.write(*self._held.popleft())


@dataclass(frozen=True, slots=True)
class GatheringWorker:
    """One function whose messages are taken through together; no thread waits with them."""

    gather: Gather
    lines: HeldLines
    """What the stage writes."""
    invocations: Invocations
    last: LastDelivery

    async def answer(self, message: QueueMessage) -> None:
        """Take one message through, with what else is waiting; raises as `Worker.answer` does."""
        received, deadline = self.invocations.received(message), self.invocations.deadline()
        try:
            again = await asyncio.wrap_future(self.gather.submit(received, deadline))
        finally:
            # All of a batch's lines are held by now: whichever of its invocations wakes first writes them.
            self.lines.write_out()
        if not again:
            return
        if not self.last.is_near(received):
            raise ComeAgainError(_AGAIN)
        self.last.note(await asyncio.to_thread(self.last.keep, received))
