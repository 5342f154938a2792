"""Extract: an item goes on only with its artifacts, and whatever hinders one hinders no other."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from beagle import messages
from beagle.domain.errors import ItemBlockedError, LedgerUnavailableError, SupersededError
from beagle.domain.items import ImageArtifacts, ReadyItem
from beagle.domain.outcomes import Ending
from beagle.domain.routes import parse_routes
from beagle.domain.routing import Routed, route_event
from beagle.pipeline.account import ConservationError
from beagle.pipeline.extract import Extract
from beagle.ports import Received
from support.world import ROUTES, Budget, World


@dataclass
class Thumbnails:
    """Makes an image's artifacts without looking at it, and fails where it is told to."""

    trouble: dict[str, Exception] = field(default_factory=dict)
    made: list[str] = field(default_factory=list)
    takes: float = 0.0

    def make(self, event, item, deadline):
        assert deadline.remaining() > 0
        deadline.clock.advance(self.takes)
        if event.ref.key in self.trouble:
            raise self.trouble[event.ref.key]
        self.made.append(event.ref.key)
        made = ImageArtifacts(thumbnail_key=f".beagle/{event.ref.key}.jpg", width=4, height=2)
        return replace(item, slots=tuple(replace(slot, artifacts=made) for slot in item.slots))


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
    stage = Extract(
        artifacts=maker, items=world.items, endings=world._endings("extract"), journal=world.journal
    )
    return world, maker, stage.run(batch, Budget(world.clock, seconds))


def test_an_item_is_passed_on_with_its_artifacts_and_all_it_had():
    world, _, report = extract("a/1.jpg")

    [body] = world.items.bodies()
    ready = messages.load_item(body)
    assert ready.item.slots[0].artifacts == ImageArtifacts(
        thumbnail_key=".beagle/a/1.jpg.jpg", width=4, height=2
    )
    assert (ready.event, ready.route, ready.replayed) == (world.event("a/1.jpg"), "r", 2)
    assert (report.again, [outcome.ending for outcome in report.outcomes]) == ({}, [Ending.PASSED_ON])


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
