"""How fast to ask: at most the configured rate, slower when Darwin asks, hardly at all while it is down."""

from __future__ import annotations

import threading
from random import Random
from typing import TYPE_CHECKING

from beagle.domain.errors import (
    DarwinAmbiguousError,
    DarwinError,
    DarwinNotAskedError,
    DarwinStorageFullError,
    DarwinThrottledError,
    DarwinUnauthorizedError,
    DarwinUnreachableError,
    SecretUnavailableError,
)

if TYPE_CHECKING:
    from beagle.ports import Clock, Deadline

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
SLOWEST = 1 / 20
"""Of the configured rate: as slow as throttling ever makes us. Recovery goes by the same step a success."""
LONGEST_ASKED_PAUSE = 300.0
LARGEST_BURST = 5
"""Requests at once after a rest, and never more than a tenth of what a minute may bring: instances add up."""
LONGEST_SLEEP = 1.0
"""Seconds: who waits looks up this often, for the good news of another thread's answer."""
SOON = 0.001
"""Seconds that count as none: a sleep may end that much early."""

PASSING = (DarwinThrottledError, DarwinAmbiguousError, DarwinUnreachableError, SecretUnavailableError)
"""Trouble that goes by itself."""

_FOR_ALL = (DarwinUnauthorizedError, DarwinStorageFullError)


class Pacer:
    """Gives turns to send; one for all threads of an instance.

    A token bucket sets the rate. 429 and 503 halve it, successes bring it back step by step. Trouble opens
    a circuit: after a pause, twice as long each time, one request goes first and the others wait for what
    becomes of it. What a person must mend holds for `hold` seconds, so that a wrong key costs a request a
    minute; a destination that Darwin does not know holds only itself (its `lane`).
    """

    def __init__(
        self,
        clock: Clock,
        requests_per_minute: float,
        *,
        burst: int | None = None,
        hold: float = 60.0,
        random: Random | None = None,
    ) -> None:
        if burst is None:
            burst = max(1, min(LARGEST_BURST, int(requests_per_minute / 10)))
        if requests_per_minute <= 0 or burst < 1:
            raise ValueError("A pace needs at least a little rate, and a burst of at least 1")
        self._clock = clock
        self._full_rate = requests_per_minute / 60
        self._burst = float(burst)
        self._hold = hold
        # Jitter, not secrets: instances that failed together must not return together.
        self._random = random or Random()  # noqa: S311
        self._lock = threading.Lock()
        self._rate = self._full_rate
        self._tokens = float(burst)
        self._counted_at = clock.monotonic()
        self._failures = 0  # in a row
        self._suspect = False
        self._asked_until = 0.0  # Darwin's own Retry-After: nothing lifts it
        self._held_until = 0.0  # our pause: a success lifts it
        self._probing_until = 0.0  # one request is out to see whether Darwin is back
        self._lanes: dict[str, float] = {}  # those held, or to be tried by one request at a time

    @property
    def calm(self) -> bool:
        """Say whether the latest news was good; a short retry is worth its request only then."""
        with self._lock:
            return not self._suspect

    def seconds_to_wait(self, lane: str = "") -> float:
        """Return the seconds until a turn; 0 when there is one now."""
        with self._lock:
            return self._wait(lane)

    def wait_turn(self, deadline: Deadline, lane: str = "", *, needs: float = 5.0) -> float | None:
        """Wait for a turn, and take it: None. Or say in how many seconds one is worth asking for again.

        The latter when the turn would leave less than `needs` seconds to use it: nothing is taken then.
        """
        while True:
            with self._lock:
                wait = self._wait(lane)
                if wait + needs > deadline.remaining():
                    return wait
                if wait == 0:
                    self._take(lane)
                    return None
            self._clock.sleep(min(wait, LONGEST_SLEEP))

    def spend(self, requests: int) -> None:
        """Count requests that were sent without a turn: the rate holds for them too."""
        with self._lock:
            self._tokens -= requests

    def went_well(self, lane: str = "") -> None:
        """Take note of an answer: the circuit closes, the rate recovers by a step."""
        with self._lock:
            self._failures = 0
            self._suspect = False
            self._held_until = self._probing_until = 0.0
            self._lanes.pop(lane, None)
            self._count()
            self._rate = min(self._full_rate, self._rate + self._full_rate * SLOWEST)

    def went_wrong(self, error: DarwinError, lane: str = "") -> None:
        """Take note of trouble: hold back, for as long as its kind asks."""
        if isinstance(error, DarwinNotAskedError):
            return
        with self._lock:
            now = self._clock.monotonic()
            self._probing_until = 0.0
            if error.retry_after is not None:
                wait = min(max(error.retry_after, 0.0), LONGEST_ASKED_PAUSE)
                self._asked_until = max(self._asked_until, now + wait)
            if isinstance(error, _FOR_ALL):
                self._suspect = True
                self._held_until = max(self._held_until, now + self._hold)
            elif not isinstance(error, PASSING):
                self._lanes[lane] = now + self._hold
            elif now >= self._held_until:  # else it was sent before the pause began, and says nothing new
                self._pause(now, slower=isinstance(error, DarwinThrottledError))

    def _pause(self, now: float, *, slower: bool) -> None:
        self._failures += 1
        self._suspect = True
        # Half of the pause is fixed, half is jitter: full jitter may come back at once, and during an
        # outage one request each half minute is the most we want to send.
        longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(self._failures, 10))
        pause = longest * self._random.uniform(0.5, 1.0)
        self._held_until = now + pause
        if slower:
            self._count()
            self._rate = max(self._full_rate * SLOWEST, self._rate / 2)

    def _wait(self, lane: str) -> float:
        self._count()
        gate = max(self._asked_until, self._held_until, self._probing_until, self._lanes.get(lane, 0.0))
        wait = max(gate - self._counted_at, (1 - self._tokens) / self._rate)
        return wait if wait > SOON else 0.0

    def _take(self, lane: str) -> None:
        self._tokens -= 1
        if self._suspect:
            self._probing_until = self._counted_at + LONGEST_PAUSE
        if lane in self._lanes:
            self._lanes[lane] = self._counted_at + self._hold

    def _count(self) -> None:
        """Bring the tokens up to the present."""
        now = self._clock.monotonic()
        self._tokens = min(self._burst, self._tokens + (now - self._counted_at) * self._rate)
        self._counted_at = now
