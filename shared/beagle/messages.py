"""Our own JSON: the messages between stages, replayed events, dead letters, ledger entries.

Each carries its form's name and version (`"beagle": "item/1"`). Every version that was ever written is read
for ever, so that old and new code may run side by side and old letters can be replayed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pydantic import NonNegativeInt, TypeAdapter

from beagle.domain.errors import NewerMessageError, UnparsableMessageError
from beagle.domain.events import NotAnObject, Notification, ObjectCreated
from beagle.domain.items import Item, ReadyItem, ReadyPart
from beagle.domain.letters import GIVEN_UP, DeadLetter, derive_letter_id
from beagle.forms import dump, fields_of, form_of, is_ours, validate
from beagle.ports import LedgerEntry

if TYPE_CHECKING:
    from datetime import datetime

    from beagle.ports import Parse

EVENT, ITEM, PART, CLAIM, LETTER, ENTRY = "event/1", "item/1", "part/1", "claim/1", "letter/1", "ledger/1"

MESSAGE_LIMIT = 200_000
"""Bytes of one queue message that we allow ourselves, below the smallest limit of SQS's history (256 KiB)."""

_SHORT = 1000
"""Characters that are left of what must be cut."""

_counts = TypeAdapter(NonNegativeInt)


def dump_event(event: ObjectCreated, replayed: int) -> str:
    """Return the queue message that announces an event again."""
    return dump(
        EVENT, {"replayed": replayed, "event": form_of(ObjectCreated).dump_python(event, mode="json")}
    )


def load_event(body: str) -> Notification | None:
    """Return what `dump_event` wrote; None for any other message.

    Raises:
        UnparsableMessageError: It calls itself an event of ours, and is none.
        NewerMessageError: A newer Beagle wrote it.

    """
    wire = fields_of(body, EVENT)
    if wire is None:
        return None
    event = validate(form_of(ObjectCreated), wire.get("event"), EVENT)
    return Notification(announced=(event,), replayed=validate(_counts, wire.get("replayed", 0), EVENT))


def dump_item(ready: ReadyItem) -> str:
    """Return the queue message that asks for a registration."""
    return dump(ITEM, form_of(ReadyItem).dump_python(ready, mode="json", exclude_defaults=True))


def load_item(body: str) -> ReadyItem:
    """Return what `dump_item` wrote.

    Raises:
        UnparsableMessageError: It is anything else.
        NewerMessageError: A newer Beagle wrote it.

    """
    wire = fields_of(body, ITEM)
    if wire is None:
        raise UnparsableMessageError("The message is no item to register.")
    return validate(form_of(ReadyItem), wire, ITEM)


def dump_part(part: ReadyPart) -> str:
    """Return the queue message that asks for one part of a video."""
    return dump(PART, form_of(ReadyPart).dump_python(part, mode="json", exclude_defaults=True))


def load_part(body: str) -> ReadyPart | None:
    """Return what `dump_part` wrote; None for any other message. Raises as `load_event` does."""
    wire = fields_of(body, PART)
    return None if wire is None else validate(form_of(ReadyPart), wire, PART)


def dump_claim(event: ObjectCreated, key: str) -> str:
    """Return the queue message that stands for one too large for the queue, kept under a key."""
    return dump(CLAIM, {"key": key, "event": form_of(ObjectCreated).dump_python(event, mode="json")})


def load_claim(body: str) -> str | None:
    """Return the key that `dump_claim` wrote; None for any other message. Raises as `load_event` does."""
    wire = fields_of(body, CLAIM)
    return None if wire is None else validate(form_of(str), wire.get("key"), CLAIM)


