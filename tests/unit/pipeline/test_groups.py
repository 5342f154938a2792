"""Objects that make one item together: whatever their order, one item, once; and nothing of them is lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from beagle import messages
from beagle.domain.errors import LedgerUnavailableError
from beagle.domain.events import ObjectCreated, ObjectRef
from beagle.domain.outcomes import Ending
from beagle.pipeline.groups import Groups
from beagle.pipeline.replay import Choice, plan_replay, run_replay
from support.world import BUCKET, ROUTES, World

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


def grouped(group, **changes):
    """Return a world whose one route groups objects."""
    [route] = ROUTES["routes"]
    world = World(routes={"team": "acme", "routes": [{**route, "group": group, **changes}]})
    for name in ("front.mp4", "back.mp4"):
        assert world.event(name).occurred_at == EPOCH
    return world


def cameras(**changes):
    return grouped({"slots": ["front.mp4", "back.mp4"], "layout": "horizontal", **changes})


def series(**changes):
    return grouped({"series": True, "settle_minutes": 10, **changes})


def upload(world, key, content="v1"):
    """Announce an object that is created now."""
    event = ObjectCreated(
        ref=ObjectRef(provider="aws", bucket=BUCKET, key=key),
        content=content,
        size=1000,
        occurred_at=world.clock.now(),
    )
    world.uploads.send([messages.dump_event(event, 0)])


def slots(world):
    """Return the storage keys of each item's slots, in their order."""
    return [[slot.storage_key for slot in item.slots] for item in world.darwin.items()]


@pytest.mark.parametrize("order", sorted(set(permutations(["front.mp4", "front.mp4", "back.mp4"]))))
@pytest.mark.parametrize("together", [True, False])
def test_two_files_make_one_item_in_any_order_and_however_often_they_are_announced(order, together):
    """One item, its slots in the order of the route, registered once; every message ends."""
    world = cameras()
    for name in order:
        upload(world, f"drive 1/{name}")
        if not together:
            world.run_prepare()
            world.run_register()
    world.settle()

    assert world.places() == [("incoming", "/drive 1", "drive 1")]
    assert slots(world) == [["drive 1/front.mp4", "drive 1/back.mp4"]]
    assert world.endings()[Ending.REGISTERED] == 1
    assert world.endings().keys() <= {Ending.REGISTERED, Ending.ALREADY_REGISTERED}
    assert not world.letters()


def test_a_whole_group_names_its_slots_and_stands_as_its_route_asks():
    world = cameras()
    upload(world, "a/front.mp4")
    upload(world, "a/back.mp4")
    world.run_prepare()

    items = [messages.load_item(body).item for body in world.items.bodies()]
    assert [slot.name for slot in items[0].slots] == ["front.mp4", "back.mp4"]
    assert items[0].layout is not None
    assert (items[0].layout.kind, items[0].layout.slots) == ("horizontal", ("front.mp4", "back.mp4"))


def test_a_file_whose_companion_is_missing_waits_and_then_is_a_dead_letter_that_names_it():
    """Neither registered in part nor lost: queued for as long as the route says, then a letter."""
    world = cameras(wait_hours=2)
    upload(world, "a/front.mp4")
    world.settle(hours=1.9)
    waiting = (len(world.uploads), len(world.letters()))
    world.settle(hours=2)

    assert waiting == (1, 0)
    [letter] = world.letters()
    assert letter.code == "group_incomplete"
    assert "back.mp4" in letter.reason
    assert not world.darwin.items()
    assert not world.uploads


def test_the_longest_wait_costs_fewer_deliveries_than_a_queue_grants():
    """A queue gives a message up after 200 deliveries: then the letter could not say what is missing."""
    world = cameras(wait_hours=240)
    upload(world, "a/front.mp4")
    world.settle(hours=260)

    [letter] = world.letters()
    assert letter.code == "group_incomplete"
    assert letter.attempts < 200


def test_a_companion_that_comes_late_completes_the_item_and_the_letter_is_replayed_away():
    world = cameras(wait_hours=1)
    upload(world, "a/front.mp4")
    world.settle(hours=2)
    upload(world, "a/back.mp4")
    world.settle()
    list(run_replay(plan_replay(world.letter_box.list_letters(), Choice()), world.uploads, world.letter_box))
    world.settle()

    assert slots(world) == [["a/front.mp4", "a/back.mp4"]]
    assert not world.letters()


def test_groups_that_want_one_name_are_never_mixed():
    """Each group is itself: two that make the same item's name collide, and none takes the other's files."""
    world = grouped({"slots": ["front.mp4", "back.mp4"]}, path="/")
    upload(world, "mon/1/front.mp4")
    upload(world, "tue/1/back.mp4")
    world.run_prepare()
    early = len(world.items)
    upload(world, "mon/1/back.mp4")
    upload(world, "tue/1/front.mp4")
    world.settle()

    assert early == 0
    [[one, other]] = slots(world)
    assert one.rpartition("/")[0] == other.rpartition("/")[0]
    assert {letter.code for letter in world.letters()} == {"name_collision"}
    lettered = {letter.event.ref.key for letter in world.letters()}
    assert lettered == {f"{day}/1/{end}.mp4" for day in ("mon", "tue") for end in ("front", "back")} - {
        one,
        other,
    }


