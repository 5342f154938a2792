"""From a notification to a waiting item: what is passed on, ignored, buried, or left in the queue."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

import pytest

from beagle import messages
from beagle.domain.errors import LedgerUnavailableError, OutOfTimeError
from beagle.domain.events import NotAnObject, Notification
from beagle.domain.items import ImageArtifacts
from beagle.domain.outcomes import Ending
from beagle.domain.routes import parse_routes
from beagle.messages import MESSAGE_LIMIT
from beagle.pipeline import prepare
from beagle.pipeline.account import ConservationError
from beagle.pipeline.limits import TRIES, Tries
from beagle.pipeline.passing import Onward
from beagle.ports import Received
from beagle.providers.aws.notifications import parse_notification
from beagle.providers.local.clock import FakeClock
from beagle.providers.local.queue import LocalQueue
from beagle.providers.parcels import StoreParcels
from support.world import BUCKET, ROUTES, Budget, World


def run(world, *bodies, seconds=60):
    """Return the report of a batch of these bodies."""
    batch = [Received(id=str(number), body=body) for number, body in enumerate(bodies)]
    return world.prepare.run(batch, Budget(world.clock, seconds))


def announced(world, key="a/1.jpg", **event):
    """Return the message that announces an object."""
    return messages.dump_event(world.event(key, **event), 0)


def waiting(world):
    """Return the storage keys of the items that wait for registration."""
    return [slot.storage_key for body in world.items.bodies() for slot in messages.load_item(body).item.slots]


def s3_message(*keys):
    """Return S3's own notification of several objects."""
    records = [
        {
            "eventSource": "aws:s3",
            "eventVersion": "2.1",
            "eventName": "ObjectCreated:Put",
            "eventTime": "2026-01-01T00:00:00.000Z",
            "s3": {
                "bucket": {"name": BUCKET},
                "object": {"key": key, "size": 10, "eTag": "e", "sequencer": "01"},
            },
        }
        for key in keys
    ]
    return json.dumps({"Records": records})


def test_an_item_is_passed_on_with_all_that_register_needs():
    """The item, its event, its route's name and policies, and how often it was replayed."""
    [route] = ROUTES["routes"]
    world = World(
        routes={
            "team": "acme",
            "routes": [
                {**route, "tags": "night", "on_overwrite": "new_name", "on_name_collision": "new_name"}
            ],
        }
    )
    world.uploads.send([messages.dump_event(world.event("a/1.jpg"), 3)])
    world.run_prepare()

    [body] = world.items.bodies()
    ready = messages.load_item(body)
    assert ready.event == world.event("a/1.jpg")
    assert (ready.item.id.dataset, ready.item.id.path, ready.item.id.name) == ("incoming", "/a", "1.jpg")
    assert (ready.route, ready.item.tags, ready.replayed) == ("incoming", ("night",), 3)
    assert (ready.on_overwrite, ready.on_name_collision) == ("new_name", "new_name")
    assert not world.uploads


def test_one_message_may_announce_several_objects():
    """Each has an outcome of its own, and the message is acknowledged once."""
    world = World()
    world.prepare = replace(world.prepare, parse=parse_notification)

    report = run(world, s3_message("a/1.jpg", "a/2.txt", "a/3.png"))

    assert [outcome.ending for outcome in report.outcomes] == [
        Ending.IGNORED, Ending.PASSED_ON, Ending.PASSED_ON
    ]  # fmt: skip
    assert report.again == {}
    assert waiting(world) == ["a/1.jpg", "a/3.png"]


def test_one_record_that_nobody_can_read_does_not_take_those_beside_it_along():
    """It is a letter of its own, which replays that record and no other."""
    world = World()
    world.prepare = replace(world.prepare, parse=parse_notification)
    records = json.loads(s3_message("a/1.jpg", "a/2.jpg"))["Records"]
    records[0]["eventVersion"] = "3.0"

    report = run(world, json.dumps({"Records": records}))

    assert report.again == {}
    assert waiting(world) == ["a/2.jpg"]
    [letter] = world.letters()
    assert letter.code == "unparsable_message"
    assert "3.0" in letter.reason
    assert json.loads(letter.raw) == {"Records": records[:1]}


