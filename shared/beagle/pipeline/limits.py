"""How long a stage begins new work: until little time of its invocation is left."""

from __future__ import annotations

from dataclasses import dataclass

from beagle.domain.errors import OutOfTimeError
from beagle.ports import Deadline

SPARE = 5.0
"""Seconds that a stage leaves unused, for writing down what it has and for its answer."""


def require_time(deadline: Deadline, seconds: float = SPARE) -> None:
    """Return if so much time is left.

    Raises:
        OutOfTimeError: The work would outlive the invocation; its message comes again.

    """
    if deadline.remaining() < seconds:
        raise OutOfTimeError("The invocation is about to end.")


@dataclass(frozen=True, slots=True)
class Sparing:
    """A deadline for long work, early enough that what is stopped by it can still be written down."""

    deadline: Deadline

    def remaining(self) -> float:
        """Return seconds."""
        return self.deadline.remaining() - SPARE