def dump_letter(letter: DeadLetter, most_bytes: int = MESSAGE_LIMIT) -> str:
    """Return the dead letter as its queue holds it, shortened where whole it would not fit.

    The item goes first, for the event brings it back, then most of the reason; the raw message stays as long
    as it can where nothing else is known.
    """
    without_item = replace(letter, item=None)
    raw = letter.raw[:_SHORT] if letter.event else letter.raw
    briefly = replace(without_item, reason=letter.reason[:_SHORT], raw=raw)
    # Escaped, a character may be twelve.
    cut = (replace(briefly, raw=raw[: len(raw) >> n], is_whole=False) for n in range(1, 8))
    body = ""
    for shorter in (letter, without_item, briefly, *cut):
        body = dump(
            LETTER, {**form_of(DeadLetter).dump_python(shorter, mode="json"), "advice": letter.advice}
        )
        if len(body) <= most_bytes:
            break
    return body


def load_letter(
    body: str, *, attempts: int, sent_at: datetime, version: str, parse: Parse | None = None
) -> DeadLetter:
    """Return the letter; a message that the platform itself gave up becomes one, with the code `gave_up`.

    `attempts` and `sent_at` (aware of its zone) are the queue's own record of the message; `parse` reads what
    the provider itself announces. What a newer Beagle wrote becomes a letter that says so.
    """
    about, code = Inside(), "gave_up"
    reason = "The platform stopped delivering this message after too many failed attempts."
    try:
        if (wire := fields_of(body, LETTER)) is not None:
            letter = validate(form_of(DeadLetter), wire, LETTER)
            if letter.event is None and letter.stage == GIVEN_UP:
                letter = replace(letter, event=look_inside(letter.raw, parse).event)
            return letter
        about = _inside(body, parse)
    except NewerMessageError as error:
        code, reason = error.code, f"It was written by a newer Beagle. {error}"
    except UnparsableMessageError:
        pass  # kept as a raw message: an unreadable letter must still be seen
    return DeadLetter(
        id=derive_letter_id(code, about.event, body),
        code=code,
        reason=reason,
        stage=GIVEN_UP,
        event=about.event,
        raw=body,
        item=about.item,
        route=about.route,
        attempts=attempts,
        replayed=about.replayed,
        first_at=about.event.occurred_at if about.event else sent_at,
        last_at=sent_at,
        version=version,
    )


def dump_entry(entry: LedgerEntry, stamp: str = "") -> bytes:
    """Return a ledger entry as the state bucket holds it; the stamp tells who wrote it."""
    return dump(ENTRY, {**form_of(LedgerEntry).dump_python(entry, mode="json"), "stamp": stamp}).encode()


def load_entry(data: bytes) -> LedgerEntry:
    """Return what `dump_entry` wrote.

    Raises:
        UnparsableMessageError: It is anything else.
        NewerMessageError: A newer Beagle wrote it.

    """
    wire = fields_of(data.decode(errors="replace"), ENTRY)
    if wire is None:
        raise UnparsableMessageError("The object is no ledger entry.")
    return validate(form_of(LedgerEntry), wire, ENTRY)


def load_stamp(data: bytes) -> str:
    """Return the stamp of what `dump_entry` wrote; empty where there is none."""
    wire = fields_of(data.decode(errors="replace"), ENTRY) or {}
    return str(wire.get("stamp", ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class Inside:
    """What a message is about, as far as its words tell."""

    event: ObjectCreated | None = None
    item: Item | None = None
    route: str = ""
    replayed: int = 0


def look_inside(body: str, parse: Parse | None = None) -> Inside:
    """Return what a message is about; nothing where it tells of no object, or of several."""
    try:
        return _inside(body, parse)
    except (UnparsableMessageError, NewerMessageError):
        return Inside()


def _inside(body: str, parse: Parse | None) -> Inside:
    notification = load_event(body)
    if notification is None and parse and not is_ours(body):
        notification = parse(body)
    if notification is not None:
        objects = [one for one in notification.announced if not isinstance(one, NotAnObject)]
        [only] = objects if len(objects) == 1 else [None]
        event = only if isinstance(only, ObjectCreated) else None
        return Inside(event=event, replayed=notification.replayed)
    if (claim := fields_of(body, CLAIM)) is not None:
        return Inside(event=validate(form_of(ObjectCreated), claim.get("event"), CLAIM))
    part = load_part(body)
    ready = part.ready if part else load_item(body)
    return Inside(event=ready.event, item=ready.item, route=ready.route, replayed=ready.replayed)
