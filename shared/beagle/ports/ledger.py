"""What is remembered between invocations: who has which name, and who waits for whom."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal, Protocol

from beagle.domain.items import ItemId

if TYPE_CHECKING:
    from collections.abc import Sequence

    from beagle.domain.errors import ServiceError
    from beagle.domain.events import ObjectCreated
    from beagle.domain.items import ReadyItem


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
    """How many may have registered it: those in doubt, and of an intent the one under way, if there is one.

    More than one makes a taken name ambiguous.
    """
    item_id: str = ""
    """Darwin's id, once registered and told."""
    adopted: bool = False
    """It stood before us, and name, file name and size agreed."""
    in_flight_until: datetime | None = None
    """Of an intent: by then the invocation that wrote it has ended; None where it has, or did not say."""
    message: str = ""
    """The queue's name of the message whose delivery wrote the intent; empty if unknown."""
    since: datetime | None = None
    """When the first of the attempts began; None where an older Beagle did not say."""
    previous: LedgerEntry | None = None
    """Of an intent: what it was written over; it stands again if the name turns out to be taken after all."""

    @property
    def is_free(self) -> bool:
        """Say whether the name is any object's to take."""
        return self.state == "released" and not self.attempts

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
