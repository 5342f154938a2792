"""What the pipeline asks of the world. Small, public, and documented by what callers may rely on.

Implementations raise nothing but `BeagleError`s for trouble they expect; anything else is a bug and
propagates.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from beagle.domain.items import Access, ItemId
from beagle.domain.letters import DeadLetter
from beagle.domain.outcomes import Ending, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from beagle.domain.answers import Answer, Standing
    from beagle.domain.errors import ServiceError
    from beagle.domain.events import Notification, ObjectCreated
    from beagle.domain.items import Item, ReadyItem, ReadyPart


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


# --- queues ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One queue message, as delivered to a stage."""

    id: str
    """Names this delivery, within its batch; never an identity of what it says."""
    body: str
    attempts: int = 1
    """How often the queue has delivered it, this time included."""


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a batch: which messages must come again, and every object's outcome."""

    again: dict[str, float | None]
    """Message id to seconds until it should come; None leaves that to the queue."""
    outcomes: tuple[Outcome, ...]

    def count(self) -> Counter[Ending]:
        """Return how many objects ended in each way."""
        return Counter(outcome.ending for outcome in self.outcomes)


class Outbox(Protocol):
    """A queue to write to."""

    def send(self, bodies: Sequence[str]) -> list[int]:
        """Send each body as a message, durably; return the indices of those the queue did not take.

        Raises:
            QueueUnavailableError: The queue did not answer.

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


class GroupMembers(Protocol):
    """What has arrived of groups that are not whole yet."""

    def add(self, group: str, ready: ReadyItem) -> None:
        """Remember one object of a group; the same object again replaces itself.

        Raises:
            LedgerUnavailableError: It was not remembered.

        """

    def members(self, group: str, item: ItemId) -> list[ReadyItem]:
        """Return all objects of a group that were added, for the item that they become.

        Raises:
            LedgerUnavailableError: It cannot be told.

        """


@dataclass(frozen=True, slots=True)
class Split:
    """A video that does not fit into one invocation: its parts, as its maker wants them back."""

    slot: int
    """Which of the item's slots."""
    parts: tuple[dict[str, Any], ...]


class ArtifactMaker(Protocol):
    """What read-only storage needs besides the object: thumbnails, frames, manifests."""

    def make(self, ready: ReadyItem, deadline: Deadline) -> Item | Split:
        """Return the item with every slot's artifacts, durable at deterministic keys; or how to split it.

        Raises:
            VerdictError: The object can never have them.
            SupersededError: It has other content by now.
            ServiceError: Not now.

        """

    def make_part(self, part: ReadyPart, deadline: Deadline) -> dict[str, Any]:
        """Make the artifacts of one part; return what `join` needs of it. Raises as `make`."""

    def join(self, ready: ReadyItem, slot: int, results: Sequence[dict[str, Any]]) -> Item:
        """Return the item once all parts of a slot are made. Raises as `make`."""


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


class PartResults(Protocol):
    """What is known of the parts of a video that was split."""

    def keep(self, video: Sequence[str], number: int, result: dict[str, Any]) -> None:
        """Remember one part's result; the same again replaces itself.

        Raises:
            LedgerUnavailableError: It was not remembered.

        """

    def kept(self, video: Sequence[str]) -> list[dict[str, Any]]:
        """Return the results that are there. Raises as `keep`."""


class ArtifactSink(Protocol):
    """Where the artifacts of one content of one object go, always at the same keys. Safe for threads."""

    def put(self, name: str, data: bytes, content_type: str, content_encoding: str = "") -> None:
        """Keep one artifact, durably before this returns; the same name again overwrites.

        `name` is relative and plain, such as `thumbnail.jpg` or `sections/high/000000000.png`.

        Raises:
            ServiceError: It was not kept.

        """

    def key(self, name: str) -> str:
        """Return the storage key that Darwin is told for an artifact."""


class ObjectReader(Protocol):
    """One object of the watched bucket, with the content that its event announced."""

    @property
    def size(self) -> int:
        """Bytes."""

    def read(self, start: int, length: int) -> bytes:
        """Return a range; shorter only at the object's end.

        Raises:
            ObjectGoneError: It is not there any more, or has other content by now.
            ServiceError: Not now.

        """

    def download(self, to: Path) -> None:
        """Write the whole object into a new file; raises as `read` does."""


# --- the ledger --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """Which object stands, or is about to stand, under an item's name.

    `intent`: a POST may have registered it, and no answer is known. `registered`: it stands.
    `released`: nothing of it stands, as far as is known, and the name is free for any object if no attempt is
    in doubt.
    """

    item: ItemId
    state: Literal["intent", "registered", "released"]
    provider: str
    bucket: str
    key: str
    content: str
    sequencer: str
    size: int | None
    attempts: int
    """How many invocations may have posted it; more than one makes a taken name ambiguous.

    Of a released entry: how many of them are in doubt.
    """
    item_id: str = ""
    """Darwin's id, once registered and told."""
    adopted: bool = False
    """It stood before us, and name, file name and size agreed."""

    def is_of(self, event: ObjectCreated) -> bool:
        """Say whether the entry is about the event's object, whatever its content."""
        return (self.provider, self.bucket, self.key) == (event.ref.provider, event.ref.bucket, event.ref.key)


@dataclass(frozen=True, slots=True)
class Kept:
    """An entry as it stands in the ledger, with the version that a change must name."""

    entry: LedgerEntry
    version: object
    created: bool = False
    """This very call wrote it where there was none."""


class Ledger(Protocol):
    """One entry an item, changed only by those who have seen it: create if absent, replace if unchanged.

    All methods take many at once, because each is a round trip; results come in the order of the arguments.
    The trouble of one does not hinder the others: it takes the result's place.
    """

    def create(self, entries: Sequence[LedgerEntry]) -> list[Kept | ServiceError]:
        """Create each entry where its item has none; return what stands there now."""

    def replace(self, changes: Sequence[tuple[Kept, LedgerEntry]]) -> list[Kept | ServiceError]:
        """Write each entry over the one that was seen; `LedgerConflictError` where it has changed since."""

    def read(self, items: Sequence[ItemId]) -> list[Kept | ServiceError | None]:
        """Return each item's entry, None where there is none."""


# --- Darwin ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """What one registration request has in common; its items must agree on all of it."""

    team: str
    dataset: str
    storage: str
    access: Access
    ignore_dicom_layout: bool = False


class Registrar(Protocol):
    """Darwin, as far as registration is concerned."""

    def register(self, destination: Destination, items: Sequence[Item], deadline: Deadline) -> list[Answer]:
        """Register items, in as few requests as allowed; return one answer for each, in order.

        Names at their paths must be unique among the items. Never raises for what Darwin answers or
        fails to: what has no verdict is `Postponed`.
        """

    def seconds_to_wait(self, destination: Destination) -> float:
        """Return how long nothing may be sent there: 0 when a request may go now."""

    def find(self, item: ItemId) -> Standing | None:
        """Return what stands in Darwin under the item's path and name.

        Raises:
            DarwinError: It cannot be told: no answer, or the key may not list items.

        """


# --- what is written down ----------------------------------------------------------------------------


class Journal(Protocol):
    """The record of outcomes: a log line and a metric each."""

    def note(self, stage: str, outcome: Outcome) -> None:
        """Write one outcome of a stage down."""

    def alarm(self, code: str, message: str) -> None:
        """Say once an invocation that a service, not an object, is in trouble."""

    def bug(self, stage: str, error: Exception) -> None:
        """Write down, with its traceback, an exception that nobody expected, and call a person."""
