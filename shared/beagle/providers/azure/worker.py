"""A function on Azure: a queue message in, deleted when this returns, delivered again when this raises."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from beagle.domain.errors import ServiceError
from beagle.ports import Clock, Received, Stage
from beagle.providers.gather import Gather
from beagle.providers.local.clock import Until

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
        return Received(
            id=f"message-{next(self._names)}",
            body=message.get_body().decode(errors="replace"),
            attempts=message.dequeue_count or 1,
            name=message.id or "",
        )


@dataclass(frozen=True, slots=True)
class Worker:
    """One function, message by message."""

    stage: Stage
    invocations: Invocations

    def answer(self, message: QueueMessage) -> None:
        """Take one message through.

        Raises:
            ComeAgainError: It must come again.

        """
        received, deadline = self.invocations.received(message), self.invocations.deadline()
        if self.stage.run([received], deadline).again:
            raise ComeAgainError(_AGAIN)


@dataclass(frozen=True, slots=True)
class GatheringWorker:
    """One function whose messages are taken through together; no thread waits with them."""

    gather: Gather
    invocations: Invocations

    async def answer(self, message: QueueMessage) -> None:
        """Take one message through, with what else is waiting; raises as `Worker.answer` does."""
        received, deadline = self.invocations.received(message), self.invocations.deadline()
        if await asyncio.wrap_future(self.gather.submit(received, deadline)):
            raise ComeAgainError(_AGAIN)
