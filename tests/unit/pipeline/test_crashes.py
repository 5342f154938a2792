"""A message that kills its process becomes a dead letter, alone; waiting for a service makes none."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from beagle import messages
from beagle.domain.errors import LedgerUnavailableError, UnparsableMessageError
from beagle.domain.events import NotAnObject, Notification
from beagle.domain.items import ReadyPart
from beagle.domain.outcomes import Ending
from beagle.pipeline.account import ConservationError
from beagle.pipeline.crashes import LIMIT, SILENCE, SUSPECT
from beagle.pipeline.replay import Choice, plan_replay, run_replay
from beagle.ports import Received, Trace
from support.world import Budget, Killed, World

if TYPE_CHECKING:
    from collections.abc import Sequence

    from beagle.domain.letters import DeadLetter
    from beagle.ports import Attempts, Deadline, Parse, Report, Stage

POISON = "a/poison.jpg"


class Deadly:
    """A stage that a poisoned message ends on the spot, whoever is in the batch with it."""

    def __init__(self, stage: Stage, poison: str = POISON) -> None:
        self.stage = stage
        self.poison = poison
        self.poisoned = True
        self.deaths: list[int] = []
        """How many messages were in each batch that died."""

    def run(self, batch: Sequence[Received], deadline: Deadline) -> Report:
        if self.poisoned and any(self.poison in message.body for message in batch):
            self.deaths.append(len(batch))
            raise Killed
        return self.stage.run(batch, deadline)


class Watched:
    """The traces, with a count of what is asked of them; the bucket may go away."""

    def __init__(self, attempts: Attempts) -> None:
        self.attempts = attempts
        self.asked: Counter[str] = Counter()
        self.away = False

    def read(self, names: Sequence[str]) -> list[Trace]:
        self._count("read", len(names))
        return self.attempts.read(names)

    def write(self, traces: Sequence[tuple[str, Trace]]) -> None:
        self._count("written", len(traces))
        self.attempts.write(traces)

    def _count(self, what: str, messages: int) -> None:
        if self.away:
            raise LedgerUnavailableError("away")
        self.asked[what] += messages


def deadly_world(neighbours: int) -> tuple[World, Deadly]:
    """Return a world in whose items queue a poisoned item lies among others."""
    world = World()
    for number in range(neighbours):
        world.upload(f"a/{number}.jpg")
        if number == neighbours // 2:
            world.upload(POISON)
    if not neighbours:
        world.upload(POISON)
    while world.run_prepare():
        pass
    return world, Deadly(world.register)


def live(world: World, stage: Stage, steps: int = 50) -> None:
    """Deliver what waits or comes back, until nothing does; a step is a delivery, or a wait for one."""
    for _ in range(steps):
        if not world.items:
            return
        try:
            if not world.run_register(seconds=120, stage=stage):
                world.clock.advance((world.items.next_visible_in() or 0) + 0.001)
        except Killed:
            world.clock.advance(world.items.visibility)


def keys(letters: Sequence[DeadLetter]) -> list[str]:
    return [letter.event.ref.key if letter.event else "" for letter in letters]


@pytest.mark.parametrize("neighbours", [0, 1, 9, 99])
def test_a_message_that_kills_its_process_is_a_dead_letter_and_its_neighbours_are_registered(
    neighbours: int,
) -> None:
    """Five attempts at it are written down; the neighbours die with it for the first four deliveries only."""
    world, stage = deadly_world(neighbours)

    live(world, stage)

    together = SILENCE - 1 + SUSPECT
    assert stage.deaths == [neighbours + 1] * together + [1] * (LIMIT - SUSPECT)
    [letter] = world.letters()
    assert (letter.code, letter.stage, keys([letter])) == ("crash_loop", "register", [POISON])
    assert letter.item is not None
    assert letter.attempts == SILENCE - 1 + LIMIT + 1
    assert not world.items
    assert world.storage_keys() == sorted(f"a/{number}.jpg" for number in range(neighbours))


def test_two_that_kill_are_two_dead_letters_and_nobody_else_is() -> None:
    """One that has been given up on is not worked on again because the other killed the process after it."""
    world, stage = deadly_world(5)
    world.upload(POISON.replace("a/", "b/a/"))
    world.run_prepare()

    live(world, stage)

    assert sorted({*keys(world.letters())}) == [POISON, f"b/{POISON}"]
    assert {letter.code for letter in world.letters()} == {"crash_loop"}
    assert len(world.places()) == 5
    assert len(stage.deaths) <= 2 * (SILENCE - 1 + LIMIT)


def test_an_outage_of_a_day_makes_no_crash_loops_and_costs_little() -> None:
    """Hundreds of deliveries end as they should: two writes in three of them, one read in each."""
    world = World()
    world.attempts["register"] = watched = Watched(world.attempts["register"])
    for number in range(20):
        world.upload(f"a/{number}.jpg")
    world.run_prepare(20)
    world.network.down = True
    world.settle(hours=24)
    deliveries = world.endings()[Ending.AGAIN]
    world.network.down = False
    world.settle()

    assert deliveries > 20 * 60
    assert len(world.places()) == 20
    assert not world.letters()
    assert watched.asked["read"] <= deliveries
    assert watched.asked["written"] <= 2 * (deliveries / SILENCE + 20)


def test_what_works_at_once_costs_nothing() -> None:
    """Nothing is asked or written down of a message before its third delivery."""
    world = World()
    watched = {stage: Watched(attempts) for stage, attempts in world.attempts.items()}
    world.attempts |= watched
    world.upload("a/1.jpg")
    world.settle()

    assert len(world.places()) == 1
    assert not any(attempts.asked for attempts in watched.values())


def test_a_message_without_a_name_of_its_own_is_never_taken_for_another() -> None:
    """Ids name deliveries, and are used again: what is known of one says nothing of the next."""
    world, stage = deadly_world(0)
    world.attempts["register"].write([("0", Trace(LIMIT, 7)), ("", Trace(LIMIT, 7))])
    [body] = world.items.bodies()
    batch = [Received(id="0", body=body, attempts=8)]
    stage.poisoned = False

    report = world.guard("register", stage).run(batch, Budget(world.clock, 60))

    assert [outcome.ending for outcome in report.outcomes] == [Ending.REGISTERED]


def test_deliveries_that_never_reached_the_stage_are_not_counted() -> None:
    """A function that is throttled, or does not start, says nothing about its messages."""
    world, stage = deadly_world(1)
    stage.poisoned = False
    for _ in range(150):
        assert world.items.receive(10)
        world.clock.advance(world.items.visibility)

    live(world, stage)

    assert len(world.places()) == 2
    assert not world.letters()


def test_attempts_that_killed_are_forgotten_once_one_has_ended() -> None:
    """Four in a row, an end, and four again are no five."""
    world, stage = deadly_world(0)
    for _ in range(2):
        stage.poisoned = True
        live(world, stage, steps=SILENCE - 1 + LIMIT - 1)
        stage.poisoned = False
        world.network.down = True
        assert world.run_register(stage=stage) == 1
        world.clock.advance(world.items.visibility * 2)
    world.network.down = False
    live(world, stage)

    assert world.storage_keys() == [POISON]
    assert not world.letters()


def test_a_crash_that_begins_after_an_outage_is_noticed_as_well() -> None:
    """However often the message came before: three deliveries without an end, and each further one counts."""
    world, stage = deadly_world(3)
    stage.poisoned = False
    world.network.down = True
    live(world, stage, steps=100)
    world.network.down = False
    stage.poisoned = True
    live(world, stage)

    assert keys(world.letters()) == [POISON]
    assert len(world.places()) == 3
    assert SILENCE - 1 + LIMIT >= len(stage.deaths) >= LIMIT


def test_killed_between_the_dead_letter_and_its_acknowledgement_nothing_is_worked_on_again() -> None:
    """The letter is written once more, under the same id; one replay takes both for one."""
    world, stage = deadly_world(0)
    live(world, stage, steps=SILENCE - 1 + LIMIT)
    deaths = len(stage.deaths)
    for _ in range(2):
        batch = world.items.receive(10)
        world.guard("register", stage).run(batch, Budget(world.clock, 60))
        assert len(batch) == 1
        world.clock.advance(world.items.visibility)
    live(world, stage)

    assert len(stage.deaths) == deaths
    assert [letter.code for letter in world.letters()] == ["crash_loop"] * 3
    assert len(plan_replay(world.letter_box.list_letters(), Choice())) == 1


def test_without_a_place_for_the_letter_the_message_stays() -> None:
    """It is not worked on either; the letter is written when the dead-letter queue is back."""
    world, stage = deadly_world(0)
    live(world, stage, steps=SILENCE - 1 + LIMIT)
    world.dead.down = True
    live(world, stage, steps=20)
    assert len(world.items) == 1
    world.dead.down = False
    live(world, stage)

    assert len(stage.deaths) == SILENCE - 1 + LIMIT
    assert keys(world.letters()) == [POISON]


def test_a_replayed_message_is_counted_anew() -> None:
    """Its cause is gone: it is registered. It is not: it has as many attempts as before."""
    world, stage = deadly_world(0)
    live(world, stage)
    for deaths in (SILENCE - 1 + LIMIT, 2 * (SILENCE - 1 + LIMIT)):
        assert len(stage.deaths) == deaths
        [step] = plan_replay(world.letter_box.list_letters(), Choice(codes=frozenset({"crash_loop"})))
        assert [done.error for done in run_replay([step], world.uploads, world.letter_box)] == [None]
        world.run_prepare()
        stage.poisoned = deaths == SILENCE - 1 + LIMIT
        live(world, stage)

    assert world.storage_keys() == [POISON]
    assert not world.letters()


def test_while_the_state_bucket_is_away_work_goes_on_uncounted() -> None:
    """A person is told; no stage stands still for it, and nobody is accused for it."""
    world, stage = deadly_world(1)
    world.attempts["register"] = watched = Watched(world.attempts["register"])
    watched.away = True
    live(world, stage, steps=30)
    assert len(world.items) == 2
    assert {code for code, _ in world.journal.alarms} == {"ledger_unavailable"}
    watched.away = False
    live(world, stage)

    assert keys(world.letters()) == [POISON]
    assert len(world.places()) == 1


def test_a_bug_is_no_crash() -> None:
    """Whoever raises lives: the message waits for a better Beagle, and is never given up."""
    world, _ = deadly_world(0)

    class Broken:
        def run(self, batch: Sequence[Received], deadline: Deadline) -> Report:
            raise ConservationError(f"{len(batch)} lost, {deadline.remaining()} seconds before the end")

    for _ in range(30):
        with pytest.raises(ConservationError):
            world.run_register(stage=Broken())
        world.clock.advance(world.items.visibility)
    world.settle()

    assert world.storage_keys() == [POISON]
    assert not world.letters()


def test_a_suspect_that_finds_too_little_time_is_given_back_and_not_counted() -> None:
    """What would be stopped in time anyway would look harmless; it waits for an invocation of its own."""
    world, stage = deadly_world(1)
    live(world, stage, steps=SILENCE - 1 + SUSPECT)
    deaths = len(stage.deaths)
    for _ in range(20):
        world.run_register(seconds=20, stage=stage)
        world.clock.advance(2 * world.items.visibility)
    assert len(stage.deaths) == deaths
    assert len(world.items) == 2
    live(world, stage)

    assert keys(world.letters()) == [POISON]
    assert len(world.places()) == 1


def given_up(body: str, stage: str = "register", parse: Parse | None = None) -> list[DeadLetter]:
    """Return the letters of a message whose attempts have all been used up; nothing may work on it."""
    world = World()
    world.attempts[stage].write([("m", Trace(LIMIT, 7))])
    batch = [Received(id="0", body=body, attempts=8, name="m")]

    report = world.guard(stage, Deadly(world.register, ""), parse).run(batch, Budget(world.clock, 60))

    assert not report.again
    assert {outcome.ending for outcome in report.outcomes} == {Ending.DEAD_LETTERED}
    assert {letter.code for letter in world.letters()} == {"crash_loop"}
    assert {letter.stage for letter in world.letters()} == {stage}
    return world.letters()


def test_the_letter_says_what_the_message_was_about() -> None:
    """An item, one part of a video, or the claim of what was too large: the letter names the object."""
    world, _ = deadly_world(0)
    [body] = world.items.bodies()
    ready = replace(messages.load_item(body), replayed=2)
    event = ready.event
    part = ReadyPart(ready=ready, slot=0, part={"number": 1, "parts": 3})

    [item] = given_up(messages.dump_item(ready))
    [of_part] = given_up(messages.dump_part(part), "extract")
    [of_claim] = given_up(messages.dump_claim(event, "parcels/1.json"), "extract")

    assert (item.event, item.item, item.route, item.replayed) == (event, ready.item, ready.route, 2)
    assert (of_part.event, of_part.item, of_part.replayed) == (event, ready.item, 2)
    assert (of_claim.event, of_claim.item) == (event, None)
    assert "began 5 times" in item.reason


def test_of_a_notification_every_object_is_a_letter_and_what_nobody_can_read_is_one_too() -> None:
    """Each is replayed by itself; of what cannot be read, the message itself is."""
    world = World()
    names = ("a/1.jpg", "a/2.jpg")
    events = tuple(world.event(name) for name in names)

    def two(body: str) -> Notification:
        assert body == "two"
        return Notification(announced=(*events, NotAnObject(code="not_a_creation")))

    def nothing(body: str) -> Notification:
        raise UnparsableMessageError(body)

    assert keys(given_up("two", "prepare", two)) == list(names)
    [replayed] = given_up(messages.dump_event(events[0], 3), "prepare", nothing)
    assert (replayed.event, replayed.replayed) == (events[0], 3)
    [letter] = given_up("garbage", "prepare", nothing)
    assert (letter.event, letter.raw) == (None, "garbage")
    assert keys(given_up("garbage")) == [""]


def test_prepare_gives_up_on_a_notification_that_kills_it() -> None:
    """Every stage does: what the notification announced is a letter, and what came with it is passed on."""
    world = World()
    for key in ("a/1.jpg", POISON, "a/2.jpg"):
        world.upload(key)
    deadly = Deadly(world.prepare)
    stage = world.guard("prepare", deadly, world.prepare.parse)
    for _ in range(SILENCE - 1 + LIMIT + 1):
        batch = world.uploads.receive(10)
        with suppress(Killed):
            world.uploads.answer(batch, stage.run(batch, Budget(world.clock, 60)))
        world.clock.advance(world.uploads.visibility)
    world.settle()

    assert not world.uploads
    assert keys(world.letters()) == [POISON]
    assert world.storage_keys() == ["a/1.jpg", "a/2.jpg"]
