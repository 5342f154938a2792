"""What a process costs with all its children: time, and memory and disk at their worst moment."""

from __future__ import annotations

import resource
import subprocess
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from support.processes import folder_size, tree_memory

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


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
