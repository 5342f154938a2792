"""Messages in and out, what became of them, and the dead letters."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, Protocol

from beagle.domain.letters import DeadLetter
from beagle.domain.outcomes import Ending, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from beagle.domain.events import Notification
    from beagle.ports.clock import Deadline


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One queue message, as delivered to a stage."""

    id: str
    """Names this delivery, within its batch; never an identity of what it says."""
    body: str
    attempts: int = 1
    """How often the queue has delivered it, this time included."""
    name: str = ""
    """The queue's own name for the message, at each of its deliveries and for no other; empty if unknown."""
    sent_at: datetime | None = None
    """When it came into the queue; None if unknown."""


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a batch: which messages must come again, and every object's outcome."""

    again: dict[str, float | None]
    """Message id to seconds until it should come; None leaves that to the queue."""
    outcomes: tuple[Outcome, ...]

    def count(self) -> Counter[Ending]:
        """Return how many objects ended in each way."""
        return Counter(outcome.ending for outcome in self.outcomes)


class Stage(Protocol):
    """Prepare, extract or register: what a function runs."""

    def run(self, batch: Sequence[Received], deadline: Deadline) -> Report:
        """Take a batch through; no message may be acknowledged that the report asks for again."""


class Outbox(Protocol):
    """A queue to write to."""

    most_bytes: ClassVar[int]
    """How long a body may be; longer ones must lie elsewhere."""

    def send(self, bodies: Sequence[str]) -> list[int]:
        """Send each body as a message, durably; return the indices of those the queue did not take.

        Raises:
            QueueUnavailableError: The queue did not answer.

        """


class Parcels(Protocol):
    """Where messages that are too large for a queue lie."""

    def keep(self, body: str) -> str:
        """Return the key under which the message lies now, durably.

        Raises:
            LedgerUnavailableError: It was not kept.

        """

    def fetch(self, key: str) -> str:
        """Return a message.

        Raises:
            LedgerUnavailableError: It cannot be had.

        """


class DeadLetters(Protocol):
    """Where what cannot be registered is kept."""

    def record(self, letter: DeadLetter) -> None:
        """Keep the letter, durably before this returns. The same id twice is harmless.

        Raises:
            QueueUnavailableError: It was not kept; the message must stay where it is.

        """


@dataclass(frozen=True, slots=True)
class KeptLetter:
    """A letter together with what its queue needs to remove it."""

    letter: DeadLetter
    receipt: object
    is_dated: bool = True
    """Whether `last_at` is when it became a letter: SQS tells only when a message was first sent."""


class LetterBox(Protocol):
    """The dead letters, as the operator reads them."""

    def list_letters(self) -> Iterator[KeptLetter]:
        """Yield every letter once, oldest first as far as the queue knows, and leave all of them in place."""

    def remove(self, kept: KeptLetter) -> None:
        """Take one letter away."""

    def release(self) -> None:
        """Make the letters that were listed visible again for the next reader."""


class Parse(Protocol):
    """A provider's `parse_notification`."""

    def __call__(self, body: str) -> Notification:
        """Return what the message announces.

        Raises:
            UnparsableMessageError: The message is none of the provider's forms.

        """
