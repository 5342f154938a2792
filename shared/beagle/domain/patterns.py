"""Globs that choose keys and capture parts of them, and the templates that use what was captured."""

from __future__ import annotations

import re
from functools import lru_cache
from string import Formatter

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_WILDCARDS = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
_TOKENS = re.compile(r"\*\*/|\*\*|\*|\?|\{[^{}]*\}|[^*?{]+|.", re.DOTALL)


@lru_cache(maxsize=1024)
def compile_glob(glob: str) -> re.Pattern[str]:
    """Return what matches whole keys as the glob says, in any case of letters.

    `*` and `?` stay within a folder, `**` crosses folders, `{a,b}` is either, `{name}` captures what stands
    there, within a folder.

    Raises:
        ValueError: A brace holds neither a name nor alternatives, or a name stands twice.

    """
    try:
        return re.compile("".join(map(_translate, _TOKENS.findall(glob))), re.DOTALL | re.IGNORECASE)
    except re.error as error:
        raise ValueError(f"{glob!r} is no glob: {error}") from error


def _translate(token: str) -> str:
    if token in _WILDCARDS:
        return _WILDCARDS[token]
    if not token.startswith("{"):
        return re.escape(token)
    inside = token[1:-1]
    if "," in inside and "*" not in inside and "?" not in inside:
        return f"(?:{'|'.join(map(re.escape, inside.split(',')))})"
    if _NAME.fullmatch(inside):
        return f"(?P<{inside}>[^/]+)"
    raise ValueError(
        f"{token!r} in a glob is neither a name to capture ({{site}}) nor plain alternatives ({{jpg,png}})"
    )


def captures_of(glob: str) -> set[str]:
    """Return the names that the glob captures."""
    return set(compile_glob(glob).groupindex)


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
