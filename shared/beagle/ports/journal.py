"""What is written down for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from beagle.domain.outcomes import Outcome


class Journal(Protocol):
    """The record of outcomes: a log line and a metric each."""

    def note(self, stage: str, outcome: Outcome) -> None:
        """Write one outcome of a stage down."""

    def alarm(self, code: str, message: str) -> None:
        """Say once an invocation that a service, not an object, is in trouble."""

    def bug(self, stage: str, error: Exception) -> None:
        """Write down, with its traceback, an exception that nobody expected, and call a person."""
