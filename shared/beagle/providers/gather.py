"""One message a call in, many messages a batch on: for providers that hand out messages one by one.

Whoever calls waits for its own message's outcome. While one batch is under way the next one gathers, so under
load requests fill up by themselves; the window counts only when little comes.
"""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING

from beagle.ports import Deadline, Received

if TYPE_CHECKING:
    from beagle.ports import Clock, Report, Stage


@dataclass(frozen=True, slots=True)
class _Waiting:
    message: Received
    deadline: Deadline
    outcome: Future[bool]


@dataclass(frozen=True, slots=True)
class _Soonest:
    """The deadline of a batch: that of the message which has waited longest."""

    deadlines: tuple[Deadline, ...]

    def remaining(self) -> float:
        """Return seconds; negative once it is over."""
        return min(deadline.remaining() for deadline in self.deadlines)


class Gather:
    """Runs a stage over what many threads bring at about the same time.

    `most` messages are a batch at most; `window` is how many seconds the first one waits for others.
    """

    def __init__(self, stage: Stage, clock: Clock, *, most: int, window: float) -> None:
        self._stage = stage
        self._clock = clock
        self._most = most
        self._window = window
        self._waiting: deque[_Waiting] = deque()
        self._arrived = threading.Condition()
        self._thread: threading.Thread | None = None

    def take(self, message: Received, deadline: Deadline) -> bool:
        """Take one message through, together with others; say whether it must come again.

        Raises whatever the stage raises: then nothing of the batch may be acknowledged.
        """
        return self.submit(message, deadline).result()

    def submit(self, message: Received, deadline: Deadline) -> Future[bool]:
        """Take one message through later; the future ends as `take` does, and holds up no thread."""
        place = _Waiting(message, deadline, Future())
        with self._arrived:
            self._waiting.append(place)
            self._arrived.notify()
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="gather", daemon=True)
                self._thread.start()
        return place.outcome

    def _work(self) -> None:
        while True:
            # Who has stopped waiting acknowledges nothing: that message comes again by itself.
            batch = [place for place in self._batch() if place.outcome.set_running_or_notify_cancel()]
            if not batch:
                continue
            try:
                report = self._run(batch)
            except BaseException as error:  # noqa: BLE001 - each caller raises it, where it is handled
                for place in batch:
                    place.outcome.set_exception(error)
            else:
                for place in batch:
                    place.outcome.set_result(place.message.id in report.again)

    def _batch(self) -> list[_Waiting]:
        """Wait for a first message, and then for as many more as come within the window."""
        with self._arrived:
            self._arrived.wait_for(lambda: self._waiting)
            closes = self._clock.monotonic() + self._window
            while len(self._waiting) < self._most and (left := closes - self._clock.monotonic()) > 0:
                self._arrived.wait(left)
            return [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]

    def _run(self, batch: list[_Waiting]) -> Report:
        deadline = _Soonest(tuple(place.deadline for place in batch))
        return self._stage.run([place.message for place in batch], deadline)
