"""How long a stage begins new work, and how often it tries work that comes to no end."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from beagle.domain.errors import DecoderStoppedError, MediaTooSlowError, OutOfTimeError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from beagle.ports import Deadline

SPARE = 5.0
"""Seconds that a stage leaves unused, for writing down what it has and for its answer."""
TRIES = 10
"""Deliveries after which a file whose decoding had to be stopped is not tried again.

Each may cost a whole invocation: of extract, a quarter of an hour of four processors.
"""


def require_time(deadline: Deadline, seconds: float = SPARE) -> None:
    """Return if so much time is left.

    Raises:
        OutOfTimeError: The work would outlive the invocation; its message comes again.

    """
    if deadline.remaining() < seconds:
        raise OutOfTimeError("The invocation is about to end.")


class Sparing:
    """A deadline for long work, early enough that what is stopped by it can still be written down."""

    def __init__(self, deadline: Deadline) -> None:
        self.deadline = deadline
        self._whole = self.remaining()

    def remaining(self) -> float:
        """Return seconds."""
        return self.deadline.remaining() - SPARE

    @contextmanager
    def last_of(self, tries: int) -> Iterator[None]:
        """Do work on a file that may be too slow for an invocation, which is told if these are many tries.

        A try that had to share its invocation tells nothing of the file.

        Raises:
            MediaTooSlowError: It was stopped once too often.

        """
        had = self.remaining()
        try:
            yield
        except (OutOfTimeError, DecoderStoppedError) as error:
            if tries < TRIES or had < self._whole / 2:
                raise
            told = f"It was delivered {tries} times. The last try had {had:.0f} seconds and ended so: {error}"
            raise MediaTooSlowError(told) from error
