"""Reading JSON of which nothing is certain: whatever Darwin, or a proxy before it, may send."""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST_MESSAGE = 2_000
"""Characters that are kept of what Darwin says."""

DEEPEST = 8
MOST_PARTS = 200
LONGEST_NUMBER = 32


def load(body: bytes) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Return what the body holds; None where it is no JSON, or nested beyond reason."""
    try:
        return json.loads(body, parse_int=_whole)
    except (ValueError, RecursionError):
        return None


def _whole(digits: str) -> int | str:
    # Python refuses to read numbers of thousands of digits; one nobody asks for must not spoil the rest.
    return int(digits) if len(digits) <= LONGEST_NUMBER else digits[:LONGEST_NUMBER]


def load_object(body: bytes) -> dict[str, Any] | None:
    """Return the JSON object that the body holds; None where it holds anything else."""
    document = load(body)
    return document if isinstance(document, dict) else None


def entries(value: object) -> list[dict[str, Any]]:
    """Return the objects of a list; Darwin leaves lists out, or sends null, as it likes."""
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def text_of(value: object) -> str:
    """Return a text or a number as text; anything else is nothing."""
    if isinstance(value, str):
        return bounded(value)
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def words(value: object) -> str:
    """Return all that a value says, on one line."""
    parts = (f"{where}: {text}" if where else text for where, text in _parts(value))
    return bounded("; ".join(islice(parts, MOST_PARTS)))


def said(body: bytes) -> str:
    """Return what an error's body says, whatever its form or Content-Type.

    Known are `{"errors": {"code": ...}}`, `{"errors": {"<field>": ["<message>"]}}`, a list below `errors`,
    and plain text.
    """
    document = load(body)
    if isinstance(document, dict) and len(document) == 1 and "errors" in document:
        document = document["errors"]
    return words(document) or bounded(body[: 4 * LONGEST_MESSAGE].decode("utf-8", "replace"))


def codes(body: bytes) -> list[str]:
    """Return every `code` in an error's body, in capitals."""
    parts = islice(_parts(load(body)), MOST_PARTS)
    return [text.upper() for where, text in parts if where.rpartition(".")[2] == "code"]


def bounded(text: str) -> str:
    """Return the text on one line, at most 2,000 characters, and such that it can be written anywhere."""
    line = " ".join(text[: 4 * LONGEST_MESSAGE].split())
    line = line.encode("utf-8", "replace").decode()
    return line if len(line) <= LONGEST_MESSAGE else line[: LONGEST_MESSAGE - 1] + "…"


def _parts(value: object, where: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and depth < DEEPEST:
        for key, part in value.items():
            yield from _parts(part, f"{where}.{key}" if where else str(key), depth + 1)
    elif isinstance(value, list) and depth < DEEPEST:
        for part in value:
            yield from _parts(part, where, depth + 1)
    elif isinstance(value, dict | list):
        yield where, "…"
    elif value is not None and value != "":
        yield where, value if isinstance(value, str) else json.dumps(value)
