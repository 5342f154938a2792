"""A function on Cloud Run: a pushed message in, a status out; success acknowledges it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from beagle.ports import Clock, Stage
from beagle.providers.gcp.queue import read_push
from beagle.providers.local.clock import Until

if TYPE_CHECKING:
    from beagle.ports import Deadline, Received

ACKNOWLEDGED, AGAIN = 204, 409
"""Pub/Sub takes every other status than a success for a wish to have the message again, after a pause.

It is none of the server's errors (5xx): each of those is a failure that somebody is told of, and an instance
that answers nothing else may be ended for it. Nor is it one by which Cloud Run itself turns calls away: 401,
403, 404, 429.
"""
MARGIN = 10.0
"""Seconds before the push's own end: an answer that comes after it is none."""


class Headers(Protocol):
    """HTTP's, whatever the case of their names."""

    def get(self, name: str, /) -> str | None:
        """Return one; None where there is none."""


class Taking(Protocol):
    """What takes one message through."""

    def take(self, message: Received, deadline: Deadline) -> bool:
        """Say whether the message must come again."""


@dataclass(frozen=True, slots=True)
class Alone:
    """Takes each message through by itself."""

    stage: Stage

    def take(self, message: Received, deadline: Deadline) -> bool:
        """Say whether the message must come again."""
        return bool(self.stage.run([message], deadline).again)


@dataclass(frozen=True, slots=True)
class Worker:
    """One function; many threads may ask it at once."""

    taking: Taking
    clock: Clock
    seconds: float
    """How long one push may last."""
    _names: Iterator[int] = field(default_factory=itertools.count)

    def answer(self, headers: Headers, body: bytes) -> tuple[str, int]:
        """Take one pushed message through; an exception is a status 500, and the message comes again."""
        deadline = Until(self.clock, self.clock.monotonic() + self.seconds - MARGIN)
        message = read_push(headers.get, body.decode(errors="replace"), f"push-{next(self._names)}")
        return "", AGAIN if self.taking.take(message, deadline) else ACKNOWLEDGED
