"""What a process costs with all its children: time, and memory and disk at their worst moment."""

from __future__ import annotations

import os
import resource
import subprocess
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of clock and processor, and the most bytes of memory and disk."""

    wall: float
    cpu: float
    memory: int
    disk: int


def cost_of(command: Sequence[object], work: Path, **env: str) -> Cost:
    """Run a command whose temporary files lie in `work`; what lies there counts as disk."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    with (
        subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env={"PATH": "/usr/bin:/bin", "HOME": str(work), "TMPDIR": str(work), **env},
        ) as process,
        _watched(process.pid, work) as peaks,
    ):
        _, said = process.communicate()
    if process.returncode:
        raise SystemExit(f"{command}: {said.decode()[-2000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(time.monotonic() - began, cpu, *peaks)


@contextmanager
def _watched(process: int, work: Path) -> Iterator[list[int]]:
    """Look ten times a second at a process and a folder; yield the most bytes that either held."""
    over, peaks = threading.Event(), [0, 0]

    def look() -> None:
        while not over.wait(0.1):
            peaks[:] = max(peaks[0], tree_memory(process)), max(peaks[1], folder_size(work))

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield peaks
    finally:
        over.set()
        watcher.join()


def tree_memory(root: int) -> int:
    """Return the resident bytes of a process and all its descendants."""
    children: dict[int, list[int]] = {}
    sizes: dict[int, int] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        pid = int(entry.parent.name)
        children.setdefault(int(fields[1]), []).append(pid)
        sizes[pid] = int(fields[21]) * resource.getpagesize()
    total, waiting = 0, [root]
    while waiting:
        pid = waiting.pop()
        total += sizes.get(pid, 0)
        waiting += children.get(pid, [])
    return total


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
