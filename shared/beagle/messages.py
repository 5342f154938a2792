"""Our own JSON: the messages between stages, replayed events, dead letters, ledger entries.

Each carries its form's name and version (`"beagle": "item/1"`). Every version that was ever written is read
for ever, so that old and new code may run side by side and old letters can be replayed.
"""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import NonNegativeInt, TypeAdapter, ValidationError

from beagle.domain.errors import NewerMessageError, UnparsableMessageError
from beagle.domain.events import Notification, ObjectCreated
from beagle.domain.items import ReadyItem, ReadyPart
from beagle.domain.letters import RAW_LIMIT, DeadLetter, derive_letter_id
from beagle.ports import LedgerEntry

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

T = TypeVar("T")

EVENT, ITEM, PART, CLAIM, LETTER, ENTRY = "event/1", "item/1", "part/1", "claim/1", "letter/1", "ledger/1"

MESSAGE_LIMIT = 200_000
"""Bytes of one queue message that we allow ourselves, below the smallest limit of SQS's history (256 KiB)."""

_SHORT = 1000
"""Characters that are left of what must be cut."""

_counts = TypeAdapter(NonNegativeInt)


def _form(kind: type[T]) -> TypeAdapter[T]:
    """Return the adapter of a form, built when first asked for: each costs milliseconds of a cold start."""
    adapter: TypeAdapter[T] = _built(kind)  # type: ignore[arg-type]  # every class is hashable
    return adapter


@cache
def _built(kind: type[Any]) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def dump_event(event: ObjectCreated, replayed: int) -> str:
    """Return the queue message that announces an event again."""
    return _dump(EVENT, {"replayed": replayed, "event": _form(ObjectCreated).dump_python(event, mode="json")})


def load_event(body: str) -> Notification | None:
    """Return what `dump_event` wrote; None for any other message.

    Raises:
        UnparsableMessageError: It calls itself an event of ours, and is none.
        NewerMessageError: A newer Beagle wrote it.

    """
    wire = _ours(body, EVENT)
    if wire is None:
        return None
    event = _validate(_form(ObjectCreated), wire.get("event"), EVENT)
    return Notification(announced=(event,), replayed=_validate(_counts, wire.get("replayed", 0), EVENT))


def dump_item(ready: ReadyItem) -> str:
    """Return the queue message that asks for a registration."""
    return _dump(ITEM, _form(ReadyItem).dump_python(ready, mode="json", exclude_defaults=True))


def load_item(body: str) -> ReadyItem:
    """Return what `dump_item` wrote.

    Raises:
        UnparsableMessageError: It is anything else.
        NewerMessageError: A newer Beagle wrote it.

    """
    wire = _ours(body, ITEM)
    if wire is None:
        raise UnparsableMessageError("The message is no item to register.")
    return _validate(_form(ReadyItem), wire, ITEM)


def dump_part(part: ReadyPart) -> str:
    """Return the queue message that asks for one part of a video."""
    return _dump(PART, _form(ReadyPart).dump_python(part, mode="json", exclude_defaults=True))


def load_part(body: str) -> ReadyPart | None:
    """Return what `dump_part` wrote; None for any other message. Raises as `load_event` does."""
    wire = _ours(body, PART)
    return None if wire is None else _validate(_form(ReadyPart), wire, PART)


def dump_claim(event: ObjectCreated, key: str) -> str:
    """Return the queue message that stands for one too large for the queue, kept under a key."""
    return _dump(CLAIM, {"key": key, "event": _form(ObjectCreated).dump_python(event, mode="json")})


def load_claim(body: str) -> str | None:
    """Return the key that `dump_claim` wrote; None for any other message. Raises as `load_event` does."""
    wire = _ours(body, CLAIM)
    return None if wire is None else _validate(_form(str), wire.get("key"), CLAIM)


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
        body = _dump(LETTER, {**_form(DeadLetter).dump_python(shorter, mode="json"), "advice": letter.advice})
        if len(body) <= most_bytes:
            break
    return body


