"""The second half of a round: Darwin's answers, written into the ledger before anything is acknowledged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from beagle.domain.answers import Accepted, Answer, NameTaken, Postponed, Refused
from beagle.domain.errors import (
    AlreadyExistsUnverifiedError,
    DarwinError,
    DarwinNotFoundError,
    DarwinUnauthorizedError,
    LedgerConflictError,
    ServiceError,
)
from beagle.domain.outcomes import Ending
from beagle.pipeline.claims import agrees, meaning_of_a_taken_name, registered, released

if TYPE_CHECKING:
    from collections.abc import Sequence

    from beagle.domain.answers import Standing
    from beagle.domain.outcomes import Outcome
    from beagle.pipeline.work import Round, Work
    from beagle.ports import Kept, LedgerEntry


def settle(claimed: Sequence[tuple[Work, Kept]], answers: Sequence[Answer], this: Round) -> None:
    """End each item by its answer."""
    changes: list[tuple[Work, Kept, LedgerEntry, Outcome]] = []
    taken: list[tuple[Work, NameTaken]] = []
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
            case Postponed(error=trouble) if trouble.committed or kept.entry.attempts > 1:
                this.end(work, trouble)  # the intent stands: a POST may have registered the item
            case Postponed(error=trouble):
                this.alarm(trouble)
                outcome = this.endings.again(work.subject, trouble)
                changes.append((work, kept, released(kept.entry), outcome))
            case NameTaken():
                taken.append((work, answer))
    this.write(changes)
    _settle_taken(taken, this)


def _settle_taken(taken: list[tuple[Work, NameTaken]], this: Round) -> None:
    """Find out whose the items are that Darwin says exist already, by the ledger as it stands now."""
    entries = this.ledger.read([work.ready.item.id for work, _ in taken])
    for (work, answer), kept in zip(taken, entries, strict=True):
        if isinstance(kept, ServiceError):
            this.end(work, kept)
            continue
        meaning = meaning_of_a_taken_name(kept, work.ready, after_ambiguity=answer.after_ambiguity)
        if kept is None or meaning == "changed":
            this.end(work, LedgerConflictError("The ledger changed while Darwin answered."))
        elif meaning == "registered_by_a_twin":
            this.good(work, Ending.ALREADY_REGISTERED)
        elif meaning == "ours":
            outcome = this.endings.good(Ending.REGISTERED, work.subject, "confirmed_by_ledger")
            this.write([(work, kept, registered(kept.entry), outcome)])
        else:
            _settle_unproven(work, kept, this)


def _settle_unproven(work: Work, kept: Kept, this: Round) -> None:
    """Nothing of ours can have registered the item: look at what stands there."""
    try:
        found = this.look(work.ready.item.id)
    except (DarwinUnauthorizedError, DarwinNotFoundError) as error:
        why = f"the key may not look at it ({error})"
    except DarwinError as error:
        outcome = this.endings.again(work.subject, error)
        this.write([(work, kept, released(kept.entry), outcome)])
        return
    else:
        if found and agrees(work.ready.item, found):
            outcome = this.endings.good(Ending.ALREADY_REGISTERED, work.subject, "adopted")
            this.write([(work, kept, registered(kept.entry, found.item_id, adopted=True), outcome)])
            return
        why = _describe(found)
    if this.renames(work):
        [result] = this.ledger.replace([(kept, released(kept.entry))])
        if isinstance(result, ServiceError):
            this.end(work, result)
        else:
            this.renamed.append(work.under_another_name(work.ready.claimant.ref.key))
        return
    verdict = AlreadyExistsUnverifiedError(
        f"Darwin says that {work.place} exists already. Beagle has not registered it, and {why}."
    )
    this.write([(work, kept, released(kept.entry), this.endings.bury(work.subject, verdict))])


def _describe(found: Standing | None) -> str:
    if found is None:
        return "the list of items does not show it"
    files = ", ".join(
        f"{name} ({size or 'unknown'} bytes)"
        for name, size in zip(found.file_names, found.sizes, strict=True)
    )
    return f"what stands there is {files}"