def test_an_object_that_is_refused_is_one_letter_however_long_another_of_its_message_waits():
    """The message comes again for the other: a letter at each delivery would be a hundred of them."""
    [route] = ROUTES["routes"]
    world = World(routes={"team": "acme", "routes": [{**route, "group": {"slots": ["l.jpg", "r.jpg"]}}]})
    world.prepare = replace(world.prepare, parse=parse_notification)
    records = json.loads(s3_message("a/l.jpg", "a/empty.jpg"))["Records"]
    records[1]["s3"]["object"]["size"] = 0
    world.uploads.send([json.dumps({"Records": records})])

    world.settle(hours=30)

    assert sorted(letter.code for letter in world.letters()) == ["empty_object", "group_incomplete"]
    assert not world.uploads


def test_what_announces_no_object_is_ignored_with_its_code():
    """Test messages and deletions are acknowledged, and counted."""
    world = World()
    nothing = Notification(announced=(NotAnObject(code="test_notification"),))
    world.prepare = replace(world.prepare, parse=lambda _: nothing)

    report = run(world, "{}")

    assert [(o.ending, o.code) for o in report.outcomes] == [(Ending.IGNORED, "test_notification")]
    assert report.again == {}


def test_a_message_that_nobody_can_read_is_a_dead_letter_and_the_others_go_on():
    """One bad message is no reason to keep its batch."""
    world = World()
    world.prepare = replace(world.prepare, parse=parse_notification)

    report = run(world, "garbage", s3_message("a/1.jpg"), '{"beagle": "event/1"}')

    assert report.again == {}
    assert sorted(letter.code for letter in world.letters()) == ["unparsable_message"] * 2
    assert waiting(world) == ["a/1.jpg"]


@pytest.mark.parametrize(
    ("key", "size", "code"),
    [("/a.jpg", 10, "unregisterable_key"), ("a/b.jpg", 0, "empty_object")],
)
def test_an_object_that_can_never_be_an_item_is_a_dead_letter(key, size, code):
    """It is told at once: redelivery would end the same way."""
    world = World()

    report = run(world, announced(world, key, size=size), announced(world))

    assert report.again == {}
    [letter] = world.letters()
    assert (letter.code, letter.stage, letter.event.ref.key) == (code, "prepare", key)
    assert waiting(world) == ["a/1.jpg"]


def test_what_the_items_queue_does_not_take_is_not_acknowledged():
    """Neither when the queue is away nor when it refuses one of several."""
    world = World()
    world.items.down = True
    away = run(world, announced(world), announced(world, "a/2.jpg"))
    world.items.down = False
    world.prepare = replace(
        world.prepare, items=Onward(Refusing(world.items, {1}), StoreParcels(world.state))
    )
    partly = run(world, announced(world), announced(world, "a/2.jpg"))

    assert set(away.again) == {"0", "1"}
    assert set(partly.again) == {"1"}
    assert waiting(world) == ["a/1.jpg"]
    assert not world.letters()


class Refusing:
    """A queue that takes all but some messages of each call."""

    most_bytes = MESSAGE_LIMIT

    def __init__(self, queue, refused):
        self.queue = queue
        self.refused = refused

    def send(self, bodies):
        self.queue.send([body for index, body in enumerate(bodies) if index not in self.refused])
        return sorted(self.refused)


def test_an_item_too_large_for_a_message_lies_in_the_state_bucket_and_is_registered_all_the_same():
    """The queue carries a claim to it: a long video's playlists are larger than any queue's messages."""
    [route] = ROUTES["routes"]
    tags = [f"tag {number} {'x' * 90}" for number in range(3000)]
    world = World(routes={"team": "acme", "routes": [{**route, "tags": tags}]})
    for tag in tags:
        world.darwin.add_tag(tag)

    report = run(world, announced(world))
    [body] = world.items.bodies()
    world.settle()

    assert report.again == {}
    assert len(body) < 1000
    assert world.storage_keys() == ["a/1.jpg"]


def test_near_the_end_of_its_time_nothing_is_begun():
    """What was not begun comes again, soon and unharmed."""
    world = World()

    report = run(world, announced(world), seconds=2)

    assert [(o.ending, o.code) for o in report.outcomes] == [(Ending.AGAIN, "out_of_time")]
    assert set(report.again) == {"0"}
    assert not world.letters()


