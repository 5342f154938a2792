"""The first half of a round: an intent in the ledger for each item, before Darwin is asked."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from beagle.domain.errors import (
    DarwinError,
    LateForGroupError,
    LedgerConflictError,
    NameCollisionError,
    ObjectOverwrittenError,
    ServiceError,
)
from beagle.domain.events import ObjectRef
from beagle.domain.outcomes import Ending
from beagle.pipeline.claims import decide, intend, intend_again, is_in_flight
from beagle.pipeline.work import is_final

if TYPE_CHECKING:
    from beagle.pipeline.claims import Attempt
    from beagle.pipeline.work import Round, Work
    from beagle.ports import Kept, LedgerEntry


def claim(works: list[Work], this: Round) -> list[tuple[Work, Kept]]:
    """Return the items to post, each with its intent durable; end the others."""
    claimed: list[tuple[Work, Kept]] = []
    rewrites: list[tuple[Work, Kept, LedgerEntry]] = []
    intents = [intend(work.ready, this.attempt(work)) for work in works]
    entries = this.ledger.create(intents)
    this.look_ahead(
        [w.ready.item.id for w, k in zip(works, entries, strict=True) if _must_be_looked_at(w, k)]
    )
    for work, kept in zip(works, entries, strict=True):
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


def _must_be_looked_at(work: Work, kept: Kept | ServiceError) -> bool:
    if isinstance(kept, ServiceError) or kept.created or kept.entry.state == "intent":
        return False
    return decide(kept.entry, work.ready) in {"announced_again", "overwritten", "collision"}


def _next_entry(work: Work, kept: Kept, this: Round) -> LedgerEntry | None:
    """Return the entry to write before posting; None where the item has been ended, or will be renamed."""
    attempt = this.attempt(work)
    match decide(kept.entry, work.ready):
        case "post_again" if is_in_flight(kept.entry, attempt):
            # Posted beside the other, a name that Darwin calls taken would prove nothing to either.
            this.end(work, LedgerConflictError(f"Another delivery of {work.ready.event.ref} is under way."))
        case "post_again":
            return intend_again(work.ready, attempt, kept.entry)
        case "already_registered":
            this.good(work, Ending.ALREADY_REGISTERED)
        case "superseded":
            this.good(work, Ending.SUPERSEDED, "older_content")
        case "post" | "announced_again" | "overwritten" | "collision":
            return _take(work, kept, attempt, this)
    return None


def _take(work: Work, kept: Kept, attempt: Attempt, this: Round) -> LedgerEntry | None:
    """Return the entry to write where the name is free, or its item is gone from Darwin; else end the work.

    It may have been removed or renamed since the ledger saw it, or never have stood: a POST of it whose
    answer was lost came to nothing.
    """
    other = _under_new_name(work, kept.entry)
    try:
        if other and _has(other, this):
            this.renamed.append(other)  # it stands there, or is about to: once is enough
        elif kept.entry.is_free:
            return intend(work.ready, attempt)
        elif kept.entry.state != "intent" and _is_gone(work, this):
            return intend(work.ready, attempt, over=kept.entry)
        else:
            end_as_taken(work, kept, this)
    except ServiceError as trouble:
        this.end(work, trouble)
    return None


def end_as_taken(work: Work, kept: Kept, this: Round) -> None:
    """End an item whose name the ledger gives, and Darwin leaves, to another object or content."""
    ready, entry, claimant = work.ready, kept.entry, work.ready.claimant
    newest = replace(entry, content=claimant.content, sequencer=claimant.sequencer)
    if other := _under_new_name(work, entry):
        this.renamed.append(other)
    elif not entry.is_of(claimant):
        holder = ObjectRef(provider=claimant.ref.provider, bucket=entry.bucket, key=entry.key)
        told = f"{ready.event.ref} wants to be {work.place}, and {holder} has that name."
        this.end(work, NameCollisionError(told))
    elif entry.content == claimant.content:
        outcome = this.endings.good(Ending.ALREADY_REGISTERED, work.subject)
        # Remembered, the event's own duplicates cost no look.
        is_newer = claimant.is_older_than(entry.sequencer) is False
        this.write([(work, kept, newest if is_newer else entry, outcome)])
    elif ready.on_overwrite == "ignore":
        outcome = this.endings.good(Ending.SUPERSEDED, work.subject, "overwritten")
        this.write([(work, kept, newest, outcome)])
    elif ready.group:
        now = f"The group of {ready.event.ref} has other objects, or contents, now"
        this.end(work, LateForGroupError(f"{now} than {work.place} was registered with."))
    else:
        told = (
            f"{ready.event.ref} has new content ({claimant.content}); it is registered with "
            f"{entry.content} as {work.place}."
        )
        this.end(work, ObjectOverwrittenError(told))


def _under_new_name(work: Work, entry: LedgerEntry) -> Work | None:
    """Return the work under the name that its route gives it beside what the entry is of, if it gives one."""
    claimant = work.ready.claimant
    if entry.is_free or not entry.is_of(claimant):
        return work.under_another_name(claimant.ref.key) if work.renames else None
    if entry.content == claimant.content or work.renamed or work.ready.on_overwrite != "new_name":
        return None
    return work.under_another_name(claimant.content)


def _has(work: Work, this: Round) -> bool:
    """Say whether the ledger gives the work's name to its object; raise ServiceError if it cannot tell."""
    [kept] = this.ledger.read([work.ready.item.id])
    if isinstance(kept, ServiceError):
        raise kept
    return kept is not None and not kept.entry.is_free and kept.entry.is_of(work.ready.claimant)


def _is_gone(work: Work, this: Round) -> bool:
    """Say whether nothing stands in Darwin under the item's name; raise DarwinError if it cannot tell."""
    try:
        return this.look(work.ready.item.id) is None
    except DarwinError as error:
        if is_final(error):
            return False  # who may not look has the ledger's word
        raise
