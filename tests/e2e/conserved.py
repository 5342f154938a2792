"""The conservation law over many objects: what was announced, what became of it, and what does not add up."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from beagle.playground.stack import Function, Queue
from e2e.books import FINAL, Line

PREPARE_BATCH = 10
"""Announcements that one invocation of prepare gets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What became of many objects, counted from outside."""

    objects: int
    seconds: float
    announced: Counter[str]
    """Deliveries of events, by key."""
    registrable: frozenset[str]
    """The keys that must stand in Darwin."""
    blocked: frozenset[str]
    """The keys that Darwin refuses."""
    answered: tuple[Line, ...]
    """Endings, of invocations that were answered."""
    queued: dict[Queue, Counter[str]]
    """What still waits, by key."""
    items: Counter[str]
    """In Darwin, by storage key."""
    letters: dict[str, str]
    """Dead letters: key to code."""
    requests: int
    """For registrations."""
    faults: Counter[str]
    """What went wrong at Darwin, by kind."""
    kills: Counter[Function]
    """Processes ended by `kill -9`."""
    interrupted: Counter[Function]
    """Invocations that died with them."""

    @property
    def endings(self) -> Counter[str]:
        """Count how announcements ended."""
        return Counter(line.ending for line in self.answered if line.ending in FINAL)

    @property
    def redelivered(self) -> int:
        """Count what a function gave back to its queue; what killed ones had in hand comes besides."""
        return sum(line.ending == "again" for line in self.answered)

    @property
    def accounted(self) -> Counter[str]:
        """Count, by key, what has ended or still waits."""
        final = Counter(line.key for line in self.answered if line.ending in FINAL)
        return sum(self.queued.values(), final)

    @property
    def copies(self) -> int:
        """Count what register met once more: a prepare had sent it on, and was killed before it answered."""
        return (self.accounted - self.announced).total()

    def breaches(self) -> list[str]:
        """Say what does not hold of what is promised; nothing, if all does."""
        left_prepare = Counter(
            line.key for line in self.answered if line.stage == "prepare" and line.ending != "again"
        )
        registered = Counter(line.key for line in self.answered if line.ending == "registered")
        refused = {(key, "item_blocked") for key in self.blocked}
        found: dict[str, object] = {
            "announcements are lost": self.announced - self.accounted,
            "announcements did not leave prepare once": _unlike(
                self.announced, left_prepare + self.queued["uploads"]
            ),
            "more copies than killed instances held": self.copies
            if self.copies > PREPARE_BATCH * self.interrupted["prepare"]
            else None,
            "objects do not stand once in Darwin": _unlike(Counter(self.registrable), self.items),
            "objects were registered twice": registered - Counter(self.registrable),
            "the dead letters are not what Darwin refused": set(self.letters.items()) ^ refused,
        }
        return [f"{what}: {which}" for what, which in found.items() if which]


def _unlike(one: Counter[str], other: Counter[str]) -> Counter[str]:
    return (one - other) + (other - one)
