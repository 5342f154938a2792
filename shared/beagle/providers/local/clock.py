"""The time: the system's, and one that tests move."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from beagle.ports import Clock

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


class SystemClock:
    """The machine's time. The one place that asks for it."""

    def now(self) -> datetime:
        """Return the wall-clock time in UTC."""
        return datetime.now(UTC)  # noqa: TID251 - this is the clock that others take as a parameter

    def monotonic(self) -> float:
        """Return seconds that only grow."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Return after that many seconds."""
        time.sleep(max(0.0, seconds))


@dataclass(frozen=True, slots=True)
class Until:
    """A deadline on a clock."""

    clock: Clock
    end: float
    """As the clock's `monotonic` counts."""

    def remaining(self) -> float:
        """Return seconds; negative once it is over."""
        return self.end - self.clock.monotonic()


class FakeClock:
    """A time that stands still until someone sleeps or advances it: hours pass at once."""

    def __init__(self, start: datetime = EPOCH) -> None:
        self._start = start
        self._elapsed = 0.0
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """Return where the time stands."""
        return self._start + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        """Return the seconds since the clock was made."""
        with self._lock:
            return self._elapsed

    def sleep(self, seconds: float) -> None:
        """Let that much time pass, at once."""
        self.advance(max(0.0, seconds))

    def advance(self, seconds: float) -> None:
        """Move the time forward."""
        if seconds < 0:
            raise ValueError("Time does not go back")
        with self._lock:
            self._elapsed += seconds
