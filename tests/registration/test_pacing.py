from __future__ import annotations

import threading
from bisect import bisect_left
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beagle.domain.errors import (
    DarwinAmbiguousError,
    DarwinError,
    DarwinNotFoundError,
    DarwinStorageFullError,
    DarwinThrottledError,
    DarwinUnauthorizedError,
    DarwinUnreachableError,
)
from beagle.providers.local.clock import FakeClock
from beagle.registration.pacing import Pacer
from registration.samples import Left

LONG = Left(10**9)


def pacer_of(clock: FakeClock, rate: float = 60, **options: object) -> Pacer:
    return Pacer(clock, rate, random=Random(1), **options)


def turns(pacer: Pacer, clock: FakeClock, seconds: float, error: DarwinError | None) -> list[float]:
    """Send for that long, each request ending as told; return when they were sent."""
    sent = []
    end = clock.monotonic() + seconds
    while clock.monotonic() < end:
        # An invocation has 10 minutes, and its stage comes back after what it was told.
        wait = pacer.wait_turn(Left(600, clock))
        if wait is not None:
            clock.advance(wait)
            continue
        sent.append(clock.monotonic())
        if error is None:
            pacer.went_well()
        else:
            pacer.went_wrong(error)
    return sent


@settings(deadline=None)
@given(rate=st.floats(1, 300), burst=st.integers(1, 10), window=st.floats(1, 120))
def test_no_window_holds_more_turns_than_the_rate_and_the_burst(
    rate: float, burst: int, window: float
) -> None:
    clock = FakeClock()
    sent = turns(pacer_of(clock, rate, burst=burst), clock, 300, None)

    for index, first in enumerate(sent):
        assert bisect_left(sent, first + window) - index <= window * rate / 60 + burst + 1


@pytest.mark.parametrize(("rate", "at_once"), [(2, 1), (10, 1), (20, 2), (50, 5), (1000, 5)])
def test_a_slow_rate_has_a_small_burst(rate: float, at_once: int) -> None:
    """Forty instances at two requests a minute begin with forty requests, and not with two hundred."""
    pacer = pacer_of(FakeClock(), rate)
    for _ in range(at_once):
        assert pacer.seconds_to_wait() == 0
        pacer.wait_turn(LONG)

    assert pacer.seconds_to_wait() > 0


@pytest.mark.parametrize(
    "error", [DarwinUnreachableError("x"), DarwinAmbiguousError("x"), DarwinThrottledError("x")]
)
def test_an_hours_outage_costs_no_more_than_a_request_each_half_minute(error: DarwinError) -> None:
    clock = FakeClock()
    sent = turns(pacer_of(clock, 600), clock, 3600, error)

    pauses = [after - before for before, after in pairwise(sent)]
    assert len(sent) <= 3600 / 30 + 10
    assert all(pause >= 30 for pause in pauses[6:])
    assert max(pauses) <= 61


def test_a_storm_of_429_that_asks_for_no_pause_is_no_busy_loop() -> None:
    clock = FakeClock()
    sent = turns(pacer_of(clock, 6000), clock, 3600, DarwinThrottledError("x", retry_after=0))

    assert len(sent) <= 130


def test_the_full_rate_comes_back_after_an_outage() -> None:
    clock = FakeClock()
    pacer = pacer_of(clock, 60)
    turns(pacer, clock, 600, DarwinThrottledError("x"))
    clock.advance(60)
    turns(pacer, clock, 900, None)

    assert 55 <= len(turns(pacer, clock, 60, None)) <= 66


@pytest.mark.parametrize("seconds", [1, 20, 300])
def test_retry_after_is_kept_even_if_another_request_goes_well_meanwhile(seconds: float) -> None:
    clock = FakeClock()
    pacer = pacer_of(clock)
    pacer.went_wrong(DarwinThrottledError("x", retry_after=seconds))
    pacer.went_well()

    assert pacer.wait_turn(LONG) is None
    assert clock.monotonic() >= seconds - 0.01


