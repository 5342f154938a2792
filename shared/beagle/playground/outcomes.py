"""What the functions say became of objects: their log, read back and counted."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass

NOT_YET = frozenset({"passed_on", "again"})
"""Endings of one stage that are none of the object's way."""
STANDING = frozenset({"registered", "already_registered"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How one announcement of an object ended in one stage, as its function logged it."""

    at: str
    """When; sorts as text."""
    stage: str
    ending: str
    code: str
    key: str
    """Empty where the message named no object."""
    place: str
    """The item's path and name in its dataset, as far as it has one."""
    detail: str

    @property
    def stands(self) -> bool:
        """Say whether the object is an item now."""
        return self.ending in STANDING

    @property
    def is_final(self) -> bool:
        """Say whether the announcement is done with."""
        return self.ending not in NOT_YET


def parse_ended(line: str) -> Ended | None:
    """Return the outcome that a log line tells; None for every other line."""
    if '"object ended"' not in line:
        return None
    try:
        said = json.loads(line)
    except ValueError:
        return None
    if not isinstance(said, dict) or said.get("message") != "object ended":
        return None
    path = said.get("path", "")
    return Ended(
        at=said.get("timestamp", ""),
        stage=said.get("stage", ""),
        ending=said.get("ending", ""),
        code=said.get("code", ""),
        key=said.get("key", ""),
        place=f"{path.rstrip('/')}/{said['item']}" if "item" in said else "",
        detail=said.get("detail", ""),
    )


@dataclass(frozen=True, slots=True)
class Account:
    """What went in and what came out, told by three witnesses: who announced, who worked, and what waits."""

    received: tuple[str, ...] = ()
    """The key of each announcement."""
    ended: tuple[Ended, ...] = ()
    queued: tuple[str, ...] = ()
    """The key of each message that waits."""

    @property
    def counts(self) -> Counter[str]:
        """Return how many announcements ended in each way."""
        return Counter(one.ending for one in self.ended if one.is_final)

    @property
    def adds_up(self) -> bool:
        """Say whether each object's announcements all ended once, or still wait: none lost, none doubled."""
        left = Counter(one.key for one in self.ended if one.is_final) + Counter(self.queued)
        return Counter(self.received) == left

    def __add__(self, other: Account) -> Account:
        return Account(self.received + other.received, self.ended + other.ended, self.queued + other.queued)
