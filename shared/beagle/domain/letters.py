"""Dead letters: what could not be registered, why, and what to do about it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from beagle.domain.events import ObjectCreated
from beagle.domain.items import Item

RAW_LIMIT = 16_384
"""Characters of the raw message that a letter keeps."""
GIVEN_UP = "queue"
"""The stage of what the platform gave up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """One object, or one unreadable message, that ended without being registered."""

    id: str
    """The same for the same object content and code: writing it twice is harmless."""
    code: str
    reason: str
    """What Darwin or we said, in full."""
    stage: str
    """Where it ended: `prepare`, `extract`, `register`; or `GIVEN_UP`."""
    event: ObjectCreated | None
    raw: str
    """The message as it arrived; of what a stage ends, up to `RAW_LIMIT` characters."""
    item: Item | None
    route: str
    attempts: int
    """How often the queue had delivered the message."""
    replayed: int
    """How often it had been replayed before."""
    first_at: datetime
    """When the object was created, as far as that is known; otherwise when the letter was written."""
    last_at: datetime
    version: str
    """The version of Beagle that wrote it."""
    is_whole: bool = True
    """Whether `raw` was not cut. Where nobody wrote that down, it was if it has `RAW_LIMIT` characters."""

    def __post_init__(self) -> None:
        """Refuse a time without a zone: it could not be compared with any other."""
        if self.first_at.tzinfo is None or self.last_at.tzinfo is None:
            raise ValueError("first_at and last_at must say their zone")

    @property
    def advice(self) -> str:
        """One line for the person who acts."""
        return advice_for(self.code)


def derive_letter_id(code: str, event: ObjectCreated | None, raw: str) -> str:
    """Return the letter's id: made from the object, its content and the code, or from the bytes alone."""
    what = (raw,) if event is None else (event.ref.provider, event.ref.bucket, event.ref.key, event.content)
    return hashlib.sha256("\0".join((code, *what)).encode(errors="surrogatepass")).hexdigest()[:32]


_ADVICE = {
    "already_exists_unverified": (
        "Look at the item of that name in Darwin. Is it this object, nothing is lost; is it another, "
        "rename or remove it there, then replay."
    ),
    "crash_loop": (
        "Every attempt at it killed the function: read its log, give it more memory or mend the file, "
        "then replay."
    ),
    "empty_object": "Upload the file again: the object has no bytes.",
    "gave_up": "The platform gave up on this message: read the function's log, mend the cause, then replay.",
    "group_incomplete": "Upload the missing files of the group, then replay.",
    "invalid_request": "Read what Darwin says of the field, correct the route, deploy, then replay.",
    "item_blocked": "Read Darwin's reason, clear it there or in the route, then replay.",
    "item_limit_exceeded": "The team's plan holds no more items: archive some or raise it, then replay.",
    "media_too_large": "The file asks for more than is allowed: make it smaller, then upload it again.",
    "media_too_slow": (
        "Decoding it came to no end: see how `beagle artifacts` fares with it. Give extract more memory, or "
        "encode or divide the file anew; then replay."
    ),
    "late_for_group": (
        "The group grew, or changed, after its item was registered: remove the item in Darwin, then replay."
    ),
    "name_collision": (
        "Two objects want one name: make the route's path or name tell them apart (or set "
        "on_name_collision: new_name), deploy, then replay."
    ),
    "newer_message": "A newer Beagle wrote it: replay it by that version's command. It stays until then.",
    "object_gone": "The object is not there any more, or was overwritten: upload it again if it is wanted.",
    "object_overwritten": (
        "The registered object has new content: decide in Darwin whether its annotations still hold. To have "
        "the new content registered, delete the item there, then replay."
    ),
    "request_too_large": "The item alone is larger than Darwin takes: fewer slots or sections, then replay.",
    "unknown_tags": "Create the tag's class in Darwin, or take the tag out of the route, then replay.",
    "unparsable_message": "This is no notification we know: see what else writes to the queue.",
    "unregisterable_key": "Darwin cannot hold this key: copy the object to one that starts without a slash.",
    "unreadable_media": "The file is damaged or is not what its suffix says: mend it and upload it again.",
    "unsupported_media": "Artifacts are not made from this kind of file: convert it and upload it again.",
    "unusable_name": (
        "The route makes no legal item name or path of this key: correct it, deploy, then replay."
    ),
}


def advice_for(code: str) -> str:
    """Return what to do about a code; every code that ends in a letter has its line."""
    return _ADVICE.get(code, "Read the reason, mend its cause, then replay.")
