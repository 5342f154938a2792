"""What Darwin's answers mean: status, headers and bytes in, one answer for each item out. No I/O."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from beagle.domain.answers import ALREADY_EXISTS, Accepted, Answer, NameTaken, Postponed, Refused
from beagle.domain.errors import (
    DarwinAmbiguousError,
    DarwinError,
    DarwinNotFoundError,
    DarwinStorageFullError,
    DarwinThrottledError,
    DarwinUnauthorizedError,
    InvalidRequestError,
    ItemBlockedError,
    ItemLimitError,
    RequestTooLargeError,
    UnknownTagsError,
)
from beagle.domain.keys import derive_likeness, normalise_path
from beagle.registration.reading import bounded, codes, entries, load_object, said, text_of, words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from beagle.domain.items import ItemId

ITEM_BY_ITEM = None

STATUSES: dict[int, type[InvalidRequestError | RequestTooLargeError | DarwinError] | None] = {
    200: ITEM_BY_ITEM,
    400: InvalidRequestError,  # one bad item refuses all: split until it stands alone
    401: DarwinUnauthorizedError,
    403: DarwinUnauthorizedError,
    404: DarwinNotFoundError,
    408: DarwinAmbiguousError,
    413: RequestTooLargeError,  # split until it fits
    422: InvalidRequestError,
    429: DarwinThrottledError,
    500: DarwinAmbiguousError,
    502: DarwinAmbiguousError,
    503: DarwinThrottledError,
    504: DarwinAmbiguousError,
}
"""The meaning of every status that Darwin is known to send."""

HUNDREDS: dict[int, type[DarwinError] | None] = {2: ITEM_BY_ITEM, 5: DarwinAmbiguousError}
"""The meaning of the others; redirects, which are never followed, and the like are plain trouble."""

ERROR_CODES: dict[tuple[int, str], type[DarwinError]] = {
    (429, "INSUFFICIENT_REMAINING_STORAGE"): DarwinStorageFullError,
}
"""Where the body's `errors.code` says more than the status, as darwin-py's client has it."""

BLOCK_REASONS: dict[str, type[ItemBlockedError]] = {
    "UNKNOWN_TAGS": UnknownTagsError,
    "ITEM_COUNT_LIMIT_EXCEEDED": ItemLimitError,
}
"""Reasons that have an error of their own; every other refuses the item too."""

LONGEST_WAIT = 300.0
"""Seconds: no Retry-After holds us longer, whatever it says."""

ADVICE = {
    DarwinUnauthorizedError: "The API key is wrong, or lacks the permission *Add data to datasets*.",
    DarwinNotFoundError: "The team, the dataset or the storage is not known under that name.",
    DarwinStorageFullError: "The team's plan has no storage left.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One HTTP reply, and how it was come by."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case."""
    body: bytes = b""
    received_at: datetime
    """The wall-clock time, which a date in Retry-After is measured from."""
    cut_short: bool = False
    """The body ended before its end: a reset, a time-out, or more than we are ready to read."""
    after_ambiguity: bool = False
    """An earlier try of the same request may have been carried out."""
    tries: int = 1


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer for each item that was sent, in order; `strangers` were answered without being sent.

    Some of these Darwin registered; the others it blocked.
    """

    answers: tuple[Answer, ...]
    strangers: int = 0
    registered_strangers: int = 0
    left_out: tuple[int, ...] = ()
    """Which items were not answered: a stranger may be one of them, under a name of Darwin's making."""


@dataclass(frozen=True, slots=True)
class RefusedWhole:
    """Nothing was registered: the request must be split, or its only item is at fault."""

    error: InvalidRequestError | RequestTooLargeError


@dataclass(frozen=True, slots=True)
class Trouble:
    """No verdict about any item."""

    error: DarwinError


