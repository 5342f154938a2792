"""Logs of processes that still write them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def read_log(path: Path) -> str:
    """Return what a process has logged so far: whole lines, without one that is being written."""
    text = path.read_text(errors="replace")
    return text[: text.rfind("\n") + 1]
