"""How much the emulated Darwin takes, and how fast."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS_A_MINUTE = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The numbers of Darwin's limits. V7's pages name 500 items a request, and elsewhere 100.

    `requests_per_minute` (none: unlimited) counts registrations by key, and lets `burst` of them
    through at once (none: a minute's worth). `tell_retry_after` says whether a 429 names the wait.
    """

    items_per_request: int = 500
    body_bytes: int = 8 * 1024 * 1024
    requests_per_minute: float | None = None
    burst: int | None = None
    tell_retry_after: bool = True


class TokenBuckets:
    """One token bucket for each key, on the injected clock."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: dict[str, tuple[float, float]] = {}

    def wait(self, key: str, limits: Limits) -> float:
        """Take a token and return 0, or return the seconds until there is one."""
        if limits.requests_per_minute is None:
            return 0.0
        rate = limits.requests_per_minute / SECONDS_A_MINUTE
        full = float(limits.burst or max(1, math.floor(limits.requests_per_minute)))
        with self._lock:
            now = self._clock()
            tokens, since = self._buckets.get(key, (full, now))
            tokens = min(full, tokens + (now - since) * rate)
            if tokens < 1:
                self._buckets[key] = (tokens, now)
                return (1 - tokens) / rate
            self._buckets[key] = (tokens - 1, now)
            return 0.0