def test_a_bug_that_one_message_shows_holds_up_that_message_alone():
    """It stays queued, visible: counted, with its traceback, never acknowledged and never buried."""
    world = World()
    world.prepare = replace(world.prepare, parse=parse_or_break)

    report = run(world, announced(world), "break", announced(world, "a/2.jpg"))

    assert set(report.again) == {"1"}
    assert report.again["1"] is not None
    [(ending, code)] = [(o.ending, o.code) for o in report.outcomes if o.ending is Ending.AGAIN]
    assert (ending, code) == (Ending.AGAIN, "bug")
    [(stage, error)] = world.journal.bugs
    assert (stage, type(error)) == ("prepare", ZeroDivisionError)
    assert error.__traceback__ is not None
    assert waiting(world) == ["a/1.jpg", "a/2.jpg"]
    assert not world.letters()


def parse_or_break(body):
    """Read no message, and break at one."""
    return Notification(announced=()) if body != "break" else 1 / 0


def test_a_bug_that_one_object_shows_does_not_hold_up_the_objects_beside_it(monkeypatch):
    """The others of its message are passed on; they come again with it, which is harmless."""
    world = World()
    world.prepare = replace(world.prepare, parse=parse_notification)
    route_event = prepare.route_event

    def route_or_break(routes, event, prefix):
        if "2" in event.ref.key:
            raise KeyError("a mistake of ours")
        return route_event(routes, event, prefix)

    monkeypatch.setattr(prepare, "route_event", route_or_break)
    report = run(world, s3_message("a/1.jpg", "a/2.jpg"))

    assert set(report.again) == {"0"}
    assert waiting(world) == ["a/1.jpg"]
    assert [stage for stage, _ in world.journal.bugs] == ["prepare"]


def test_books_that_do_not_add_up_fail_the_whole_batch(monkeypatch):
    """After that no acknowledgement could be trusted."""
    world = World()

    def lose(*_):
        raise ConservationError("lost")

    monkeypatch.setattr(prepare, "route_event", lose)
    with pytest.raises(ConservationError):
        run(world, announced(world), announced(world, "a/2.jpg"))

    assert not world.journal.bugs


def test_read_only_objects_go_where_their_artifacts_are_made():
    """Not to register, which could not send them; whether or not that queue holds anything."""
    [route] = ROUTES["routes"]
    world = World()
    videos = LocalQueue(world.clock)
    routes = parse_routes(
        {
            "team": "acme",
            "routes": [
                {
                    **route,
                    "name": "archive",
                    "access": "read_only",
                    "watch": {"bucket": BUCKET, "prefix": "ro/"},
                },
                route,
            ],
        }
    )
    world.prepare = replace(world.prepare, routes=routes, videos=Onward(videos, StoreParcels(world.state)))

    report = run(world, announced(world, "ro/1.mp4"), announced(world, "rw/1.mp4"))

    assert {outcome.ending for outcome in report.outcomes} == {Ending.PASSED_ON}
    assert [messages.load_item(body).item.slots[0].storage_key for body in videos.bodies()] == ["ro/1.mp4"]
    assert waiting(world) == ["rw/1.mp4"]


class Stills:
    """Makes the artifacts of all but videos without looking at them."""

    def make_stills(self, ready, deadline):
        assert deadline.remaining() > 0
        made = ImageArtifacts(thumbnail_key=".beagle/t.jpg", width=4, height=2)
        slots = [s if s.media_type == "video" else replace(s, artifacts=made) for s in ready.item.slots]
        return replace(ready.item, slots=tuple(slots))


def test_a_group_with_a_video_goes_to_extract_with_all_its_other_artifacts_made():
    """Extract knows nothing but videos; a group without any goes to register at once."""
    [route] = ROUTES["routes"]
    found, archive = {}, {**route, "access": "read_only"}
    for slots in (("plan.jpg", "cam.mp4"), ("l.jpg", "r.jpg")):
        world = World()
        queue = LocalQueue(world.clock)
        routes = {"team": "acme", "routes": [{**archive, "group": {"by": "{folder}", "slots": slots}}]}
        world.prepare = replace(
            world.prepare,
            routes=parse_routes(routes),
            artifacts=Stills(),
            videos=Onward(queue, StoreParcels(world.state)),
        )
        run(world, *(announced(world, f"a/{slot}") for slot in slots))
        [body] = [*queue.bodies(), *world.items.bodies()]
        made = [slot.artifacts is not None for slot in messages.load_item(body).item.slots]
        found[slots] = (made, len(queue), len(world.items))

    assert found == {("plan.jpg", "cam.mp4"): ([True, False], 1, 0), ("l.jpg", "r.jpg"): ([True, True], 0, 1)}


