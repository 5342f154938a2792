"""A series of many slices asks for its artifacts many times, and has them made once."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest
from obstore.store import MemoryStore

from beagle.domain.errors import (
    BeagleError,
    ConfigurationError,
    DecoderStoppedError,
    GroupWaitingError,
    MediaTooSlowError,
    ObjectGoneError,
    OutOfTimeError,
    StoreUnavailableError,
    SupersededError,
    UnreadableMediaError,
)
from beagle.domain.events import ObjectCreated, ObjectRef
from beagle.domain.items import ImageArtifacts, Item, ItemId, ReadyItem, Slot
from beagle.pipeline.limits import TRIES
from beagle.pipeline.series import LONGEST, SeriesOnce
from beagle.providers.local.clock import FakeClock
from beagle.providers.parcels import StorePartResults
from support.world import Budget, Killed

KEYS = ("ct/1.dcm", "ct/2.dcm", "ct/3.dcm")


@dataclass
class Drawer:
    """Makes one slot of many, unless it has other plans; counts."""

    plans: list[BaseException | None] = field(default_factory=list)
    made: int = 0

    def make_stills(self, ready, _deadline) -> Item:
        self.made += 1
        if self.plans and (error := self.plans.pop(0)):
            raise error
        drawn = ImageArtifacts(thumbnail_key="t.jpg", width=1, height=1)
        return replace(ready.item, slots=(replace(ready.item.slots[0], artifacts=drawn),))


@dataclass
class Prepares:
    """Any number of instances over one state bucket."""

    drawer: Drawer
    clock: FakeClock = field(default_factory=FakeClock)

    def __post_init__(self) -> None:
        self.once = SeriesOnce(self.drawer, StorePartResults(MemoryStore(), "groups"), self.clock)

    def work_on(self, key: str, **changes) -> Item | BaseException:
        try:
            return self.once.make_stills(slice_message(key, **changes), Budget(self.clock, 100))
        except (BeagleError, Killed, ZeroDivisionError) as error:
            return error


def event(key: str) -> ObjectCreated:
    return ObjectCreated(
        ref=ObjectRef(provider="aws", bucket="up", key=key),
        content="v1",
        size=1,
        occurred_at=FakeClock().now(),
    )


def slice_message(key: str, *, replayed: int = 0, keys=KEYS) -> ReadyItem:
    """Return a slice as it looks once its series is whole."""
    slots = tuple(Slot(name="0", file_name=k, storage_key=k, media_type="dicom") for k in keys)
    place = ItemId(team="acme", dataset="ct", path="/", name="ct")
    item = Item(id=place, storage="s", access="read_only", slots=slots)
    group = replace(event("ct/"), content="-".join(keys))
    return ReadyItem(event=event(key), item=item, route="ct", group=group, replayed=replayed)


def test_all_slices_get_the_item_that_the_first_one_had_made():
    prepares = Prepares(Drawer())
    [first, *others] = [prepares.work_on(key) for key in (*KEYS, KEYS[0])]

    assert prepares.drawer.made == 1
    assert len(first.slots) == 1
    assert others == [first] * 3


def test_what_is_no_series_is_made_each_time():
    prepares = Prepares(Drawer())
    for _ in range(2):
        assert len(prepares.work_on(KEYS[0], keys=KEYS[:1]).slots) == 1

    assert prepares.drawer.made == 2


def test_a_verdict_on_the_series_is_every_slices_until_it_is_replayed():
    """Whoever replays means that something has changed, if only Beagle."""
    prepares = Prepares(Drawer([UnreadableMediaError("ct/2.dcm: It is cut off.")]))
    errors = [prepares.work_on(key) for key in KEYS]

    assert [(error.code, str(error)) for error in errors] == [
        ("unreadable_media", "ct/2.dcm: It is cut off.")
    ] * 3
    assert prepares.drawer.made == 1
    assert isinstance(prepares.work_on(KEYS[2], replayed=1), Item)


@pytest.mark.parametrize("next_one", [KEYS[0], KEYS[1]], ids=["itself", "another"])
def test_a_verdict_on_one_slice_is_not_the_others_and_lets_nobody_wait(next_one):
    prepares = Prepares(Drawer([ObjectGoneError("gone"), None]))

    assert isinstance(prepares.work_on(KEYS[0]), ObjectGoneError)
    assert isinstance(prepares.work_on(next_one), Item)


def test_while_one_draws_the_others_wait_and_whoever_died_is_followed():
    """The one whose process was killed may begin again at once; the others once it must be dead."""
    prepares = Prepares(Drawer([Killed(), Killed(), None]))
    killed = [prepares.work_on(KEYS[0]), prepares.work_on(KEYS[0])]
    waiting = prepares.work_on(KEYS[1])
    prepares.clock.advance(LONGEST.total_seconds())
    drawn = prepares.work_on(KEYS[1])

    assert [type(end) for end in killed] == [Killed, Killed]
    assert isinstance(waiting, GroupWaitingError)
    assert 0 < waiting.retry_after < LONGEST.total_seconds()
    assert isinstance(drawn, Item)
    assert prepares.work_on(KEYS[0]) == drawn


def test_a_series_that_never_comes_to_an_end_is_given_up_for_all():
    prepares = Prepares(Drawer([OutOfTimeError("slow"), DecoderStoppedError("killed")] * TRIES))
    errors = [prepares.work_on(KEYS[0]) for _ in range(TRIES)]
    given_up = [prepares.work_on(key) for key in KEYS]

    assert {type(error) for error in errors} == {OutOfTimeError, DecoderStoppedError}
    assert {type(error) for error in given_up} == {MediaTooSlowError}
    assert prepares.drawer.made == TRIES


@pytest.mark.parametrize(
    "error",
    [
        StoreUnavailableError("away"),
        ConfigurationError("The package lacks a library."),
        SupersededError("It has new content."),
        ZeroDivisionError("a bug"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_says_nothing_of_the_series_costs_no_tries(error):
    """An outage, a broken package, a bug: once it is over, the series is drawn."""
    prepares = Prepares(Drawer([error] * 3 * TRIES))
    errors = [prepares.work_on(KEYS[n % 3]) for n in range(3 * TRIES)]

    assert {type(error) for error in errors} == {type(error)}
    assert isinstance(prepares.work_on(KEYS[1]), Item)


@pytest.mark.parametrize("keys", [KEYS[:2], (*KEYS, "ct/4.dcm")])
def test_another_slice_makes_another_series(keys):
    prepares = Prepares(Drawer())
    one = prepares.work_on(KEYS[0])
    other = prepares.work_on(KEYS[0], keys=keys)

    assert prepares.drawer.made == 2
    assert isinstance(one, Item)
    assert isinstance(other, Item)
