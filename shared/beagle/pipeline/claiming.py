"""The first half of a round: an intent in the ledger for each item, before Darwin is asked."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from beagle.domain.errors import (
    DarwinError,
    DarwinNotFoundError,
    DarwinUnauthorizedError,
    LateForGroupError,
    NameCollisionError,
    ObjectOverwrittenError,
    ServiceError,
)
from beagle.domain.events import ObjectRef
from beagle.domain.outcomes import Ending
from beagle.pipeline.claims import decide, intend, intend_again

if TYPE_CHECKING:
    from beagle.pipeline.work import Round, Work
    from beagle.ports import Kept, LedgerEntry


def claim(works: list[Work], this: Round) -> list[tuple[Work, Kept]]:
    """Return the items to post, each with its intent durable; end the others."""
    claimed: list[tuple[Work, Kept]] = []
    rewrites: list[tuple[Work, Kept, LedgerEntry]] = []
    for work, kept in zip(works, this.ledger.create([intend(work.ready) for work in works]), strict=True):
        if isinstance(kept, ServiceError):
            this.end(work, kept)
        elif kept.created:
            claimed.append((work, kept))
        elif entry := _next_entry(work, kept, this):
            rewrites.append((work, kept, entry))
    results = this.ledger.replace([(kept, entry) for _, kept, entry in rewrites])
    for (work, _, _), result in zip(rewrites, results, strict=True):
        if isinstance(result, ServiceError):
            this.end(work, result)
        else:
            claimed.append((work, result))
    return claimed


def _next_entry(work: Work, kept: Kept, this: Round) -> LedgerEntry | None:
    """Return the entry to write before posting; None where the item has been ended, or will be renamed."""
    match decide(kept.entry, work.ready):
        case "post":
            return intend(work.ready)
        case "post_again":
            return intend_again(work.ready, kept.entry)
        case "collision" if _is_free(work, kept.entry, this):
            return intend(work.ready)
        case "already_registered":
            this.good(work, Ending.ALREADY_REGISTERED)
        case "superseded":
            this.good(work, Ending.SUPERSEDED, "older_content")
        case "overwritten":
            return _overwritten(work, kept, this)
    return None


def _overwritten(work: Work, kept: Kept, this: Round) -> LedgerEntry | None:
    """End the new content of a registered object by its route's policy.

    A group that grew after its item was registered is registered anew once the item is gone from Darwin.
    """
    ready, content = work.ready, work.ready.claimant
    if ready.on_overwrite == "new_name" and not work.renamed:
        this.renamed.append(work.under_another_name(content.content))
    elif ready.on_overwrite == "ignore":
        newest = replace(kept.entry, content=content.content, sequencer=content.sequencer)
        outcome = this.endings.good(Ending.SUPERSEDED, work.subject, "overwritten")
        this.write([(work, kept, newest, outcome)])
    elif ready.group:
        try:
            if _is_gone(work, this):
                return intend(ready)
        except DarwinError as trouble:
            this.end(work, trouble)
            return None
        now = f"The group of {ready.event.ref} has other objects, or contents, now"
        this.end(work, LateForGroupError(f"{now} than {work.place} was registered with."))
    else:
        error = ObjectOverwrittenError(
            f"{ready.event.ref} has new content ({content.content}); it is registered with "
            f"{kept.entry.content} as {work.place}."
        )
        this.end(work, error)
    return None


def _is_free(work: Work, entry: LedgerEntry, this: Round) -> bool:
    """Say whether a name that the ledger gives to another object is free; if not, end the item.

    The other's item may have been removed or renamed in Darwin since the ledger saw it, or never have stood:
    a POST of it whose answer was lost came to nothing.
    """
    if entry.state != "intent":
        try:
            if _is_gone(work, this):
                return True
        except DarwinError as trouble:
            this.end(work, trouble)
            return False
    if this.renames(work):
        this.renamed.append(work.under_another_name(work.ready.claimant.ref.key))
        return False
    mine = work.ready.event.ref
    other = ObjectRef(provider=mine.provider, bucket=entry.bucket, key=entry.key)
    this.end(work, NameCollisionError(f"{mine} wants to be {work.place}, and {other} has that name."))
    return False


def _is_gone(work: Work, this: Round) -> bool:
    """Say whether nothing stands in Darwin under the item's name."""
    try:
        return this.look(work.ready.item.id) is None
    except (DarwinUnauthorizedError, DarwinNotFoundError):
        return False  # a key that may only add data cannot look: the ledger's word stands
