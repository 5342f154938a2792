"""Messages that come one by one are taken through together, and each has its own outcome."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beagle.ports import Received, Report
from beagle.providers.gather import Gather
from beagle.providers.local.clock import SystemClock, Until

if TYPE_CHECKING:
    from collections.abc import Sequence

    from beagle.ports import Deadline

CLOCK = SystemClock()


def soon(seconds: float = 60) -> Until:
    return Until(CLOCK, CLOCK.monotonic() + seconds)


class Stage:
    """Asks for some messages again, and remembers its batches; `gate` holds it up."""

    def __init__(self, again: frozenset[str] = frozenset()) -> None:
        self.again = again
        self.batches: list[list[str]] = []
        self.remaining: list[float] = []
        self.gate = threading.Event()
        self.gate.set()

    def run(self, batch: Sequence[Received], deadline: Deadline) -> Report:
        self.batches.append([message.id for message in batch])
        self.remaining.append(deadline.remaining())
        assert self.gate.wait(10)
        return Report({message.id: None for message in batch if message.id in self.again}, ())


def take_all(gather: Gather, names: Sequence[str]) -> dict[str, bool]:
    with ThreadPoolExecutor(max(1, len(names))) as pool:
        messages = [Received(id=name, body=name) for name in names]
        return dict(zip(names, pool.map(lambda message: gather.take(message, soon()), messages), strict=True))


@settings(max_examples=30, deadline=None)
@given(count=st.integers(1, 60), most=st.integers(1, 20), data=st.data())
def test_every_message_is_taken_once_and_hears_its_own_outcome(count, most, data):
    """However many come at once, whatever the cap: none is lost, doubled or told another's outcome."""
    names = [f"m{number}" for number in range(count)]
    again = data.draw(st.frozensets(st.sampled_from(names)))
    stage = Stage(again)

    told = take_all(Gather(stage, CLOCK, most=most, window=0.01), names)

    assert told == {name: name in again for name in names}
    assert sorted(name for batch in stage.batches for name in batch) == sorted(names)
    assert max(len(batch) for batch in stage.batches) <= most


def test_a_full_batch_does_not_wait_for_its_window():
    """The window is for what comes alone."""
    stage = Stage()
    began = time.monotonic()

    take_all(Gather(stage, CLOCK, most=4, window=30), ["a", "b", "c", "d"])

    assert time.monotonic() - began < 10
    assert [len(batch) for batch in stage.batches] == [4]


def test_while_one_batch_is_under_way_the_next_gathers():
    """Under load requests fill up by themselves, without any window."""
    stage = Stage()
    stage.gate.clear()
    gather = Gather(stage, CLOCK, most=100, window=0)
    with ThreadPoolExecutor(21) as pool:
        first = pool.submit(gather.take, Received(id="first", body=""), soon())
        while not stage.batches:
            time.sleep(0.001)
        others = [pool.submit(gather.take, Received(id=f"m{n}", body=""), soon()) for n in range(20)]
        while len(gather._waiting) < 20:
            time.sleep(0.001)
        stage.gate.set()
        for one in (first, *others):
            assert one.result(10) is False

    assert [len(batch) for batch in stage.batches] == [1, 20]


def test_a_batch_has_the_time_of_its_most_urgent_message():
    """Nobody's answer comes too late because another's had time."""
    stage = Stage()
    gather = Gather(stage, CLOCK, most=2, window=30)
    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(gather.take, Received(id="a", body=""), soon(500))
        other = pool.submit(gather.take, Received(id="b", body=""), soon(50))
        one.result(10)
        other.result(10)

    [remaining] = stage.remaining
    assert 40 < remaining <= 50


def test_what_fails_as_a_whole_fails_for_everybody_and_not_for_ever():
    """An exception reaches each caller, so that nothing is acknowledged; the next batch is taken as usual."""

    class Failing(Stage):
        def run(self, batch: Sequence[Received], deadline: Deadline) -> Report:
            report = super().run(batch, deadline)
            if len(self.batches) == 1:
                raise ZeroDivisionError
            return report

    gather = Gather(Failing(), CLOCK, most=2, window=30)
    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(gather.take, Received(id=name, body=""), soon()) for name in "ab"]
        for one in both:
            with pytest.raises(ZeroDivisionError):
                one.result(10)

    assert take_all(gather, ["c", "d"]) == {"c": False, "d": False}


def test_who_stops_waiting_holds_nobody_up():
    """What is cancelled before its turn is left out, and the others hear their outcomes, then and later."""
    stage = Stage()
    stage.gate.clear()
    gather = Gather(stage, CLOCK, most=10, window=0)
    first = gather.submit(Received(id="first", body=""), soon())
    while not stage.batches:
        time.sleep(0.001)
    gone, stays = (gather.submit(Received(id=name, body=""), soon()) for name in ("gone", "stays"))
    assert gone.cancel()
    assert not first.cancel()
    stage.gate.set()

    assert [first.result(5), stays.result(5)] == [False, False]
    assert stage.batches == [["first"], ["stays"]]
