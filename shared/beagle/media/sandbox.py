"""Runs one program over one file that nobody vouches for, and lets it do nothing else.

The child gets the file as an open descriptor and answers over pipes. It has nothing of our environment and
cannot look into our process, which has. It has no standard input, a working directory that is deleted before
it can be used, a process group of its own that is killed whatever happens, limits on memory and processor
time, and may write no file at all: so nothing is left behind, not even by a `kill -9` of ourselves (a child
whose pipes have no reader ends by itself).
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import signal
import stat
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from beagle.domain.errors import (
    DecoderStoppedError,
    MediaTooLargeError,
    OutOfTimeError,
    UnreadableMediaError,
)
from beagle.media.closed import close_to_children
from beagle.media.stream import Stream
from beagle.media.watchdog import watch

if TYPE_CHECKING:
    from pathlib import Path

    from beagle.ports import Deadline

_KEPT_LINES = 30
_ROOM = 1 << 20
"""Bytes of a pipe: what Linux allows everybody."""
_KEPT_CHARACTERS = 400
_ADDRESS = re.compile(r" @ 0x[0-9a-f]+")
"""Where in memory ffmpeg's parts lie: another place each time, and nobody's concern."""
_ENVIRONMENT = {"MALLOC_MMAP_THRESHOLD_": str(1 << 30), "MALLOC_TRIM_THRESHOLD_": str(1 << 30)}
"""All that the child is told: its allocator keeps a frame's memory for the next frame, instead of having the
kernel clear new memory for every one, which takes a twentieth of the processor's time."""
_OUT_OF_MEMORY = 256 - errno.ENOMEM
"""ffmpeg ends with the lowest byte of its error number, which is negative."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one child may use."""

    memory: int = 8 << 30
    """Bytes of address space, which is far more than what is ever resident: stacks and arenas count whole."""
    stall_seconds: float = 60
    """It is killed when it leaves all its readers waiting for so long, and uses no processor either."""


Reader = Callable[[Stream], None]
Command = Callable[[int, Sequence[str]], list[str]]
"""Builds the argument list from the file's descriptor and the names of the pipes (`pipe:7`)."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How the child ended by itself."""

    status: int
    said: str

    def require_success(self) -> None:
        """Raise what a failure means for the file; decided from the exit status alone.

        Raises:
            UnreadableMediaError: The program refused the file, or crashed over it.
            MediaTooLargeError: It needs more memory than is allowed.
            OutOfTimeError: It used up its processor time.
            DecoderStoppedError: Somebody else killed it, as the kernel does when memory runs out.

        """
        if self.status == 0:
            return
        if self.status == _OUT_OF_MEMORY:
            raise MediaTooLargeError("Decoding the file needs more memory than is allowed.", said=self.said)
        if self.status == -signal.SIGXCPU:
            raise OutOfTimeError("Decoding the file used up its processor time.", said=self.said)
        if self.status == -signal.SIGKILL:
            raise DecoderStoppedError(
                "The decoder was killed, as happens when memory runs out.", said=self.said
            )
        raise UnreadableMediaError(
            f"The decoder gave the file up (status {self.status}): {self.said or 'it said nothing'}",
            status=self.status,
        )


