"""Extract: an item goes on only with its artifacts, and whatever hinders one hinders no other."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import obstore
import pytest

from beagle import messages
from beagle.domain.errors import (
    DecoderStoppedError,
    ItemBlockedError,
    LedgerUnavailableError,
    SupersededError,
)
from beagle.domain.items import ImageArtifacts, ReadyItem, ReadyPart
from beagle.domain.outcomes import Ending
from beagle.domain.routes import parse_routes
from beagle.domain.routing import Routed, route_event
from beagle.pipeline.account import ConservationError
from beagle.pipeline.claims import Attempt, intend, registered, released
from beagle.pipeline.extract import Extract
from beagle.pipeline.limits import SPARE, TRIES, Sparing
from beagle.pipeline.passing import Onward
from beagle.ports import Received, Split
from beagle.providers.local.clock import EPOCH
from beagle.providers.local.queue import LocalQueue
from beagle.providers.parcels import StoreParcels, StorePartResults
from support.world import ROUTES, Budget, World

ATTEMPT = Attempt(EPOCH, EPOCH)


@dataclass
class Thumbnails:
    """Makes an image's artifacts without looking at it, and fails where it is told to."""

    trouble: dict[str, Exception] = field(default_factory=dict)
    made: list[str] = field(default_factory=list)
    takes: float = 0.0
    changes_once: bool = False

    parts: int = 1
    grid: int = 30
    """Where the maker cuts: every so many frames."""
    finished: list[float] = field(default_factory=list)
    changes: Exception | None = None
    """What parts of the first content end with."""
    slow: set[int] = field(default_factory=set)
    """Parts that come to no end."""

    def make(self, ready, deadline):
        assert deadline.remaining() > 0
        deadline.deadline.clock.advance(self.takes)
        key = ready.event.ref.key
        if key in self.trouble:
            raise self.trouble.pop(key) if self.changes_once else self.trouble[key]
        if self.parts > 1:
            cuts = ({"number": n, "parts": self.parts, "grid": self.grid} for n in range(self.parts))
            return Split(0, tuple(cuts))
        self.made.append(key)
        return self._done(ready)

    def make_part(self, part, deadline):
        assert deadline.remaining() > 0
        if self.changes and part.ready.event.content == "v1":
            raise self.changes
        if part.part["number"] in self.slow:
            raise DecoderStoppedError("It was stopped.")
        self.finished.append(part.part["number"])
        return part.part

    def join(self, ready, slot, results, deadline):
        assert deadline.remaining() > 0
        assert slot == 0
        assert [result["number"] for result in results] == list(range(self.parts))
        assert len({result["grid"] for result in results}) == 1
        return self._done(ready)

    @staticmethod
    def _done(ready):
        made = ImageArtifacts(thumbnail_key=f".beagle/{ready.event.ref.key}.jpg", width=4, height=2)
        slots = tuple(replace(slot, artifacts=made) for slot in ready.item.slots)
        return replace(ready.item, slots=slots)


def extract(*keys, seconds=60, **thumbnails):
    """Return a world, its maker, and the report of extracting these objects."""
    world, maker = World(), Thumbnails(**thumbnails)
    [route] = ROUTES["routes"]
    routes = parse_routes({"team": "acme", "routes": [{**route, "access": "read_only"}]})
    batch = []
    for key in keys:
        routed = route_event(routes, world.event(key)) if key != "garbage" else None
        body = key
        if isinstance(routed, Routed):
            body = messages.dump_item(
                ReadyItem(event=world.event(key), item=routed.item, route="r", replayed=2)
            )
        batch.append(Received(id=key, body=body))
    stage = stage_of(world, maker, LocalQueue(world.clock))
    return world, maker, stage.run(batch, Budget(world.clock, seconds))


def stage_of(world, maker, videos):
    return Extract(
        artifacts=maker,
        results=StorePartResults(world.state),
        ledger=world.ledger,
        items=Onward(world.items, StoreParcels(world.state)),
        videos=videos,
        tries=world.tries("extract"),
        endings=world._endings("extract"),
        journal=world.journal,
    )