def understand(
    reply: Reply, sent: Sequence[ItemId], *, after_ambiguity: bool = False
) -> Answered | RefusedWhole | Trouble:
    """Return what a reply to a registration means for the items that were sent.

    `after_ambiguity`: an earlier request with the same items may have registered them.
    """
    meaning = STATUSES.get(reply.status, HUNDREDS.get(reply.status // 100, DarwinError))
    if meaning is ITEM_BY_ITEM:
        return _item_by_item(reply, sent, after_ambiguity=after_ambiguity or reply.after_ambiguity)
    if issubclass(meaning, DarwinError):
        return Trouble(trouble_of(reply))
    return RefusedWhole(meaning(f"Darwin answered {reply.status}: {said(reply.body)}", status=reply.status))


def trouble_of(reply: Reply) -> DarwinError:
    """Return the trouble that a reply other than success speaks of, in Darwin's words."""
    meaning = STATUSES.get(reply.status, HUNDREDS.get(reply.status // 100))
    kind = meaning if meaning is not None and issubclass(meaning, DarwinError) else DarwinError
    for code in codes(reply.body):
        kind = ERROR_CODES.get((reply.status, code), kind)
    message = f"Darwin answered {reply.status}: {said(reply.body)}"
    return kind(
        f"{message} {ADVICE.get(kind, '')}".rstrip(), retry_after=retry_after(reply), status=reply.status
    )


def retry_after(reply: Reply) -> float | None:
    """Return how many seconds Darwin asks us to wait, from 0 to 300; None where it does not say.

    Seconds or a date, as https://www.rfc-editor.org/rfc/rfc9110#field.retry-after has it.
    """
    value = reply.headers.get("retry-after", "").strip()
    if re.fullmatch(r"[+-]?[0-9]+(\.[0-9]*)?", value):
        seconds = float(value)
    else:
        try:
            date = parsedate_to_datetime(value)
            seconds = (date.replace(tzinfo=date.tzinfo or UTC) - reply.received_at).total_seconds()
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
    return min(max(seconds, 0.0), LONGEST_WAIT)


# --- item by item ------------------------------------------------------------------------------------


def _item_by_item(reply: Reply, sent: Sequence[ItemId], *, after_ambiguity: bool) -> Answered | Trouble:
    """Give each item its answer: registered, blocked, or, where the reply is not plain, none yet.

    Success says nothing by itself: what was not registered is in `blocked_items`. An item in neither list,
    in both, or twice in one has no verdict; the others have theirs. What alone is answered to an item that
    was sent alone is that item, whatever Darwin makes of its name.
    """
    document = None if reply.cut_short else load_object(reply.body)
    if document is None or not any(isinstance(document.get(key), list) for key in ("items", "blocked_items")):
        why = "broke off" if reply.cut_short else f"is not readable: {said(reply.body) or 'it is empty'}"
        return Trouble(DarwinAmbiguousError(f"Darwin answered {reply.status}, but the reply {why}"))
    listed = [(key, entry) for key in ("items", "blocked_items") for entry in entries(document.get(key))]
    places = _Places(sent, alone=len(sent) == len(listed) == 1)
    found: defaultdict[int, list[Answer]] = defaultdict(list)
    strangers = dict.fromkeys(("items", "blocked_items"), 0)
    for key, entry in listed:
        index = places.index_of(entry)
        if index is None:
            strangers[key] += 1
        elif key == "items":
            found[index].append(Accepted(text_of(entry.get("id"))))
        else:
            found[index].append(_blocked(entry, sent[index], after_ambiguity=after_ambiguity))
    answers = tuple(_the_one(found[index]) for index in range(len(sent)))
    left_out = tuple(index for index in range(len(sent)) if not found[index])
    return Answered(answers, sum(strangers.values()), strangers["items"], left_out)


def _the_one(answers: list[Answer]) -> Answer:
    match answers:
        case [answer]:
            return answer
        case []:
            return Postponed(DarwinAmbiguousError("Darwin's reply leaves the item out."))
        case _:
            return Postponed(DarwinAmbiguousError("Darwin's reply names the item more than once."))


def place_of(path: str, name: str) -> tuple[str, str]:
    """Return what tells an item from the others of a request."""
    return normalise_path(path), name


class _Places:
    """Finds the item that an entry speaks of. Entries carry nothing of ours but path and name."""

    def __init__(self, sent: Sequence[ItemId], *, alone: bool) -> None:
        self._alone = alone
        self._exact = {place_of(item.path, item.name): index for index, item in enumerate(sent)}
        # Darwin may compose a name's accents: NFD, as macOS has it, would never be recognised again.
        self._alike: dict[tuple[str, str], int | None] = {}
        for place, index in self._exact.items():
            likeness = derive_likeness(*place)
            self._alike[likeness] = None if likeness in self._alike else index

    def index_of(self, entry: dict[str, object]) -> int | None:
        """Return the index of the item, None where it is none of ours, or not certain which."""
        path, name = entry.get("path"), entry.get("name")
        if not isinstance(path, str) or not isinstance(name, str):
            return None
        if self._alone:
            return 0
        place = place_of(path, name)
        return self._exact.get(place, self._alike.get(derive_likeness(*place)))


def _blocked(entry: dict[str, object], item: ItemId, *, after_ambiguity: bool) -> Answer:
    """Read every slot's reason, in any case of letters.

    The name counts as taken only where no slot gives another reason. With another, a try of ours cannot have
    registered the item, so what stands there is not it; called taken, the ledger's intent could pass for
    proof that it is, and the object would be lost without a word. Refused, it becomes a letter.
    """
    slots = [
        (text_of(slot.get("slot_name")), words(slot.get("reason"))) for slot in entries(entry.get("slots"))
    ]
    reasons = [*slots, ("", words(entry.get("reason")))]
    known = {reason.strip().upper() for _, reason in reasons if reason.strip()}
    if known == {ALREADY_EXISTS}:
        return NameTaken(after_ambiguity=after_ambiguity)
    kinds = {BLOCK_REASONS.get(reason, ItemBlockedError) for reason in known - {ALREADY_EXISTS}}
    kind = kinds.pop() if len(kinds) == 1 else ItemBlockedError
    told = "; ".join(f"slot {slot!r}: {reason}" if slot else reason for slot, reason in reasons if reason)
    message = bounded(f"Darwin blocked the item: {told or 'it gave no reason'}")
    return Refused(kind(message, name=item.name, path=item.path), after_ambiguity=after_ambiguity)
