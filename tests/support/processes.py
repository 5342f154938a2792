"""What processes take, read from Linux's own books."""

from __future__ import annotations

import os
import resource
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PARENT, _USER, _DEAD_CHILDREN_SYSTEM, _RESIDENT = 1, 11, 14, 21
"""Fields of `/proc/PID/stat` behind the name; of processor time there are four in a row."""


def descendants(root: int) -> dict[int, list[str]]:
    """Return the books of a process and of everything that it has started."""
    books, children = {}, {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue  # it has ended meanwhile
        pid = int(entry.parent.name)
        books[pid] = fields
        children.setdefault(int(fields[_PARENT]), []).append(pid)
    found, waiting = {}, [root]
    while waiting:
        pid = waiting.pop()
        if pid in books:
            found[pid] = books[pid]
        waiting += children.get(pid, [])
    return found


def tree_memory(root: int) -> int:
    """Return the resident bytes of a process and all its descendants; what they share counts for each."""
    return sum(int(fields[_RESIDENT]) for fields in descendants(root).values()) * resource.getpagesize()


def processor_seconds(pid: int) -> float:
    """Return what a process took, with all children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(map(int, fields[_USER : _DEAD_CHILDREN_SYSTEM + 1])) / _TICKS


def is_alive(pid: int) -> bool:
    """Say whether a process runs, and is not just unburied."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):  # the latter where it ends while it is read
        return False


def folder_size(folder: Path) -> int:
    """Return the bytes below a folder, as far as they do not vanish while one looks."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                total += (Path(place) / name).lstat().st_size
            except OSError:
                continue
    return total