def test_throttling_halves_the_rate_and_each_success_brings_back_a_twentieth() -> None:
    clock = FakeClock()
    pacer = pacer_of(clock, 60, burst=1)
    pacer.went_wrong(DarwinThrottledError("x"))
    clock.advance(60)
    pacer.wait_turn(LONG)
    pacer.went_well()

    assert pacer.seconds_to_wait() == pytest.approx(1 / 0.55)


def test_an_outage_leaves_the_rate_as_it_was() -> None:
    clock = FakeClock()
    pacer = pacer_of(clock, 60, burst=1)
    pacer.went_wrong(DarwinUnreachableError("x"))
    clock.advance(60)
    pacer.wait_turn(LONG)
    pacer.went_well()

    assert pacer.seconds_to_wait() == pytest.approx(1)


def test_a_turn_too_late_for_the_deadline_is_told_and_not_taken() -> None:
    clock = FakeClock()
    pacer = pacer_of(clock, 6, burst=1)
    assert pacer.wait_turn(LONG) is None

    assert pacer.wait_turn(Left(12)) == pytest.approx(10)
    assert clock.monotonic() == 0
    assert pacer.wait_turn(Left(16)) is None
    assert clock.monotonic() == pytest.approx(10, abs=0.01)


def test_a_turn_at_once_is_not_taken_when_there_is_no_time_to_use_it() -> None:
    assert pacer_of(FakeClock()).wait_turn(Left(3)) == 0


@pytest.mark.parametrize("error", [DarwinUnauthorizedError("x"), DarwinStorageFullError("x")])
def test_what_a_person_must_mend_costs_one_request_a_minute(error: DarwinError) -> None:
    clock = FakeClock()

    assert len(turns(pacer_of(clock, 600), clock, 3600, error)) <= 61


def test_a_destination_that_darwin_does_not_know_holds_only_itself() -> None:
    clock = FakeClock()
    pacer = pacer_of(clock)
    pacer.went_wrong(DarwinNotFoundError("x"), "acme/wrong")

    assert pacer.wait_turn(Left(30, clock), "acme/right") is None
    assert clock.monotonic() == 0
    assert pacer.wait_turn(Left(30, clock), "acme/wrong") == pytest.approx(60)
    assert pacer.wait_turn(LONG, "acme/wrong") is None
    assert pacer.seconds_to_wait("acme/wrong") == pytest.approx(60, abs=0.01)
    pacer.went_well("acme/wrong")
    assert pacer.seconds_to_wait("acme/wrong") == 0


def test_after_an_outage_one_request_goes_first_and_the_others_wait_for_its_news() -> None:
    clock = FakeClock()
    pacer = pacer_of(clock, 600)
    pacer.went_wrong(DarwinUnreachableError("x"))
    assert not pacer.calm
    clock.advance(2)

    assert pacer.wait_turn(Left(10)) is None
    assert pacer.wait_turn(Left(10)) is not None
    pacer.went_well()
    assert pacer.calm
    assert pacer.wait_turn(Left(10)) is None


def test_requests_that_fail_together_count_as_one_failure() -> None:
    clock = FakeClock()
    pacer = pacer_of(clock, 600)
    for _ in range(20):
        pacer.went_wrong(DarwinUnreachableError("x"))

    assert pacer.seconds_to_wait() <= 2


def test_requests_sent_without_a_turn_count_all_the_same() -> None:
    pacer = pacer_of(FakeClock(), 60, burst=2)
    pacer.wait_turn(LONG)
    pacer.spend(3)

    assert pacer.seconds_to_wait() == pytest.approx(3)


def test_threads_share_one_rate() -> None:
    clock = FakeClock()
    pacer = pacer_of(clock, 60, burst=5)
    taken: list[float] = []

    def work() -> None:
        for _ in range(25):
            assert pacer.wait_turn(LONG) is None
            taken.append(clock.monotonic())

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert len(taken) == 100
    assert clock.monotonic() >= 94.9


@pytest.mark.parametrize(("rate", "burst"), [(0, 1), (-1, 1), (1, 0)])
def test_a_pace_of_nothing_is_refused(rate: float, burst: int) -> None:
    with pytest.raises(ValueError, match="pace"):
        Pacer(FakeClock(), rate, burst=burst)
