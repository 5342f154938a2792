"""The processes that decode: started when needed, reused while they are well, renewed when they are not."""

from __future__ import annotations

from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING, Self

from beagle.domain.errors import BeagleError, MediaTooLargeError, OutOfTimeError
from beagle.media.child.answers import confused, died, interpret, slow
from beagle.media.child.limits import ChildLimits
from beagle.media.child.pipes import (
    ChildConfusedError,
    ChildGoneError,
    ChildSlowError,
    OutOfInvocationError,
)
from beagle.media.child.process import Job, Process

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from beagle.media.wire import Words
    from beagle.ports import Deadline, ObjectReader


class Children:
    """As many processes as there are threads that draw at once. Safe for threads.

    No verdict comes from a process that another object may have harmed: what kills a reused one is tried
    once more in a new one. `tasks` is the package whose modules can be run.
    """

    def __init__(self, limits: ChildLimits | None = None, tasks: str = "beagle.media.draw") -> None:
        self._limits = limits or ChildLimits()
        self._tasks = tasks
        self._idle: list[Process] = []
        self._lock = Lock()

    def warm(self) -> None:
        """Start a process now, so that the first object need not wait for it."""
        self._give_back(self._borrow())

    def run(  # noqa: PLR0913 - what a job is
        self,
        task: str,
        arguments: Words,
        readers: Sequence[ObjectReader],
        put: Callable[[str, bytes], None],
        *,
        seconds: float | None = None,
        deadline: Deadline | None = None,
    ) -> Words:
        """Run one task over objects of the bucket; return what it says.

        Raises:
            VerdictError: The artifacts cannot be drawn; or the decoder crashed, or took too much.
            ServiceError: An object was not read, an artifact not kept; or the invocation's time is over.

        """
        job = Job(f"{self._tasks}.{task}", arguments, readers, put, seconds or self._limits.seconds, deadline)
        process = self._borrow()
        if process.jobs:
            with suppress(ChildGoneError):
                return self._run(process, job)
            process.end()
            process = Process(self._limits)
        try:
            return self._run(process, job)
        except ChildGoneError as error:
            raise died(process.end(grace=1.0)) from error

    def _run(self, process: Process, job: Job) -> Words:
        try:
            words = process.run(job)
        except ChildGoneError:
            raise
        except ChildSlowError as error:
            process.end()
            raise slow(job.seconds) from error
        except ChildConfusedError as error:
            process.end()
            raise confused(str(error)) from error
        except OutOfInvocationError as error:
            process.end()
            raise OutOfTimeError("No time was left to decode it.") from error
        except BaseException:  # an object not read, an artifact not kept: the child waits for an answer
            process.end()
            raise
        answer = interpret(words)
        if isinstance(answer, MediaTooLargeError):  # its memory may be in pieces
            process.end()
        else:
            self._give_back(process)
        if isinstance(answer, BeagleError):
            raise answer
        return answer

    def _borrow(self) -> Process:
        with self._lock:
            return self._idle.pop() if self._idle else Process(self._limits)

    def _give_back(self, process: Process) -> None:
        if process.jobs >= self._limits.jobs:
            process.end()
            return
        with self._lock:
            self._idle.append(process)

    def close(self) -> None:
        """End all processes that rest."""
        with self._lock:
            idle, self._idle = self._idle, []
        for process in idle:
            process.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
