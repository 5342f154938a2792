"""What a process may use of its machine: a place on a disk that outlives it, processors, and memory."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_PREFIX = "beagle-source-"
_UNBOUNDED = 1 << 50
"""The first version of control groups writes no bound as a number that no machine has."""


@contextmanager
def lent_folder() -> Iterator[Path]:
    """Lend a folder that nobody else may read, and remove it afterwards.

    Whoever is killed removes nothing, and Lambda keeps the disk for the next invocation: that one does it.
    A lock tells whose process lives; the kernel gives it up however the process ends.
    """
    _remove_abandoned(Path(tempfile.gettempdir()))
    folder = tempfile.mkdtemp(prefix=_PREFIX)
    lock = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield Path(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def processors() -> int:
    """Return how many processors this process may use; the machine may have more."""
    if hasattr(os, "sched_getaffinity"):  # on Linux
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def memory_bound(groups: Path = Path("/sys/fs/cgroup")) -> int | None:
    """Return the bytes that all processes beside this one may hold together, as the container's group says.

    None where no group bounds them: the machine's own memory may be anybody's.
    """
    for name in ("memory.max", "memory/memory.limit_in_bytes"):  # of both versions of control groups
        with suppress(OSError, ValueError):
            bound = int((groups / name).read_text())
            return bound if bound < _UNBOUNDED else None
    return None


def _remove_abandoned(place: Path) -> None:
    for folder in place.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                # An empty one may be new, and about to be locked.
                if any(folder.iterdir()):
                    shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(lock)