def test_an_item_is_passed_on_with_its_artifacts_and_all_it_had():
    world, _, report = extract("a/1.jpg")

    [body] = world.items.bodies()
    ready = messages.load_item(body)
    assert ready.item.slots[0].artifacts == ImageArtifacts(
        thumbnail_key=".beagle/a/1.jpg.jpg", width=4, height=2
    )
    assert (ready.event, ready.route, ready.replayed) == (world.event("a/1.jpg"), "r", 2)
    assert (report.again, [outcome.ending for outcome in report.outcomes]) == ({}, [Ending.PASSED_ON])


def test_what_s3_announced_only_once_is_made_of_what_stands_there_now():
    """Its event names the older of two contents; the newer may never have one."""
    changed = SupersededError("changed", key="a/1.jpg", content="v2", size=7)

    world, _, report = extract("a/1.jpg", "a/2.jpg", trouble={"a/1.jpg": changed}, changes_once=True)

    items = [messages.load_item(body) for body in world.items.bodies()]
    assert [(item.event.content, item.item.slots[0].content, item.item.slots[0].size) for item in items] == [
        ("v2", "v2", 7),
        ("v1", "v1", items[1].event.size),
    ]
    assert not report.again


@pytest.mark.parametrize(
    ("error", "ending", "code", "again"),
    [
        (ItemBlockedError("no"), Ending.DEAD_LETTERED, "item_blocked", False),
        (LedgerUnavailableError("later"), Ending.AGAIN, "ledger_unavailable", True),
        (SupersededError("newer"), Ending.SUPERSEDED, "superseded", False),
        (ZeroDivisionError("oh"), Ending.AGAIN, "bug", True),
        (MemoryError(), Ending.AGAIN, "bug", True),
    ],
    ids=lambda value: getattr(value, "code", None) and type(value).__name__,
)
def test_what_hinders_one_object_hinders_no_other(error, ending, code, again):
    """A verdict is a letter, a service's trouble and a bug come again, what was overwritten is done."""
    world, maker, report = extract("a/1.jpg", "a/bad.jpg", "a/2.jpg", trouble={"a/bad.jpg": error})

    [found] = [outcome for outcome in report.outcomes if outcome.ending is not Ending.PASSED_ON]
    assert (found.ending, found.code, found.ref.key) == (ending, code, "a/bad.jpg")
    assert set(report.again) == ({"a/bad.jpg"} if again else set())
    assert maker.made == ["a/1.jpg", "a/2.jpg"]
    assert len(world.items) == 2
    assert len(world.letters()) == (ending is Ending.DEAD_LETTERED)
    assert len(world.journal.bugs) == (code == "bug")


def test_a_message_that_is_no_item_is_a_letter():
    world, _, report = extract("garbage", "a/1.jpg")

    assert report.again == {}
    assert [letter.code for letter in world.letters()] == ["unparsable_message"]
    assert len(world.items) == 1


def test_nothing_is_begun_that_its_invocation_would_not_see_the_end_of():
    """What takes long leaves the rest of the batch for later, not half done."""
    world, maker, report = extract("a/1.jpg", "a/2.jpg", "a/3.jpg", seconds=60, takes=40)

    assert maker.made == ["a/1.jpg", "a/2.jpg"]
    assert set(report.again) == {"a/3.jpg"}
    assert report.outcomes[2].code == "out_of_time"
    assert len(world.items) == 2


def test_books_that_do_not_add_up_fail_the_whole_batch():
    with pytest.raises(ConservationError):
        extract("a/1.jpg", trouble={"a/1.jpg": ConservationError("lost")})


def drain(stage, videos):
    """Run the stage until its queue is empty."""
    while batch := videos.receive(1):
        videos.answer(batch, stage.run(batch, Budget(videos.clock, 60)))


