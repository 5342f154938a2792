"""What the ledger's entry means for an event that wants the same item: pure decisions, no I/O."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from beagle.ports import LedgerEntry

if TYPE_CHECKING:
    from beagle.domain.answers import Standing
    from beagle.domain.items import Item, ReadyItem
    from beagle.ports import Kept

Decision = Literal[
    "post",  # nothing is known of it: a taken name would be somebody else's
    "post_again",  # an earlier POST of this object may have registered it: a taken name is ours
    "already_registered",
    "superseded",  # a newer content of the object is known
    "overwritten",  # new content of a registered object: the route's policy decides
    "collision",  # another object has the name, or may have it: the route's policy decides
]


def intend(ready: ReadyItem) -> LedgerEntry:
    """Return the entry to write before an item is posted for the first time."""
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
    )


def intend_again(ready: ReadyItem, entry: LedgerEntry) -> LedgerEntry:
    """Return the entry to write before an item is posted that may have been posted before."""
    return replace(intend(ready), attempts=entry.attempts + 1)


def released(entry: LedgerEntry, *, after_ambiguity: bool = False) -> LedgerEntry:
    """Return the entry that frees the name again.

    It still counts the attempts whose outcome nobody knows: should the same object come back and find the
    name taken, it may have taken it itself. So may it when another object wants the name: that one must look
    first. This attempt counts if it lost an answer on its way.
    """
    return replace(entry, state="released", attempts=entry.attempts - (not after_ambiguity))


def registered(entry: LedgerEntry, item_id: str = "", *, adopted: bool = False) -> LedgerEntry:
    """Return the entry of an item that stands."""
    return replace(entry, state="registered", item_id=item_id or entry.item_id, adopted=adopted)


def decide(entry: LedgerEntry, ready: ReadyItem) -> Decision:
    """Say what an entry that was there before means for an event."""
    event = ready.claimant
    if entry.state == "released" and not entry.attempts:
        return "post"
    if not entry.is_of(event):
        return "collision"
    if entry.state == "released":
        return "post_again"
    same_content = entry.content == event.content
    if not same_content and event.is_older_than(entry.sequencer):
        return "superseded"
    if entry.state == "intent":
        return "post_again"
    return "already_registered" if same_content else "overwritten"


def meaning_of_a_taken_name(
    kept: Kept | None, ready: ReadyItem, *, after_ambiguity: bool
) -> Literal["ours", "registered_by_a_twin", "unproven", "changed"]:
    """Say whose the item is that Darwin says exists already, by the entry as it stands after the answer.

    An intent that more than one invocation wrote, or a call that had lost an answer, means that a POST of
    ours may have registered it: then it is ours. The intent of this invocation alone proves nothing.
    """
    if kept is None or kept.entry.state == "released" or not kept.entry.is_of(ready.claimant):
        return "changed"
    if kept.entry.state == "registered":
        return "registered_by_a_twin"
    return "ours" if kept.entry.attempts > 1 or after_ambiguity else "unproven"


def agrees(item: Item, standing: Standing) -> bool:
    """Say whether what stands in Darwin is this item, by all that Darwin tells: file names and sizes.

    A size that Darwin does not tell proves nothing, so it never agrees.
    """
    return (
        tuple(slot.file_name for slot in item.slots) == standing.file_names
        and all(standing.sizes)
        and tuple(slot.size for slot in item.slots) == standing.sizes
    )
