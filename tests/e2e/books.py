"""The conservation law, counted from outside: by what the functions logged, line by line."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from beagle.playground.stack import Stack

# An object that has left a stage; `again` has not, and is logged each time it stays.
FINAL = {"registered", "already_registered", "superseded", "ignored", "dead_lettered"}


@dataclass(frozen=True, slots=True)
class Line:
    """One outcome, as a function logged it."""

    stage: str
    key: str
    ending: str
    code: str
    detail: str


def lines_of(log: Iterable[str]) -> list[Line]:
    """Return the outcomes in a function's log."""
    return [
        Line(
            fields["stage"],
            fields.get("key", ""),
            fields["ending"],
            fields.get("code", ""),
            fields.get("detail", ""),
        )
        for fields in _json_lines(log)
        if fields.get("message") == "object ended"
    ]


def alarms_of(log: Iterable[str]) -> list[str]:
    """Return the codes for which a function called a person."""
    return [fields["code"] for fields in _json_lines(log) if fields.get("message") == "a person must act"]


def _json_lines(log: Iterable[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log if line.startswith("{")]


@dataclass(frozen=True, slots=True)
class Books:
    """What became of the objects below a folder."""

    lines: tuple[Line, ...]

    @classmethod
    def of(cls, stack: Stack, folder: str) -> "Books":
        """Read what the deployed functions have logged of a folder."""
        lines = [line for stage in stack.functions for line in lines_of(stack.logs(stage))]
        return cls(tuple(line for line in lines if line.key.startswith(f"{folder}/")))

    def count(self, stage: str) -> Counter[str]:
        """Count a stage's endings."""
        return Counter(line.ending for line in self.lines if line.stage == stage)

    def left(self, stage: str) -> int:
        """Count the announcements that a stage has done with."""
        return self.ended(stage) + self.count(stage)["passed_on"]

    def ended(self, stage: str) -> int:
        """Count the announcements that went no further than a stage."""
        endings = self.count(stage)
        return sum(endings[ending] for ending in FINAL)

    def of_key(self, key: str, stage: str) -> list[str]:
        """List how a key's announcements left a stage, in the order of names."""
        left = FINAL | {"passed_on"}
        lines = [line for line in self.lines if (line.key, line.stage) == (key, stage)]
        return sorted(line.ending for line in lines if line.ending in left)

    def codes(self, ending: str) -> dict[str, str]:
        """Map each key that ended so to the code it ended with."""
        return {line.key: line.code for line in self.lines if line.ending == ending}


def wait_until_settled(stack: Stack, folder: str, announced: int) -> None:
    """Return when so many announcements of a folder have left both stages, and nothing is queued."""

    def settled() -> bool:
        books = Books.of(stack, folder)
        return (
            books.left("prepare") == announced
            and books.left("register") == books.count("prepare")["passed_on"]
        )

    stack.wait_until(settled, seconds=60, what=f"An outcome for each of {announced} announcements")
    stack.wait_until_idle()