def test_a_long_video_is_made_in_parts_and_passed_on_once_they_are_all_there():
    """Whoever finishes the last part joins them; nobody waits for it."""
    world, maker = World(), Thumbnails(parts=4)
    videos = LocalQueue(world.clock)
    stage = stage_of(world, maker, videos)
    videos.send([long_video(world)])

    drain(stage, videos)

    assert maker.finished == [0, 1, 2, 3]
    [body] = world.items.bodies()
    assert messages.load_item(body).item.slots[0].artifacts
    assert not world.letters()


def test_parts_that_are_delivered_again_are_not_made_again_and_the_item_is_registered_once():
    """Also when the whole video is delivered again: the ledger knows the item that is sent twice."""
    world, maker = World(), Thumbnails(parts=3)
    videos = LocalQueue(world.clock)
    stage = stage_of(world, maker, videos)
    videos.send([long_video(world)] * 2)

    drain(stage, videos)

    assert maker.finished == [0, 1, 2]
    assert len({messages.load_item(body).item for body in world.items.bodies()}) == 1


def test_a_part_that_is_stopped_each_time_is_given_up_and_no_other_for_it():
    """Ten tries of that part: the other is made at its first, and the item waits for the one in vain."""
    world, maker = World(), Thumbnails(parts=2, slow={1})
    videos = LocalQueue(world.clock)
    stage = stage_of(world, maker, videos)
    videos.send([long_video(world)])
    while videos:
        drain(stage, videos)
        world.clock.advance(videos.next_visible_in() or 0)

    assert maker.finished == [0]
    [letter] = world.letters()
    assert (letter.code, letter.attempts) == ("media_too_slow", TRIES)
    assert not world.items


def test_another_content_of_the_video_shares_no_part_with_the_first():
    world, maker = World(), Thumbnails(parts=2)
    videos = LocalQueue(world.clock)
    videos.send([long_video(world), long_video(world, "v2")])

    drain(stage_of(world, maker, videos), videos)

    assert sorted(maker.finished) == [0, 0, 1, 1]


def test_a_video_that_changes_between_its_parts_is_made_of_what_stands_there_now():
    """On Azure new metadata are such a change, and nobody announces it."""
    world, maker = World(), Thumbnails(parts=2)
    videos = LocalQueue(world.clock)
    stage = stage_of(world, maker, videos)
    videos.send([long_video(world)])
    batch = videos.receive(1)
    videos.answer(batch, stage.run(batch, Budget(world.clock, 60)))
    maker.changes = SupersededError("changed", key="a/long.mp4", content="v2", size=7)

    drain(stage, videos)

    items = {messages.load_item(body).item for body in world.items.bodies()}
    assert [item.slots[0].content for item in items] == ["v2"]
    assert not world.letters()


def test_parts_that_another_version_cut_elsewhere_are_not_joined_with_ours():
    """After an update, the parts of the old plan end among themselves, and so do those of the new."""
    world, old, new = World(), Thumbnails(parts=2, grid=30), Thumbnails(parts=2, grid=45)
    videos = LocalQueue(world.clock)
    stage = stage_of(world, old, videos)
    videos.send([long_video(world)])
    for _ in ("the video", "its first part"):
        batch = videos.receive(1)
        videos.answer(batch, stage.run(batch, Budget(world.clock, 60)))
    videos.send([long_video(world)])

    drain(stage_of(world, new, videos), videos)

    assert (old.finished, new.finished) == ([0], [1, 0, 1])
    assert len({messages.load_item(body).item for body in world.items.bodies()}) == 1


def test_parts_that_an_older_version_cut_without_a_name_for_its_plan_are_planned_anew():
    """What it kept of finished parts lies where nobody looks any more: who waits for them loses the video."""
    world, maker = World(), Thumbnails(parts=2)
    videos = LocalQueue(world.clock)
    ready = messages.load_item(long_video(world))
    left = {"number": 1, "parts": 2, "grid": 30}
    videos.send([messages.dump_part(ReadyPart(ready=ready, slot=0, part=left, plan=""))])

    drain(stage_of(world, maker, videos), videos)

    assert sorted(maker.finished) == [0, 1]
    assert len({messages.load_item(body).item for body in world.items.bodies()}) == 1


