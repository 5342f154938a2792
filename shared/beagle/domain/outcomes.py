"""How an object's way through one stage ends."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from beagle.domain.events import ObjectRef
from beagle.domain.items import ItemId


class Ending(StrEnum):
    """The ends of the conservation law, and the two ways of not having ended yet."""

    REGISTERED = "registered"
    ALREADY_REGISTERED = "already_registered"
    SUPERSEDED = "superseded"
    IGNORED = "ignored"
    DEAD_LETTERED = "dead_lettered"
    PASSED_ON = "passed_on"
    """To the next stage's queue: still queued."""
    AGAIN = "again"
    """Left in this stage's queue: still queued."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one announced object, durable before its message is acknowledged."""

    ending: Ending
    code: str = ""
    """Why, where the ending alone does not say: an error's code, or the rule that ignored it."""
    ref: ObjectRef | None = None
    """None where the message could not be read."""
    content: str = ""
    """Which content of the object."""
    item: ItemId | None = None
    detail: str = ""
    retry_in: float | None = None
    """Seconds, for `AGAIN`; None leaves it to the queue."""
    waited: float | None = None
    """Seconds that its message is in the queue by now, for `AGAIN`; None if unknown."""
