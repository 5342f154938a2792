"""The envelope of our own JSON: the name and version of a form, and its fields."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from beagle.domain.errors import NewerMessageError, UnparsableMessageError

if TYPE_CHECKING:
    from collections.abc import Mapping

T = TypeVar("T")


def form_of(kind: type[T]) -> TypeAdapter[T]:
    """Return the adapter of a form, built when first asked for: each costs milliseconds of a cold start."""
    adapter: TypeAdapter[T] = _built(kind)  # type: ignore[arg-type]  # every class is hashable
    return adapter


@cache
def _built(kind: type[Any]) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def dump(form: str, fields: Mapping[str, Any]) -> str:
    """Return a message of a form, in ASCII: characters are bytes."""
    return json.dumps({"beagle": form, **fields}, ensure_ascii=True, separators=(",", ":"))


def fields_of(body: str, form: str) -> dict[str, Any] | None:
    """Return the fields of a message of that form; None for anything else.

    Raises:
        UnparsableMessageError: It is of that form in a version that never was.
        NewerMessageError: It is of that form in a version that this Beagle does not know yet.

    """
    wire = _wire(body)
    if wire is None:
        return None
    found = wire["beagle"]
    if found == form:
        return wire
    kind, _, known = form.partition("/")
    if found.partition("/")[0] != kind:
        return None
    version = found.partition("/")[2]
    if version.isascii() and version.isdecimal() and int(version[:9]) > int(known):
        raise NewerMessageError(f"The message is {found}, and this Beagle reads {form}: deploy the newer.")
    raise UnparsableMessageError(f"The message is {found!r:.100}, and there is no such form.")


def _wire(body: str) -> dict[str, Any] | None:
    """Return the fields of any message of ours; None for anything else."""
    if '"beagle"' not in body:
        return None
    try:
        wire = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return dict(wire) if isinstance(wire, dict) and isinstance(wire.get("beagle"), str) else None


def is_ours(body: str) -> bool:
    """Say whether Beagle wrote a message, in whatever form and version."""
    return _wire(body) is not None


def validate(adapter: TypeAdapter[T], wire: object, form: str) -> T:
    """Return what the fields of a form say.

    Raises:
        UnparsableMessageError: They do not say it.

    """
    try:
        return adapter.validate_python(wire)
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, f['loc']))}: {f['msg']}" for f in error.errors(include_url=False)
        )
        raise UnparsableMessageError(f"The message calls itself {form} and is none: {faults}.") from error
