"""Reading JSON that others wrote: whatever it holds, the end is a value or an `UnparsableMessageError`."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import unquote

from beagle.domain.errors import UnparsableMessageError
from beagle.domain.events import Unreadable

if TYPE_CHECKING:
    from collections.abc import Callable

    from beagle.domain.events import Announced, NotAnObject, ObjectCreated

_LARGEST = 2**63 - 1
_LARGEST_DIGITS = len(str(_LARGEST))
_BROKEN_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})")


def load_json(text: str) -> object:
    """Return the JSON value that the text is."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:  # also numbers of thousands of digits, and deep nesting
        raise UnparsableMessageError("The message is no JSON that can be read.") from error


def read_entries(
    entries: list[object],
    read: Callable[[object], ObjectCreated | NotAnObject],
    wrap: Callable[[object], object],
) -> tuple[Announced, ...]:
    """Return what each entry of a message announces: of several, one that cannot be read spoils no other.

    `wrap` makes an entry a message of its own.

    Raises:
        UnparsableMessageError: The only entry cannot be read.

    """
    if len(entries) == 1:
        return (read(entries[0]),)
    announced: list[Announced] = []
    for entry in entries:
        try:
            announced.append(read(entry))
        except UnparsableMessageError as error:
            announced.append(Unreadable(reason=str(error), raw=json.dumps(wrap(entry))))
    return tuple(announced)


def decode_base64(text: str) -> str:
    """Return the text that lies in base64."""
    try:
        return b64decode(text, validate=True).decode()
    except ValueError as error:
        raise UnparsableMessageError("The message holds no text in base64.") from error


def decode_percents(text: str) -> str:
    """Return the text with its percent escapes undone, and nothing else changed: `+` stays `+`.

    What is no UTF-8 is refused: a replacement character would name another object.
    """
    if _BROKEN_ESCAPE.search(text):
        raise UnparsableMessageError(f"{text!r:.200} holds a percent sign that begins no escape.")
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError as error:
        raise UnparsableMessageError(f"{text!r:.200} is no UTF-8 once its escapes are undone.") from error


def find(value: object, *path: str) -> object:
    """Return what lies at the path, None where nothing does."""
    for name in path:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def text_at(value: object, *path: str) -> str:
    """Return the text at the path; it must be there, not empty, and valid Unicode."""
    text = optional_text_at(value, *path)
    if not text:
        raise UnparsableMessageError(f"The field {'.'.join(path)} is missing.")
    return text


def optional_text_at(value: object, *path: str) -> str:
    """Return the text at the path, empty where there is none."""
    text = find(value, *path)
    if text is None:
        return ""
    if not isinstance(text, str):
        raise UnparsableMessageError(f"The field {'.'.join(path)} is no text.")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise UnparsableMessageError(f"The field {'.'.join(path)} is no valid Unicode text.") from error
    return text


def number_at(value: object, *path: str) -> int:
    """Return the whole number at the path, from 0 to the largest that 64 bits hold."""
    number = optional_number_at(value, *path)
    if number is None:
        raise UnparsableMessageError(f"The field {'.'.join(path)} is missing.")
    return number


def optional_number_at(value: object, *path: str) -> int | None:
    """Return the whole number at the path, None where there is none.

    It may be written as text: JSON's own numbers are too small for Google's.
    """
    number = find(value, *path)
    if number is None:
        return None
    if isinstance(number, str) and number.isascii() and number.isdecimal() and len(number) <= _LARGEST_DIGITS:
        number = int(number)
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number <= _LARGEST:
        raise UnparsableMessageError(f"The field {'.'.join(path)} is no whole number of at most 64 bits.")
    return number


def time_at(value: object, *path: str) -> datetime:
    """Return the time at the path, in UTC, which is also what a time without a zone is in."""
    try:
        time = datetime.fromisoformat(text_at(value, *path))
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise UnparsableMessageError(f"The field {'.'.join(path)} is no time.") from error
