"""Time: how it passes, and how much of it is left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime


class Clock(Protocol):
    """The time. A fake one makes hours of outage testable."""

    def now(self) -> datetime:
        """Return the wall-clock time, aware of its zone: for people, never for order."""

    def monotonic(self) -> float:
        """Return seconds that only grow."""

    def sleep(self, seconds: float) -> None:
        """Return after that many seconds."""


class Deadline(Protocol):
    """How long this invocation may still work."""

    def remaining(self) -> float:
        """Return seconds; negative once it is over."""