def load_letter(body: str, *, attempts: int, sent_at: datetime, version: str) -> DeadLetter:
    """Return the letter; a message that the platform itself gave up becomes one, with the code `gave_up`.

    `attempts` and `sent_at` (aware of its zone) are the queue's own record of the message.
    """
    try:
        wire = _ours(body, LETTER)
        if wire is not None:
            return _validate(_form(DeadLetter), wire, LETTER)
    except (UnparsableMessageError, NewerMessageError):
        pass  # kept as a raw message: an unreadable letter must still be seen
    event, item = look_inside(body)
    return DeadLetter(
        id=derive_letter_id("gave_up", event, body),
        code="gave_up",
        reason="The platform stopped delivering this message after too many failed attempts.",
        stage="queue",
        event=event,
        raw=body[:RAW_LIMIT],
        item=item.item if item else None,
        route=item.route if item else "",
        attempts=attempts,
        replayed=item.replayed if item else 0,
        first_at=event.occurred_at if event else sent_at,
        last_at=sent_at,
        version=version,
    )


def dump_entry(entry: LedgerEntry, stamp: str = "") -> bytes:
    """Return a ledger entry as the state bucket holds it; the stamp tells who wrote it."""
    return _dump(ENTRY, {**_form(LedgerEntry).dump_python(entry, mode="json"), "stamp": stamp}).encode()


def load_entry(data: bytes) -> LedgerEntry:
    """Return what `dump_entry` wrote.

    Raises:
        UnparsableMessageError: It is anything else.
        NewerMessageError: A newer Beagle wrote it.

    """
    wire = _ours(data.decode(errors="replace"), ENTRY)
    if wire is None:
        raise UnparsableMessageError("The object is no ledger entry.")
    return _validate(_form(LedgerEntry), wire, ENTRY)


def load_stamp(data: bytes) -> str:
    """Return the stamp of what `dump_entry` wrote; empty where there is none."""
    wire = _ours(data.decode(errors="replace"), ENTRY) or {}
    return str(wire.get("stamp", ""))


def look_inside(body: str) -> tuple[ObjectCreated | None, ReadyItem | None]:
    """Return what a message of ours that was given up is about; nothing of any other."""
    try:
        notification = load_event(body)
        if notification is not None:
            event = notification.announced[0]
            return (event if isinstance(event, ObjectCreated) else None), None
        if (claim := _ours(body, CLAIM)) is not None:
            return _validate(_form(ObjectCreated), claim.get("event"), CLAIM), None
        part = load_part(body)
        ready = part.ready if part else load_item(body)
    except (UnparsableMessageError, NewerMessageError):
        return None, None
    return ready.event, ready


def _dump(form: str, fields: Mapping[str, Any]) -> str:
    return json.dumps({"beagle": form, **fields}, ensure_ascii=True, separators=(",", ":"))


def _ours(body: str, form: str) -> dict[str, Any] | None:
    """Return the fields of a message of that form; None for anything else.

    Raises:
        UnparsableMessageError: It is of that form in a version that never was.
        NewerMessageError: It is of that form in a version that this Beagle does not know yet.

    """
    if '"beagle"' not in body:
        return None
    try:
        wire = json.loads(body)
    except (ValueError, RecursionError):
        return None
    found = wire.get("beagle") if isinstance(wire, dict) else None
    if found == form:
        return dict(wire)
    kind, _, known = form.partition("/")
    if not isinstance(found, str) or found.partition("/")[0] != kind:
        return None
    version = found.partition("/")[2]
    if version.isascii() and version.isdecimal() and int(version[:9]) > int(known):
        raise NewerMessageError(f"The message is {found}, and this Beagle reads {form}: deploy the newer.")
    raise UnparsableMessageError(f"The message is {found!r:.100}, and there is no such form.")


def _validate(adapter: TypeAdapter[T], wire: object, form: str) -> T:
    try:
        return adapter.validate_python(wire)
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, f['loc']))}: {f['msg']}" for f in error.errors(include_url=False)
        )
        raise UnparsableMessageError(f"The message calls itself {form} and is none: {faults}.") from error