def test_what_stands_registered_is_not_made_again():
    """Announced once more, it ends as register would have ended it; of other content it is made."""
    world, maker = World(), Thumbnails(parts=2)
    [kept] = world.ledger.create([intend(messages.load_item(long_video(world)), ATTEMPT)])
    world.ledger.replace([(kept, registered(kept.entry))])
    videos = LocalQueue(world.clock)
    videos.send([long_video(world), long_video(world, "v2")])

    drain(stage_of(world, maker, videos), videos)

    assert maker.finished == [0, 1]
    [first] = [outcome for _, outcome in world.journal.notes if outcome.content == "v1"]
    assert (first.ending, first.code, first.item.name) == (Ending.ALREADY_REGISTERED, "", "long.mp4")
    assert {messages.load_item(body).event.content for body in world.items.bodies()} == {"v2"}


def test_what_stands_registered_is_made_again_when_it_is_replayed():
    """Its item may have been deleted in Darwin, whom only register can ask."""
    world, maker = World(), Thumbnails()
    ready = messages.load_item(long_video(world))
    [kept] = world.ledger.create([intend(ready, ATTEMPT)])
    world.ledger.replace([(kept, registered(kept.entry))])
    videos = LocalQueue(world.clock)
    videos.send([messages.dump_item(replace(ready, replayed=1))])

    drain(stage_of(world, maker, videos), videos)

    assert maker.made == ["a/long.mp4"]
    assert len(world.items) == 1


@pytest.mark.parametrize("state", ["intent", "released", "unreadable"])
def test_what_the_ledger_does_not_call_registered_is_made(state):
    """Whoever was about to register it may have died; and register has the last word."""
    world, maker = World(), Thumbnails()
    ready = messages.load_item(long_video(world))
    [kept] = world.ledger.create([intend(ready, ATTEMPT)])
    if state == "released":
        world.ledger.replace([(kept, released(kept.entry))])
    if state == "unreadable":
        [path] = [meta["path"] for page in world.state.list("ledger/") for meta in page]
        obstore.put(world.state, path, b"no entry")
    videos = LocalQueue(world.clock)
    videos.send([long_video(world)])

    drain(stage_of(world, maker, videos), videos)

    assert maker.made == ["a/long.mp4"]
    assert len(world.items) == 1


def long_video(world, content="v1"):
    [route] = ROUTES["routes"]
    routes = parse_routes({"team": "acme", "routes": [{**route, "access": "read_only"}]})
    event = world.event("a/long.mp4", content)
    routed = route_event(routes, event)
    return messages.dump_item(ReadyItem(event=event, item=routed.item, route="r", making=routed.making))


def test_what_is_too_large_for_the_queue_lies_elsewhere_and_is_found(monkeypatch):
    """An item comes to extract as a claim, its parts go round as claims, and one item comes out."""
    monkeypatch.setattr(LocalQueue, "most_bytes", 100)
    world, maker = World(), Thumbnails(parts=2)
    videos = LocalQueue(world.clock)
    routed = route_event(parse_routes(ROUTES), world.event("a/1.jpg"))
    ready = ReadyItem(event=world.event("a/1.jpg"), item=routed.item, route="r")
    stage = stage_of(world, maker, videos)
    videos.send([stage.items.body(ready)])

    drain(stage, videos)

    assert sorted(maker.finished) == [0, 1]
    [claim] = set(world.items.bodies())
    assert messages.load_item(stage.items.unpacked(claim)).item.slots[0].artifacts is not None


def test_long_work_is_told_to_end_before_its_invocation_does():
    """What is stopped by its deadline can still be written down."""
    world = World()

    assert Sparing(Budget(world.clock, 60)).remaining() == 60 - SPARE