def run(  # noqa: PLR0913 - each is a fact of the run, and none has a better home
    command: Command,
    source: Path | bytes,
    readers: Sequence[Reader],
    *,
    deadline: Deadline,
    limits: Limits,
    on_line: Callable[[str], bool] = lambda _line: False,
) -> Ending:
    """Run a command over a file, or over bytes as if they were one; return how it ended.

    Each pipe has its reader, in a thread of its own. `on_line` sees every line of standard error, and says
    whether it has dealt with it: the last of the others are told in errors. What a reader raises ends the run
    and is raised.

    Raises:
        OutOfTimeError: The deadline passed; the whole process group was killed.
        StalledError: No progress; the whole process group was killed.
        OSError: The file cannot be opened, or is no regular file.

    """
    if deadline.remaining() <= 0:
        raise OutOfTimeError("No time is left to look at the file.")
    stop = threading.Event()
    said: deque[str] = deque(maxlen=_KEPT_LINES)

    def listen(stream: Stream) -> None:
        lines = (_ADDRESS.sub("", line) for line in stream.lines() if not on_line(line))
        said.extend(line[:_KEPT_CHARACTERS] for line in lines)

    with contextlib.ExitStack() as stack:
        file = _open(source)
        stack.callback(os.close, file)
        pool = stack.enter_context(ThreadPoolExecutor(1 + len(readers)))
        reading: list[int] = []
        with contextlib.ExitStack() as until_started:
            writing: list[int] = []
            for _ in range(1 + len(readers)):
                ours, theirs = _pipe()
                stack.callback(os.close, ours)
                until_started.callback(os.close, theirs)
                reading.append(ours)
                writing.append(theirs)
            names = [f"pipe:{descriptor}" for descriptor in writing[1:]]
            process = _start(command(file, names), file, writing, limits, deadline, stack)
        stack.callback(_end, process)
        stack.callback(stop.set)
        streams = [Stream(descriptor, stop) for descriptor in reading]
        tasks = [pool.submit(read, stream) for read, stream in zip((listen, *readers), streams, strict=True)]
        watch(process, streams, tasks, deadline, limits.stall_seconds)
    return Ending(process.returncode, " | ".join(said)[-2000:])


def _open(source: Path | bytes) -> int:
    """Open a regular file; a link or a device in its place is nobody's honest doing."""
    if isinstance(source, bytes):
        with _nameless() as kept:
            kept.write(source)
            kept.seek(0)
            return os.dup(kept.fileno())
    file = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise OSError(errno.EINVAL, "not a regular file", str(source))
    return file


def _nameless() -> IO[bytes]:
    """Return a file that has no name, where there is such a thing in memory: a disk may be full."""
    if sys.platform == "linux":
        return os.fdopen(os.memfd_create("source"), "w+b")
    return tempfile.TemporaryFile()


def _pipe() -> tuple[int, int]:
    """Return a pipe's ends, as roomy as the system allows: frames of megabytes go through in fewer pieces."""
    ends = os.pipe()
    with contextlib.suppress(OSError, AttributeError):  # others than Linux have no such call
        fcntl.fcntl(ends[1], fcntl.F_SETPIPE_SZ, _ROOM)
    return ends


def _start(  # noqa: PLR0913, PLR0917 - what the kernel is told of a process
    arguments: list[str],
    file: int,
    pipes: list[int],
    limits: Limits,
    deadline: Deadline,
    stack: contextlib.ExitStack,
) -> subprocess.Popen[bytes]:
    """Start the child in a directory that is gone as soon as it runs: relative names lead nowhere.

    A shell sets the limits and becomes the program: code of ours between fork and exec would not be safe in a
    process with threads, and limits set from outside would come a moment late.
    """
    seconds = int(deadline.remaining() * (os.cpu_count() or 1)) + 60
    limited = (
        f"ulimit -c 0; ulimit -f 0; ulimit -t {seconds}; ulimit -v {limits.memory >> 10} 2>/dev/null; "
        'rmdir "$PWD"; exec "$0" "$@"'
    )
    close_to_children()
    nowhere = tempfile.mkdtemp(prefix="beagle-")
    stack.callback(_remove, nowhere)
    return subprocess.Popen(  # noqa: S603 - the shell's words are ours, and no argument comes from outside
        ["/bin/sh", "-c", limited, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=pipes[0],
        pass_fds=(file, *pipes[1:]),
        env=_ENVIRONMENT,
        cwd=nowhere,
        process_group=0,
    )


def _remove(folder: str) -> None:
    """Remove a child's folder that it could not remove itself."""
    with contextlib.suppress(FileNotFoundError):
        os.rmdir(folder)  # noqa: PTH106 - a name from mkdtemp


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill what is left of the group: the child itself when it failed us, and whatever it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
