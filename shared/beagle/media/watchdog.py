"""Waits for a program and its readers, and tells one that works from one that hangs."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from concurrent.futures import FIRST_EXCEPTION, Future, wait
from pathlib import Path
from typing import TYPE_CHECKING

from beagle.domain.errors import DecoderStoppedError, OutOfTimeError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from beagle.media.stream import Stream
    from beagle.ports import Deadline

_TICK = 0.2
_WORK = 0.1
"""Processor seconds that no deadlock uses up: of ffmpeg's threads that wait for each other in vain, one wakes
up twice a second for some microseconds."""


class StalledError(DecoderStoppedError):
    """A program neither wrote, nor worked, nor ended for too long, and was killed."""

    code = "media_stalled"


def watch(
    process: subprocess.Popen[bytes],
    streams: Sequence[Stream],
    tasks: Sequence[Future[None]],
    deadline: Deadline,
    stall_seconds: float,
) -> None:
    """Return once the program has ended and all has been read.

    Progress is what comes out of it, and the processor time that it uses: between a key frame and the first
    frame that is wanted ffmpeg may decode for minutes, and say nothing. What works without an end meets the
    deadline.

    Raises:
        OutOfTimeError: The deadline passed.
        StalledError: It left all its readers waiting for so long, and did not work either.

    """
    moved_at, worked = time.monotonic(), 0.0
    while True:
        done, pending = wait(tasks, timeout=_TICK, return_when=FIRST_EXCEPTION)
        for task in done:
            task.result()
        if not pending:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_TICK)
                return
        if deadline.remaining() <= 0:
            raise OutOfTimeError("Decoding the file did not end in time.")
        now, used = time.monotonic(), _processor_seconds(process.pid)
        waited = [stream.waited() for stream, task in zip(streams, tasks, strict=True) if not task.done()]
        if waited:
            moved_at = max(moved_at, now - min(waited))
        if used - worked >= _WORK:
            moved_at, worked = now, used
        if now - moved_at > stall_seconds:
            raise StalledError("The decoder made no progress and was killed.", seconds=stall_seconds)


def _processor_seconds(pid: int) -> float:
    """Return what a process has used so far, with all its threads; 0 where the system does not tell."""
    with contextlib.suppress(OSError):
        # The name, in brackets, may hold anything: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return 0.0
