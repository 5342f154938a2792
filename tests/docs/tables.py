"""Tables in Markdown, and the places for them in a page: between `<!-- generated: NAME -->` and its end."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in lines)


def fill(text: str, parts: Mapping[str, str]) -> str:
    """Return a page with its generated parts written anew; each has exactly one place."""
    for name, part in parts.items():
        text, found = re.subn(
            rf"(<!-- generated: {name} -->\n).*?(<!-- /generated -->)",
            lambda match, part=part: f"{match[1]}\n{part}\n\n{match[2]}",
            text,
            flags=re.DOTALL,
        )
        if found != 1:
            raise ValueError(f"There are {found} places for {name}.")
    return text