def test_two_files_for_one_slot_are_told_not_lost():
    """The first by its key has the slot; the other is a dead letter that names it."""
    world = grouped(
        {"slots": ["front.mp4", "back.mp4"], "by": "{site}"},
        watch={"bucket": BUCKET, "include": "{site}/**"},
        path="/",
    )
    for key in ("s1/a/front.mp4", "s1/b/front.mp4", "s1/a/back.mp4"):
        upload(world, key)
    world.settle()

    assert slots(world) == [["s1/a/front.mp4", "s1/a/back.mp4"]]
    [letter] = world.letters()
    assert (letter.code, letter.event.ref.key) == ("name_collision", "s1/b/front.mp4")
    assert "s1/a/front.mp4" in letter.reason


def test_a_files_new_content_follows_the_routes_overwrite_policy():
    for policy, codes in (("ignore", []), ("dead_letter", ["late_for_group"])):
        world = grouped({"slots": ["front.mp4", "back.mp4"]}, on_overwrite=policy)
        upload(world, "a/front.mp4")
        upload(world, "a/back.mp4")
        world.settle()
        upload(world, "a/front.mp4", "v2")
        world.settle()

        assert len(world.darwin.items()) == 1
        assert [letter.code for letter in world.letters()] == codes


def test_a_series_is_registered_once_it_is_quiet_with_every_slice():
    """All slices in one slot, in the order of their keys; while slices come, nothing is sent."""
    world = series()
    for number in (3, 1, 2):
        upload(world, f"ct/{number}.dcm")
        world.run_prepare()
        world.clock.advance(5 * 60)
    growing = len(world.items)
    world.settle()

    assert growing == 0
    assert slots(world) == [["ct/1.dcm", "ct/2.dcm", "ct/3.dcm"]]
    assert {slot.slot_name for item in world.darwin.items() for slot in item.slots} == {"0"}
    assert world.endings()[Ending.REGISTERED] == 1
    assert not world.letters()


def test_slices_of_one_file_name_are_all_in_the_series():
    """A series is told by keys: the same file name in two folders is two slices."""
    world = grouped(
        {"series": True, "by": "{site}"}, watch={"bucket": BUCKET, "include": "{site}/**"}, path="/"
    )
    for key in ("s1/a/1.dcm", "s1/b/1.dcm"):
        upload(world, key)
    world.settle()

    assert slots(world) == [["s1/a/1.dcm", "s1/b/1.dcm"]]


@pytest.mark.parametrize("late", ["ct/0.dcm", "ct/9.dcm"], ids=["sorts first", "sorts last"])
def test_a_slice_that_comes_too_late_is_told_and_stands_once_its_item_was_removed(late):
    """Also under the default policy: a slice that is in no item must never count as done."""
    world = series()
    upload(world, "ct/1.dcm")
    world.settle()
    upload(world, late)
    world.settle()
    [letter] = world.letters()
    [item] = world.darwin.items()
    world.darwin.remove_item(item.id)
    list(run_replay(plan_replay(world.letter_box.list_letters(), Choice()), world.uploads, world.letter_box))
    world.settle()

    assert (letter.code, letter.event.ref.key) == ("late_for_group", late)
    assert slots(world) == [sorted(["ct/1.dcm", late])]
    assert not world.letters()


def test_while_the_state_bucket_is_away_every_object_waits():
    world = cameras()
    world.prepare = replace(world.prepare, groups=Groups(Away(), world.clock))
    upload(world, "a/front.mp4")
    world.run_prepare()

    assert [(o.ending, o.code) for _, o in world.journal.notes] == [(Ending.AGAIN, "ledger_unavailable")]
    assert len(world.uploads) == 1


class Away:
    """What remembers groups, while its bucket does not answer."""

    def add(self, *_):
        raise LedgerUnavailableError("away")

    def members(self, *_):
        raise LedgerUnavailableError("away")


@pytest.mark.parametrize("year", [1, 9999])
def test_times_at_the_ends_of_the_calendar_hold_nothing_up(year):
    """A notification may claim any time: no arithmetic with it may break."""
    for world in (cameras(), series()):
        key = "a/front.mp4" if len(world.prepare.routes.routes[0].group.slots) else "a/1.dcm"
        event = ObjectCreated(
            ref=ObjectRef(provider="aws", bucket=BUCKET, key=key),
            content="v1",
            size=1,
            occurred_at=datetime(year, 12, 31, 23, 59, tzinfo=UTC) - timedelta(days=1),
        )
        world.uploads.send([messages.dump_event(event, 0)])
        world.run_prepare()

        assert not world.journal.bugs
