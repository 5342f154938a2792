"""What is wrong with a file that people wrote, in their words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError

_PLAINLY = {
    "extra_forbidden": "there is no such field",
    "missing": "is missing",
    "model_type": "should hold fields",
    "tuple_type": "should be a list",
}
"""What pydantic's kinds of faults are to people."""


def told(document: object, error: ValidationError) -> str:
    """Return every fault that pydantic found in a document, with its place."""
    return "; ".join(
        f"{_place(document, fault['loc'])}: "
        f"{_PLAINLY.get(fault['type'], fault['msg'].removeprefix('Value error, '))}"
        for fault in error.errors(include_url=False)
    )


def _place(document: object, loc: tuple[int | str, ...]) -> str:
    """Name a field as people do: `routes[0] (cars) watch.prefix`."""
    place, inside = "", document
    for step in loc:
        if place and not isinstance(inside, dict | list):
            break  # what follows are pydantic's names for what a value might have been
        inside = _step_into(inside, step)
        if isinstance(step, int):
            label = inside.get("name") if isinstance(inside, dict) else None
            place += f"[{step}]" + (f" ({label})" if label else "")
        else:
            place += f".{step}" if place and not place.endswith(")") else f" {step}" if place else step
    return place or "the file"


def _step_into(value: object, step: int | str) -> object:
    try:
        return value[step]  # type: ignore[index]  # whatever a YAML file holds; what is not there is None
    except (KeyError, IndexError, TypeError):
        return None
