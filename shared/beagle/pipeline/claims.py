"""What the ledger's entry means for an event that wants the same item: pure decisions, no I/O."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

from beagle.ports import LedgerEntry

if TYPE_CHECKING:
    from beagle.domain.answers import Standing
    from beagle.domain.items import Item, ReadyItem
    from beagle.ports import Kept

Decision = Literal[
    "post",  # nothing is known of it: a taken name would be somebody else's
    "post_again",  # an earlier POST of this object may have registered it: a taken name may be ours
    "already_registered",
    "announced_again",  # registered, and the object came again since: its item may have been deleted
    "superseded",  # a newer content of the object is known
    "overwritten",  # new content of a registered object: the route's policy decides
    "collision",  # another object has the name, or may have it: the route's policy decides
]

CLOCKS = timedelta(seconds=10)
"""By how much the clocks of two machines may differ, and Darwin's from ours."""
LONGEST_FLIGHT = timedelta(hours=1)
"""No invocation lasts longer: an intent that claims to do so comes from a clock that is wrong."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """An invocation's POST: when it begins, by when it has ended, whatever happens, and for which message."""

    begins: datetime
    ends: datetime
    message: str = ""


def intend(ready: ReadyItem, attempt: Attempt, *, over: LedgerEntry | None = None) -> LedgerEntry:
    """Return the entry to write before an item is posted for the first time.

    `over`: the entry of an item that is gone from Darwin, as far as Darwin tells.
    """
    event = ready.claimant
    return LedgerEntry(
        item=ready.item.id,
        state="intent",
        provider=event.ref.provider,
        bucket=event.ref.bucket,
        key=event.ref.key,
        content=event.content,
        sequencer=event.sequencer,
        size=event.size,
        attempts=1,
        in_flight_until=attempt.ends + CLOCKS,
        message=attempt.message,
        since=attempt.begins,
        previous=over,
    )


def intend_again(ready: ReadyItem, attempt: Attempt, entry: LedgerEntry) -> LedgerEntry:
    """Return the entry to write before an item is posted that may have been posted before."""
    again = intend(ready, attempt, over=entry.previous)
    return replace(again, attempts=entry.attempts + 1, since=entry.since)


def unsettled(entry: LedgerEntry, *, in_doubt: bool) -> LedgerEntry:
    """Return the entry of an item whose attempt has ended, and that will be tried again.

    An attempt that is not in doubt registered nothing, and counts no more.
    """
    attempts = entry.attempts - (not in_doubt)
    return replace(entry, attempts=attempts, in_flight_until=None) if attempts else freed(entry)


def released(entry: LedgerEntry, *, after_ambiguity: bool = False) -> LedgerEntry:
    """Return the entry that frees the name again.

    It still counts the attempts whose outcome nobody knows: should the same object come back and find the
    name taken, it may have taken it itself. So may it when another object wants the name: that one must look
    first. This attempt counts if it lost an answer on its way.
    """
    entry = unsettled(entry, in_doubt=after_ambiguity)
    return replace(entry, state="released") if entry.state == "intent" else entry


def freed(entry: LedgerEntry) -> LedgerEntry:
    """Return the entry as it was before anything was intended, for nothing came of it."""
    free = replace(entry, state="released", attempts=0, in_flight_until=None, since=None)
    return entry.previous or free


def registered(entry: LedgerEntry, item_id: str = "", *, adopted: bool = False) -> LedgerEntry:
    """Return the entry of an item that stands."""
    return replace(
        entry,
        state="registered",
        item_id=item_id or entry.item_id,
        adopted=adopted,
        in_flight_until=None,
        since=None,
        previous=None,
    )


def decide(entry: LedgerEntry, ready: ReadyItem) -> Decision:
    """Say what an entry that was there before means for an event."""
    if entry.is_free:
        return "post"
    if not entry.is_of(ready.claimant):
        return "collision"
    if entry.state == "released":
        return "post_again"
    if entry.content != ready.claimant.content and ready.claimant.is_older_than(entry.sequencer):
        return "superseded"
    if entry.state == "registered":
        return _decide_on_what_is_registered(entry, ready)
    return "post_again"


def _decide_on_what_is_registered(entry: LedgerEntry, ready: ReadyItem) -> Decision:
    event = ready.claimant
    if entry.content != event.content:
        return "overwritten"
    newer = event.is_older_than(entry.sequencer) is False and event.sequencer != entry.sequencer
    return "announced_again" if newer or ready.replayed else "already_registered"


def is_in_flight(entry: LedgerEntry, attempt: Attempt) -> bool:
    """Say whether another invocation may be posting the item right now.

    None is that had the same message: a queue delivers it again when the delivery before has ended.
    """
    if entry.in_flight_until is None or (entry.message and entry.message == attempt.message):
        return False
    return timedelta(0) < entry.in_flight_until - attempt.begins < LONGEST_FLIGHT


def meaning_of_a_taken_name(
    kept: Kept | None, ready: ReadyItem, *, after_ambiguity: bool
) -> Literal["perhaps_ours", "registered_by_a_twin", "not_ours", "changed"]:
    """Say whose the item is that Darwin says exists already, by the entry as it stands after the answer.

    An earlier attempt that is in doubt, or a call that had lost an answer, means that a POST of ours may have
    registered it. The attempt of this invocation alone did not.
    """
    if kept is None or kept.entry.state == "released" or not kept.entry.is_of(ready.claimant):
        return "changed"
    if kept.entry.state == "registered":
        return "registered_by_a_twin"
    return "perhaps_ours" if kept.entry.attempts > 1 or after_ambiguity else "not_ours"


def stood_before(entry: LedgerEntry, found: Standing) -> bool:
    """Say whether what stands in Darwin stood there before the intent's first attempt: then it is not ours.

    False where nobody can tell: Darwin names no time, or an older Beagle wrote the intent.
    """
    if entry.previous and entry.previous.item_id and entry.previous.item_id == found.item_id:
        return True
    if entry.since is None or found.inserted_at is None:
        return False
    return entry.since - found.inserted_at > CLOCKS


def agrees(item: Item, standing: Standing) -> bool:
    """Say whether what stands in Darwin is this item, by all that Darwin tells: file names and sizes.

    A size that Darwin does not tell proves nothing, so it never agrees. Darwin may call the only file of an
    item as the item is called.
    """
    names = tuple(slot.file_name for slot in item.slots)
    return (
        standing.file_names in {names, (item.id.name,) if len(names) == 1 else names}
        and all(standing.sizes)
        and tuple(slot.size for slot in item.slots) == standing.sizes
    )
