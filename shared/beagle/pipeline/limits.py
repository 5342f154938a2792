"""How long a stage begins new work, and how often it tries work that comes to no end."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from beagle.domain.errors import (
    DecoderStoppedError,
    LedgerUnavailableError,
    MediaTooSlowError,
    OutOfTimeError,
)
from beagle.ports import Attempts, Trace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from beagle.ports import Deadline

SPARE = 5.0
"""Seconds that a stage leaves unused, for writing down what it has and for its answer."""
TRIES = 10
"""Tries after which a file whose decoding had to be stopped each time is not tried again.

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
        self.whole = self.remaining()
        """Seconds that the invocation had for work when it began."""

    def remaining(self) -> float:
        """Return seconds."""
        return self.deadline.remaining() - SPARE


@dataclass(frozen=True, slots=True)
class Tries:
    """Gives up on a file whose decoding was stopped once too often.

    Its stopped tries are written down. How often the queue has delivered its message does not tell: an outage
    brings it back as often, and so does a platform that has no instance to spare.
    """

    stopped: Attempts

    @contextmanager
    def counted(self, work: str, deadline: Sparing, *, first: bool) -> Iterator[None]:
        """Do work that may be too slow for an invocation, and write down that it was stopped.

        `work` says what is done, the same at each try. A try that had to share its invocation tells nothing
        of the file. What is done in the end starts anew, should it be asked for again; at the first delivery
        nothing was written down yet, and nobody is asked.

        Raises:
            MediaTooSlowError: It was stopped once too often.

        """
        had = deadline.remaining()
        try:
            yield
        except (OutOfTimeError, DecoderStoppedError) as error:
            if had < deadline.whole / 2 or (tries := self._count(work)) < TRIES:
                raise
            told = f"It was stopped {tries} times. The last try had {had:.0f} seconds and ended so: {error}"
            raise MediaTooSlowError(told) from error
        if not first:
            self._forget(work)

    def _count(self, work: str) -> int:
        """Return how often the work was stopped by now; a try that cannot be written down is not counted."""
        with suppress(LedgerUnavailableError):
            [trace] = self.stopped.read([work])
            tries = trace.unended + 1
            self.stopped.write([(work, Trace(unended=tries))])
            return tries
        return 0

    def _forget(self, work: str) -> None:
        with suppress(LedgerUnavailableError):
            [trace] = self.stopped.read([work])
            if trace.unended:
                self.stopped.write([(work, Trace())])
