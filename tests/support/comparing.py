"""Bringing what two languages say into one form, so that it can be compared."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any


def snake(words: str) -> str:
    """Return "ItemsPerRequest" or "dead-letters" as Terraform writes it."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", words).lower().replace("-", "_")


def _as_it_is(value: Any) -> Any:
    return value


@dataclass(frozen=True, slots=True)
class Same:
    """One argument: `type: path`. Both sides are brought into one form before they are compared."""

    place: str
    cfn: Callable[[Any], Any] = _as_it_is
    tf: Callable[[Any], Any] = _as_it_is
    absent: Any = None
    """What the platform takes where the template says nothing."""

    @property
    def type(self) -> str:
        return self.place.partition(": ")[0]

    @property
    def path(self) -> str:
        return self.place.partition(": ")[2]


def at(node: Any, path: str) -> Any:
    """Return what lies at a path of names; a list of one is entered. None where nothing lies."""
    for name in path.split("."):
        while isinstance(node, list) and len(node) == 1:
            [node] = node
        if not isinstance(node, dict):
            return None
        node = node.get(name)
    return node


def plain(value: Any) -> Any:
    """Return a value in the one form of both: no text that is JSON, no list of one, no order, no types."""
    if isinstance(value, str) and value[:1] in "{[" and value:
        value = json.loads(value)
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items() if one is not None}
    if isinstance(value, list):
        ones = sorted(map(plain, value), key=lambda one: json.dumps(one, sort_keys=True))
        return ones[0] if len(ones) == 1 else ones or None
    return value if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def written_out(lines: list[list[Any]]) -> Iterator[list[Any]]:
    """Yield the lines of a dashboard's chart, where "." stands for what the line above has there."""
    above: list[Any] = []
    for line in lines:
        above = [above[place] if word == "." else word for place, word in enumerate(line)]
        yield above


def uncovered(properties: Mapping[str, Any], known: Mapping[str, Same]) -> Iterator[str]:
    """Yield the paths of properties that the table does not know."""

    def paths(node: Any, path: str) -> Iterator[str]:
        if path in known:
            return
        if isinstance(node, list) and len(node) == 1:
            [node] = node
        if not isinstance(node, dict):
            yield path
            return
        for name, value in node.items():
            yield from paths(value, f"{path}.{name}" if path else name)

    yield from paths(properties, "")
