"""Globs that choose keys and capture parts of them, and the templates that use what was captured.

Whoever uploads chooses the keys, so a glob takes time that grows with the key alone. As a regular expression,
each further wildcard would multiply the ways to divide a key among them by the key's length.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from string import Formatter
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_TOKENS = re.compile(r"\*\*/|\*\*|\*|\?|\{[^{}]*\}|[^*?{]+|.", re.DOTALL)
_NOWHERE = -1


class _Part(Protocol):
    """One piece of a glob."""

    @property
    def name(self) -> str:
        """Under which what it takes is captured; empty where it is not."""

    def ends(self, key: str, rest: Sequence[int]) -> list[int]:
        """Return, for each place of the key where the part may begin, the best of those where it may end.

        It ends only where the rest of the glob fits, which is where `rest`, the next part's ends, is not
        `_NOWHERE`; and of these as late as it can.
        """


@dataclass(frozen=True, slots=True)
class _Words:
    """Letters as they stand, or one of several alternatives: the first that fits."""

    words: tuple[re.Pattern[str], ...]
    lengths: tuple[int, ...]
    name: str = ""

    def ends(self, key: str, rest: Sequence[int]) -> list[int]:
        found = [_NOWHERE] * len(rest)
        for word, length in zip(reversed(self.words), reversed(self.lengths), strict=True):
            for end in range(length, len(rest)):
                if rest[end] != _NOWHERE and word.match(key, end - length):
                    found[end - length] = end
        return found


@dataclass(frozen=True, slots=True)
class _Any:
    """Characters, of one folder or across folders."""

    least: int
    most_one: bool = False
    crosses: bool = False
    name: str = ""

    def ends(self, key: str, rest: Sequence[int]) -> list[int]:
        found = [_NOWHERE] * len(rest)
        furthest = _NOWHERE  # reached from here by any number of characters
        for start in range(len(key), -1, -1):
            if start < len(key) and key[start] == "/" and not self.crosses:
                furthest = _NOWHERE
            one_more = furthest
            if self.most_one:
                furthest = _NOWHERE
            if furthest == _NOWHERE and rest[start] != _NOWHERE:
                furthest = start
            found[start] = one_more if self.least else furthest
        return found


@dataclass(frozen=True, slots=True)
class _Folders:
    """Whole folders, each with its slash, or none."""

    name: str = ""

    def ends(self, key: str, rest: Sequence[int]) -> list[int]:
        below = (end for end in range(len(key), 0, -1) if key[end - 1] == "/" and rest[end] != _NOWHERE)
        furthest = next(below, _NOWHERE)
        return [
            furthest if furthest > start else start if rest[start] != _NOWHERE else _NOWHERE
            for start in range(len(rest))
        ]


_WILDCARDS: dict[str, _Part] = {
    "**/": _Folders(),
    "**": _Any(least=0, crosses=True),
    "*": _Any(least=0),
    "?": _Any(least=1, most_one=True),
}


@dataclass(frozen=True, slots=True)
class Glob:
    """What matches whole keys."""

    parts: tuple[_Part, ...]

    def matches(self, key: str) -> bool:
        """Say whether it matches the whole key."""
        return self.capture(key) is not None

    def capture(self, key: str) -> dict[str, str] | None:
        """Return what each name stands for in the key; None where the glob does not match it.

        Each part takes as much as lets the rest match, the first part first.
        """
        rest = [_NOWHERE] * len(key) + [len(key)]
        steps = []
        for part in reversed(self.parts):
            rest = part.ends(key, rest)
            steps.append(rest)
        if rest[0] == _NOWHERE:
            return None
        captured, place = {}, 0
        for part, step in zip(self.parts, reversed(steps), strict=True):
            if part.name:
                captured[part.name] = key[place : step[place]]
            place = step[place]
        return captured


@lru_cache(maxsize=1024)
def compile_glob(glob: str) -> Glob:
    """Return what matches whole keys as the glob says, in any case of letters.

    `*` and `?` stay within a folder, `**` crosses folders, `{a,b}` is either, `{name}` captures what stands
    there, within a folder.

    Raises:
        ValueError: A brace holds neither a name nor alternatives, or a name stands twice.

    """
    parts = tuple(map(_part, _TOKENS.findall(glob)))
    names = [part.name for part in parts if part.name]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"{glob!r} is no glob: it captures {min(twice)!r} twice")
    return Glob(parts)


def _part(token: str) -> _Part:
    if token in _WILDCARDS:
        return _WILDCARDS[token]
    if not token.startswith("{"):
        return _words(token)
    inside = token[1:-1]
    if "," in inside and "*" not in inside and "?" not in inside:
        return _words(*inside.split(","))
    if _NAME.fullmatch(inside):
        return _Any(least=1, name=inside)
    raise ValueError(
        f"{token!r} in a glob is neither a name to capture ({{site}}) nor plain alternatives ({{jpg,png}})"
    )


def _words(*words: str) -> _Words:
    """Return the part that is one of the words; a letter and its other case are one character each."""
    patterns = tuple(re.compile(re.escape(word), re.IGNORECASE) for word in words)
    return _Words(patterns, tuple(map(len, words)))


def captures_of(glob: str) -> set[str]:
    """Return the names that the glob captures."""
    return {part.name for part in compile_glob(glob).parts if part.name}


def placeholders_of(template: str) -> set[str]:
    """Return the names that the template uses.

    Raises:
        ValueError: A brace is not closed, or holds anything but a name.

    """
    names = set()
    try:
        parts = list(Formatter().parse(template))
    except ValueError as error:
        raise ValueError(f"{template!r}: {error}") from error
    for _, name, form, conversion in parts:
        if name is None:
            continue
        if not _NAME.fullmatch(name) or form or conversion:
            raise ValueError(f"{template!r}: {{{name}}} is no plain name")
        names.add(name)
    return names


def fill(template: str, values: dict[str, str]) -> str:
    """Return the template with its names replaced."""
    return template.format_map(values)
