"""One child process: how it is started, asked, and ended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from beagle.domain.errors import ConfigurationError
from beagle.media.child.pipes import ChildConfusedError, ChildGoneError, Pipes
from beagle.media.closed import close_to_children
from beagle.media.wire import LONGEST_READ, Words
from beagle.ports import Deadline, ObjectReader

if TYPE_CHECKING:
    from beagle.media.child.limits import ChildLimits

_ENVIRONMENT = {
    "LD_LIBRARY_PATH": f"{sys.base_prefix}/lib",  # where Lambda's Python finds its own library
    "MALLOC_ARENA_MAX": "2",  # each arena takes 64 MB of the address space
    "OPENBLAS_NUM_THREADS": "1",
}
_START = "import sys; sys.path[:] = {path}; from beagle.media.draw.inside import serve; serve({memory})"


@dataclass(frozen=True, slots=True)
class Job:
    """What a child is asked to draw."""

    task: str
    arguments: Words
    readers: Sequence[ObjectReader]
    put: Callable[[str, bytes], None]
    seconds: float
    deadline: Deadline | None


class Process:
    """A Python that decodes; its environment holds nothing of ours."""

    def __init__(self, limits: ChildLimits) -> None:
        close_to_children()
        path = json.dumps([str(Path(entry).absolute()) for entry in sys.path if entry])
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter, and no word of a user
            [sys.executable, "-I", "-S", "-B", "-c", _START.format(path=path, memory=limits.memory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env=_ENVIRONMENT,
            start_new_session=True,
        )
        if self._process.stdin is None or self._process.stdout is None:
            raise AssertionError("Both pipes were asked for.")
        self._pipes = Pipes(self._process.stdin.fileno(), self._process.stdout.fileno())
        self._is_up = False
        self.jobs = 0

    @property
    def id(self) -> int:
        """Return the process's number."""
        return self._process.pid

    def run(self, job: Job) -> Words:
        """Return the child's last word on the job, whatever it says.

        Raises:
            ConfigurationError: The child does not start.
            ChildGoneError, ChildSlowError, ChildConfusedError, OutOfInvocationError: It is no use any more.

        """
        self.jobs += 1
        self._pipes.allow(job.seconds, job.deadline)
        self._greet()
        self._pipes.send(
            {
                "task": job.task,
                "arguments": job.arguments,
                "sizes": [reader.size for reader in job.readers],
                "seconds": job.seconds,
            }
        )
        while True:
            words, data = self._pipes.receive()
            if "read" in words:
                self._pipes.send({}, _read(job.readers, words["read"]))
            elif "put" in words:
                job.put(str(words["put"]), data)
            else:
                return words

    def _greet(self) -> None:
        if self._is_up:
            return
        try:
            self._pipes.receive()
        except ChildGoneError as error:
            raise ConfigurationError(f"The process that decodes does not start: {self.end()}.") from error
        self._is_up = True

    def end(self, *, grace: float = 0.0) -> str:
        """Kill the child, unless it ends by itself within some seconds, and all it started; say how it ended.

        No limit keeps it from starting processes: the kernel's counts all threads of our user, ours as well,
        and without any thread of its own the decoder of AVIF fails.
        """
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=grace)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        code = self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()
        return signal.Signals(-code).name if code < 0 else f"exit code {code}"


def _read(readers: Sequence[ObjectReader], asked: object) -> bytes:
    match asked:
        case [int(index), int(start), int(length)] if (
            0 <= index < len(readers) and start >= 0 and 0 < length <= LONGEST_READ
        ):
            return readers[index].read(start, length)
    raise ChildConfusedError("It asks for bytes that are not there.")