@dataclass
class Slow:
    """Makes nothing within the time that it has, or has too little of."""

    takes: float
    clock: FakeClock

    def make_stills(self, ready, deadline):
        left = deadline.remaining()
        self.clock.advance(min(self.takes, left))
        if self.takes > left:
            raise OutOfTimeError("No time was left to decode it.")
        return Stills().make_stills(ready, deadline)


def slow_world(takes):
    """Return a world whose conversions take so many seconds."""
    [route] = ROUTES["routes"]
    world = World()
    routes = {"team": "acme", "routes": [{**route, "access": "read_only", "pdf": {"convert": True}}]}
    world.prepare = replace(world.prepare, routes=parse_routes(routes), artifacts=Slow(takes, world.clock))
    return world


def deliver(world, *names, attempts=1):
    """Return how the objects of one batch ended, in an invocation of two minutes."""
    batch = [Received(id=key, body=announced(world, key), attempts=attempts) for key in names]
    report = world.prepare.run(batch, Budget(world.clock, 120))
    return [f"{outcome.ending} {outcome.code}" for outcome in report.outcomes]


def test_what_comes_to_no_end_in_a_whole_invocation_is_given_up_in_time():
    """
    At the tenth try that was stopped, not by the platform at its last; and nobody for a neighbour's slowness.
    """
    world = slow_world(1000)
    found = [deliver(world, "a/1.pdf", "a/2.pdf", attempts=n + 1) for n in range(TRIES)]

    assert found[:-1] == [["again out_of_time", "again out_of_time"]] * (TRIES - 1)
    assert found[-1] == ["dead_lettered media_too_slow", "again out_of_time"]
    [letter] = world.letters()
    assert letter.reason.startswith(f"It was stopped {TRIES} times.")


def test_deliveries_that_an_outage_used_up_are_no_tries():
    """Turned away, or called in vain for hours, a file still has all its tries when the outage is over."""
    world = slow_world(1000)

    assert [deliver(world, "a/1.pdf", attempts=90 + n) for n in range(TRIES - 1)] == [
        ["again out_of_time"]
    ] * (TRIES - 1)
    assert not world.letters()


def test_what_was_done_at_last_has_all_its_tries_when_it_is_asked_for_again():
    """A message may come again after its work was done, as when the next queue did not take the item."""
    world = slow_world(1000)
    for stopped in range(TRIES - 1):
        deliver(world, "a/1.pdf", attempts=stopped + 1)
    quick, slow = Slow(1, world.clock), world.prepare.artifacts
    world.prepare = replace(world.prepare, artifacts=quick)
    done = deliver(world, "a/1.pdf", attempts=TRIES)
    world.prepare = replace(world.prepare, artifacts=slow)

    assert done == ["passed_on "]
    assert deliver(world, "a/1.pdf", attempts=TRIES + 1) == ["again out_of_time"]


class Away:
    """A state bucket that does not answer."""

    def read(self, names):
        raise LedgerUnavailableError(f"{names}")

    def write(self, traces):
        raise LedgerUnavailableError(f"{traces}")


def test_while_the_state_bucket_is_away_no_try_counts():
    """The file is not accused for it: it comes again, as slow as it is."""
    world = slow_world(1000)
    world.prepare = replace(world.prepare, tries=Tries(Away()))
    found = [deliver(world, "a/1.pdf", attempts=n + 1) for n in range(TRIES + 1)]

    assert found == [["again out_of_time"]] * (TRIES + 1)


def test_two_messages_of_one_id_fail_the_batch():
    """Their answers could not be told apart: nothing of it is acknowledged."""
    world = World()
    twice = [Received(id="1", body=announced(world))] * 2

    with pytest.raises(ConservationError):
        world.prepare.run(twice, Budget(world.clock, 60))
