"""The second half of a round: Darwin's answers, written into the ledger before anything is acknowledged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from beagle.domain.answers import Accepted, Answer, NameTaken, Postponed, Refused
from beagle.domain.errors import (
    AlreadyExistsUnverifiedError,
    DarwinError,
    LedgerConflictError,
    ServiceError,
)
from beagle.domain.outcomes import Ending
from beagle.pipeline.claiming import end_as_taken
from beagle.pipeline.claims import (
    agrees,
    freed,
    meaning_of_a_taken_name,
    registered,
    released,
    stood_before,
    unsettled,
)
from beagle.pipeline.work import is_final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from beagle.domain.answers import Standing
    from beagle.domain.outcomes import Outcome
    from beagle.pipeline.work import Round, Work
    from beagle.ports import Kept, LedgerEntry


def settle(claimed: Sequence[tuple[Work, Kept]], answers: Sequence[Answer], this: Round) -> None:
    """End each item by its answer."""
    changes: list[tuple[Work, Kept, LedgerEntry, Outcome]] = []
    taken: list[tuple[Work, Kept, NameTaken]] = []
    for (work, kept), answer in zip(claimed, answers, strict=True):
        match answer:
            case Accepted(item_id=item_id):
                outcome = this.endings.good(Ending.REGISTERED, work.subject)
                changes.append((work, kept, registered(kept.entry, item_id), outcome))
            case Refused(error=verdict, after_ambiguity=unsure):
                # The letter first: a crash between the two writes it again, under the same id.
                outcome = this.endings.bury(work.subject, verdict)
                free = released(kept.entry, after_ambiguity=unsure)
                changes.append((work, kept, free, outcome))
            case Postponed(error=trouble):
                changes.append(_later(work, kept, trouble, this, in_doubt=trouble.committed))
            case NameTaken():
                taken.append((work, kept, answer))
    this.write(changes)
    _settle_taken(taken, this)


def _later(
    work: Work, kept: Kept, trouble: ServiceError, this: Round, *, in_doubt: bool
) -> tuple[Work, Kept, LedgerEntry, Outcome]:
    """Return the change for an item without verdict: the ledger keeps only what is in doubt of it."""
    this.alarm(trouble)
    return work, kept, unsettled(kept.entry, in_doubt=in_doubt), this.endings.again(work.subject, trouble)


def _settle_taken(taken: list[tuple[Work, Kept, NameTaken]], this: Round) -> None:
    """Find out whose the items are that Darwin says exist already, by the ledger as it stands now."""
    items = [work.ready.item.id for work, _, _ in taken]
    entries = this.ledger.read(items)
    this.look_ahead(items)
    for (work, mine, answer), kept in zip(taken, entries, strict=True):
        unsure = answer.after_ambiguity
        if isinstance(kept, ServiceError):
            this.write([_later(work, mine, kept, this, in_doubt=unsure)])
            continue
        meaning = meaning_of_a_taken_name(kept, work.ready, after_ambiguity=unsure)
        if kept is None or meaning == "changed":
            this.end(work, LedgerConflictError("The ledger changed while Darwin answered."))
        elif meaning == "registered_by_a_twin":
            this.good(work, Ending.ALREADY_REGISTERED)
        elif meaning == "not_ours" and kept.entry.previous:
            _put_back(work, kept, this)
        else:
            _settle_by_look(work, kept, this, unsure=unsure, perhaps_ours=meaning == "perhaps_ours")


def _settle_by_look(work: Work, kept: Kept, this: Round, *, unsure: bool, perhaps_ours: bool) -> None:
    """Look at what stands there. Who may not look, or sees nothing, has the ledger's word."""
    found: Standing | None = None
    why = "the list of items does not show it"
    try:
        found = this.look(work.ready.item.id)
    except DarwinError as trouble:
        if not is_final(trouble):
            this.write([_later(work, kept, trouble, this, in_doubt=unsure)])
            return
        why = f"the key may not look at it ({trouble})"
    if perhaps_ours and not (found and stood_before(kept.entry, found)):
        outcome = this.endings.good(Ending.REGISTERED, work.subject, "confirmed_by_ledger")
        entry = registered(kept.entry, found.item_id if found else "")
        this.write([(work, kept, entry, outcome)])
    elif kept.entry.previous:
        _put_back(work, kept, this)
    elif found and agrees(work.ready.item, found):
        outcome = this.endings.good(Ending.ALREADY_REGISTERED, work.subject, "adopted")
        this.write([(work, kept, registered(kept.entry, found.item_id, adopted=True), outcome)])
    else:
        _end_unproven(work, kept, this, _describe(found) if found else why)


def _put_back(work: Work, kept: Kept, this: Round) -> None:
    """End an item whose name seemed to be free, and is not: what the ledger knew before still stands."""
    [result] = this.ledger.replace([(kept, freed(kept.entry))])
    if isinstance(result, ServiceError):
        this.end(work, result)
    else:
        end_as_taken(work, result, this)


def _end_unproven(work: Work, kept: Kept, this: Round, why: str) -> None:
    """End an item whose name somebody took whom the ledger does not know."""
    if work.renames:
        [result] = this.ledger.replace([(kept, freed(kept.entry))])
        if isinstance(result, ServiceError):
            this.end(work, result)
        else:
            this.renamed.append(work.under_another_name(work.ready.claimant.ref.key))
        return
    verdict = AlreadyExistsUnverifiedError(
        f"Darwin says that {work.place} exists already. Beagle has not registered it, and {why}."
    )
    this.write([(work, kept, freed(kept.entry), this.endings.bury(work.subject, verdict))])


def _describe(found: Standing) -> str:
    files = ", ".join(
        f"{name} ({size or 'unknown'} bytes)"
        for name, size in zip(found.file_names, found.sizes, strict=True)
    )
    return f"what stands there is {files}"
