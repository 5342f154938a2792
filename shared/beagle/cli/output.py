"""What leaves the command: data as lines of JSON on stdout, everything for people beside it."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rich.console import Console
    from rich.syntax import Syntax
    from rich.text import Text

OK, FAILED, MISUSE = 0, 1, 2
"""Exit codes: all well, something failed, the command was used wrongly."""

COLOURS = {
    "register": "green",
    "registered": "green",
    "extract": "green",
    "already_registered": "cyan",
    "wait_for_group": "yellow",
    "superseded": "yellow",
    "passed_on": "blue",
    "again": "yellow",
    "ignored": "bright_black",
    "dead_lettered": "red",
}
"""One colour an outcome, wherever it is shown."""


def visible(text: object) -> str:
    """Return the text as it may stand on a terminal: what does not print is written as an escape.

    Keys and reasons come from others, and may hold line breaks or codes that would steer the terminal.
    """
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(text))


def styled(text: object, style: str = "") -> Text:
    """Return the text for Rich: visible, and no markup."""
    from rich.text import Text  # noqa: PLC0415 - see the package

    return Text(visible(text), style=style)


def in_words(outcome: str) -> str:
    """Return an outcome as people write it."""
    return outcome.replace("dead_lettered", "dead-lettered").replace("_", " ")


def outcome_text(outcome: str, code: str = "") -> Text:
    """Return an outcome in its colour, in words, with the code behind."""
    from rich.text import Text  # noqa: PLC0415

    said = Text(in_words(outcome), style=COLOURS.get(outcome, ""))
    return said.append(f"  {visible(code)}", style="dim") if code else said


def pretty_json(value: object) -> Syntax:
    """Return JSON in colours, for Rich."""
    from rich.syntax import Syntax  # noqa: PLC0415

    lines = json.dumps(value, indent=2, ensure_ascii=False).split("\n")
    code = "\n".join("".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in line) for line in lines)
    return Syntax(code, "json", theme="ansi_dark", background_color="default", word_wrap=True)


def wants_lines(as_json: bool) -> bool:  # noqa: FBT001 - the option itself
    """Say whether data goes out as lines of JSON: asked for, or nobody is looking."""
    return as_json or not sys.stdout.isatty()


def print_line(record: Mapping[str, Any]) -> None:
    """Write one object as one line. ASCII only: nothing in it can steer a terminal or fail to be encoded."""
    sys.stdout.write(json.dumps(record) + "\n")
    sys.stdout.flush()


def print_lines(records: Iterable[Mapping[str, Any]]) -> None:
    """Write each object as one line."""
    for record in records:
        print_line(record)


def screen() -> Console:
    """Return stdout, for what people look at."""
    from rich.console import Console  # noqa: PLC0415

    return Console(highlight=False)


def aside() -> Console:
    """Return stderr: for people, whatever happens to the data."""
    from rich.console import Console  # noqa: PLC0415

    return Console(stderr=True, highlight=False)
