from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from beagle.providers.local.clock import FakeClock, SystemClock


def test_hours_pass_at_once_on_the_fake_clock() -> None:
    start = datetime(2026, 5, 1, tzinfo=UTC)
    clock = FakeClock(start)
    clock.sleep(3600)
    clock.advance(60)

    assert clock.monotonic() == 3660
    assert clock.now() == start + timedelta(seconds=3660)


def test_a_sleep_of_less_than_nothing_is_none_and_time_does_not_go_back() -> None:
    clock = FakeClock()
    clock.sleep(-5)

    assert clock.monotonic() == 0
    with pytest.raises(ValueError, match="back"):
        clock.advance(-1)


def test_the_systems_clock_tells_its_zone_and_sleeps_as_long_as_it_is_told() -> None:
    clock = SystemClock()
    before = clock.monotonic()
    clock.sleep(0.02)
    clock.sleep(-1)

    assert clock.monotonic() - before >= 0.019
    assert clock.now().tzinfo is UTC
    assert abs(clock.now().timestamp() - time.time()) < 5
