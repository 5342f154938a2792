"""What register promises, one fault at a time: the real stage, client and server rules, a fake clock."""

from __future__ import annotations

from typing import Never

import pytest

from beagle import messages
from beagle.domain.errors import LedgerUnavailableError, SecretUnavailableError
from beagle.domain.outcomes import Ending
from beagle.emulator import ADD_DATA, Fault
from beagle.pipeline.replay import Choice, plan_replay, run_replay
from beagle.registration.registrar import DarwinRegistrar
from support.world import ROUTES, Killed, World


def routed(**changes: object) -> dict[str, object]:
    [route] = ROUTES["routes"]
    return {"team": "acme", "routes": [{**route, **changes}]}


FLAT = {"path": "/"}


def test_every_uploaded_object_becomes_one_item_under_its_own_storage_key() -> None:
    world = World()
    keys = ["a/1.jpg", "a/b c+d.png", "a//e.jpg", "ü/é.jpg", "100%/%2B.mp4", "x.nii.gz", "deep/er/y.PDF"]

    for key in keys:
        world.upload(key)
    world.settle()

    assert world.storage_keys() == sorted(keys)
    assert not world.letters()


def test_a_notification_delivered_twice_registers_once() -> None:
    """Twice in one batch and twice in two: one item, and the copies count as already registered."""
    world = World()
    for _ in range(2):
        world.upload("a/1.jpg")
        world.upload("a/1.jpg")
        world.settle()

    assert world.places() == [("incoming", "/a", "1.jpg")]
    assert world.endings() == {Ending.REGISTERED: 1, Ending.ALREADY_REGISTERED: 3}


def test_500_objects_take_five_requests_by_default() -> None:
    world = World()
    for number in range(500):
        world.upload(f"a/{number}.jpg")
    while world.run_prepare(most=100):
        pass
    world.run_register(most=500)

    assert len(world.darwin.items()) == 500
    assert world.registrations() == 5


@pytest.mark.parametrize("kind", ["hang", "reset", "html", "truncated_json", "empty", "reset_mid_body"])
def test_an_answer_that_was_lost_after_the_commit_is_no_dead_letter(kind) -> None:
    """The server had committed, the answer never came: the ledger knows that the taken name is ours."""
    world = World()
    world.darwin.inject(Fault(kind=kind, when="after"))
    world.upload("a/1.jpg")
    world.settle()

    assert world.places() == [("incoming", "/a", "1.jpg")]
    assert world.endings()[Ending.REGISTERED] == 1
    assert not world.letters()


@pytest.mark.parametrize(
    ("status", "when"),
    [(status, when) for status in (500, 502, 503, 504, 408) for when in ("before", "after")]
    + [(429, "before")],
)
def test_a_server_error_before_or_after_the_commit_ends_in_one_registered_item(status, when) -> None:
    world = World()
    world.darwin.inject(Fault(kind="status", status=status, when=when, count=3))
    world.upload("a/1.jpg")
    world.settle()

    assert world.places() == [("incoming", "/a", "1.jpg")]
    assert world.endings()[Ending.REGISTERED] == 1
    assert not world.letters()


def test_a_worker_killed_after_the_commit_leaves_an_intent_that_its_redelivery_resolves() -> None:
    """`kill -9` between Darwin's commit and our reading of the answer: registered, once, no dead letter."""
    world = World()
    world.upload("a/1.jpg")
    world.run_prepare()
    send = world.network.send

    def send_and_die(request, **options) -> Never:
        send(request, **options)
        raise Killed

    world.network.send = send_and_die
    with pytest.raises(Killed):
        world.run_register()
    world.network.send = send
    world.register = world.instance()
    world.settle()

    assert world.places() == [("incoming", "/a", "1.jpg")]
    assert world.endings() == {Ending.REGISTERED: 1}
    assert not world.letters()


def test_two_objects_of_one_name_are_never_confused() -> None:
    """The second is a dead letter that names both keys, whether they come together or one after the other."""
    for together in (True, False):
        world = World(routes=routed(**FLAT))
        world.upload("a/1.jpg")
        if not together:
            world.settle()
        world.upload("b/1.jpg")
        world.settle()

        [letter] = world.letters()
        assert letter.code == "name_collision"
        assert "a/1.jpg" in letter.reason
        assert "b/1.jpg" in letter.reason
        assert world.storage_keys() == ["a/1.jpg"]


def test_two_objects_of_one_name_both_stand_where_the_route_asks_for_new_names() -> None:
    world = World(routes=routed(**FLAT, on_name_collision="new_name"))
    for _ in range(2):
        world.upload("a/1.jpg")
        world.upload("b/1.jpg")
        world.settle()

    assert world.storage_keys() == ["a/1.jpg", "b/1.jpg"]
    assert not world.letters()


def test_a_collision_whose_rival_was_removed_in_darwin_is_registered_by_replay() -> None:
    """The ledger still names the rival; Darwin is asked, and says that the name is free."""
    world = World(routes=routed(**FLAT))
    world.upload("a/1.jpg")
    world.upload("b/1.jpg")
    world.settle()
    [item] = world.darwin.items()
    world.darwin.remove_item(item.id)

    steps = plan_replay(world.letter_box.list_letters(), Choice())
    done = list(run_replay(steps, world.uploads, world.letter_box))
    world.settle()

    assert [step.error for step in done] == [None]
    assert world.storage_keys() == ["b/1.jpg"]
    assert not world.letters()


def test_an_item_that_somebody_else_registered_is_adopted_where_name_and_size_agree() -> None:
    world = World()
    world.darwin.seed_item("incoming", "/a", "1.jpg", "a/1.jpg", size_bytes=1000)
    world.upload("a/1.jpg")
    world.settle()

    assert world.endings() == {Ending.ALREADY_REGISTERED: 1}
    assert world.journal.notes[-1][1].code == "adopted"


@pytest.mark.parametrize("size", [0, 999])
def test_an_item_that_nothing_proves_to_be_ours_is_a_dead_letter(size) -> None:
    world = World()
    world.darwin.seed_item("incoming", "/a", "1.jpg", "other/1.jpg", size_bytes=size)
    world.upload("a/1.jpg")
    world.settle()

    [letter] = world.letters()
    assert letter.code == "already_exists_unverified"
    assert letter.advice


def test_a_key_that_may_not_list_items_still_gets_a_verdict() -> None:
    """*Add data to datasets* is enough to register: looking things up is a help, never a need."""
    world = World()
    world.key = world.darwin.add_key([ADD_DATA])
    world.darwin.seed_item("incoming", "/a", "1.jpg", "a/1.jpg", size_bytes=1000)
    world.upload("a/1.jpg")
    world.upload("a/2.jpg")
    world.settle()

    assert [letter.code for letter in world.letters()] == ["already_exists_unverified"]
    assert "a/2.jpg" in world.storage_keys()


def test_an_older_notification_that_comes_late_is_superseded() -> None:
    world = World(routes=routed(on_overwrite="dead_letter"))
    world.upload("a/1.jpg", "v2", "00B")
    world.settle()
    world.upload("a/1.jpg", "v1", "00A1")
    world.settle()

    assert world.endings() == {Ending.REGISTERED: 1, Ending.SUPERSEDED: 1}
    assert not world.letters()


def test_the_newest_of_several_contents_in_one_batch_wins() -> None:
    world = World(routes=routed(on_overwrite="dead_letter"))
    for content, sequencer in (("v1", "01"), ("v3", "03"), ("v2", "02")):
        world.upload("a/1.jpg", content, sequencer)
    world.settle()

    assert world.endings() == {Ending.REGISTERED: 1, Ending.SUPERSEDED: 2}


@pytest.mark.parametrize(
    ("policy", "codes", "items"),
    [("ignore", [], 1), ("dead_letter", ["object_overwritten"], 1), ("new_name", [], 2)],
)
def test_an_overwritten_object_is_treated_as_its_route_asks(policy, codes, items) -> None:
    world = World(routes=routed(on_overwrite=policy))
    world.upload("a/1.jpg", "v1", "01")
    world.settle()
    for _ in range(2):
        world.upload("a/1.jpg", "v2", "02")
        world.settle()

    assert sorted({letter.code for letter in world.letters()}) == codes
    assert len({letter.id for letter in world.letters()}) == len(codes)
    assert len(world.darwin.items()) == items


def test_some_blocked_items_of_a_batch_are_dead_letters_and_the_others_stand() -> None:
    world = World()
    world.darwin.inject(Fault(kind="block", match="bad", reason="UNSUPPORTED_COLOUR", count=None))
    for number in range(30):
        world.upload(f"a/{'bad' if number % 7 == 0 else 'good'}{number}.jpg")
    world.settle()

    letters = world.letters()
    assert len(letters) == 5
    assert all("UNSUPPORTED_COLOUR" in letter.reason for letter in letters)
    assert len(world.darwin.items()) == 25


def test_a_blocked_item_stands_after_its_cause_is_mended_and_it_is_replayed() -> None:
    world = World(routes=routed(tags=["night"]))
    world.upload("a/1.jpg")
    world.settle()
    [letter] = world.letters()
    world.darwin.add_tag("night")
    list(run_replay(plan_replay(world.letter_box.list_letters(), Choice()), world.uploads, world.letter_box))
    world.settle()

    assert letter.code == "unknown_tags"
    assert world.storage_keys() == ["a/1.jpg"]
    assert not world.letters()


def test_a_replay_that_was_interrupted_and_run_again_registers_once() -> None:
    world = World(routes=routed(tags=["night"]))
    for number in range(4):
        world.upload(f"a/{number}.jpg")
    world.settle()
    world.darwin.add_tag("night")

    steps = plan_replay(world.letter_box.list_letters(), Choice())
    world.uploads.send([str(steps[0].body)])  # sent, then killed before its letter was removed
    list(run_replay(plan_replay(world.letter_box.list_letters(), Choice()), world.uploads, world.letter_box))
    world.settle()

    assert len(world.darwin.items()) == 4
    assert not world.letters()


def test_one_item_that_darwin_refuses_to_read_does_not_hold_up_the_others() -> None:
    """422 refuses a whole request: the one at fault is found by halving, and alone becomes a dead letter."""
    world = World()
    world.darwin.inject(Fault(kind="status", status=422, match="bad", count=None))
    for number in range(100):
        world.upload(f"a/{'bad' if number == 61 else 'good'}{number}.jpg")
    while world.run_prepare(most=100):
        pass
    world.run_register(most=100)
    requests = world.registrations()
    world.settle()

    assert [letter.code for letter in world.letters()] == ["invalid_request"]
    assert len(world.darwin.items()) == 99
    assert requests <= 15


@pytest.mark.parametrize(
    ("status", "code"), [(401, "darwin_unauthorized"), (404, "darwin_not_found"), (302, "darwin_error")]
)
def test_a_wrong_key_or_dataset_stops_quickly_and_keeps_every_message(status, code) -> None:
    """The configuration is wrong, not a thousand objects: few requests, one kind of alarm, no letter."""
    world = World()
    world.darwin.inject(Fault(kind="status", status=status, count=None))
    for number in range(1000):
        world.upload(f"a/{number}.jpg")
    while world.run_prepare(most=100):
        pass
    started = world.clock.monotonic()
    while world.clock.monotonic() < started + 3600:
        if not world.run_register(most=100):
            world.clock.advance(world.items.next_visible_in() or 1)
    requests = world.registrations()
    world.darwin.clear_faults()
    world.settle()

    assert requests <= 125
    assert {alarm[0] for alarm in world.journal.alarms} == {code}
    assert not world.letters()
    assert len(world.darwin.items()) == 1000


def test_a_rotated_key_is_fetched_once_and_used() -> None:
    world = World()
    world.upload("a/1.jpg")
    world.settle()
    old, world.key = world.key, world.darwin.add_key()
    world.darwin.revoke_key(old)
    world.upload("a/2.jpg")
    world.settle()

    assert len(world.darwin.items()) == 2
    assert world.key_fetches == 2
    assert not world.journal.alarms


@pytest.mark.parametrize("trouble", ["down", "429", "429 without Retry-After", "503", "504"])
def test_an_hours_outage_dead_letters_nothing_and_costs_few_requests(trouble) -> None:
    """For an hour Darwin is away or says 429: less than a request a second, then all is registered."""
    world = World()
    for number in range(300):
        world.upload(f"a/{number}.jpg")
    if trouble == "down":
        world.network.down = True
    else:
        status, _, silent = trouble.partition(" ")
        world.darwin.inject(
            Fault(
                kind="status",
                status=int(status),
                retry_after="20" if status == "429" and not silent else None,
                count=None,
            )
        )
    instances = [world.instance(), world.instance()]
    while world.clock.monotonic() < 3600:
        worked = world.run_prepare()
        for stage in instances:
            worked += world.run_register(most=100, stage=stage)
        if not worked:
            waits = [queue.next_visible_in() for queue in (world.uploads, world.items)]
            world.clock.advance(min(wait for wait in waits if wait is not None) + 0.001)
    requests = world.network.sent
    world.network.down = False
    world.darwin.clear_faults()
    world.settle()

    assert requests < 3600
    assert len(world.darwin.items()) == 300
    assert not world.letters()


def test_nothing_is_posted_while_the_ledger_is_away() -> None:
    world = World()
    world.upload("a/1.jpg")
    world.run_prepare()
    ledger = world.ledger
    world.ledger = AwayLedger()
    world.run_register(stage=world.instance())
    posted = world.registrations()
    world.ledger = ledger
    world.register = world.instance()
    world.settle()

    assert posted == 0
    assert world.storage_keys() == ["a/1.jpg"]


class AwayLedger:
    """A ledger whose bucket does not answer."""

    def create(self, entries):
        return [LedgerUnavailableError("away") for _ in entries]

    def replace(self, changes):
        return self.create(changes)

    def read(self, items):
        return self.create(items)


def test_a_message_is_not_acknowledged_while_its_dead_letter_cannot_be_kept() -> None:
    world = World()
    world.darwin.inject(Fault(kind="block", reason="NO", count=None))
    world.upload("a/1.jpg")
    world.run_prepare()
    world.dead.down = True
    world.run_register()
    kept = len(world.items)
    world.dead.down = False
    world.settle()

    assert kept == 1
    assert [letter.code for letter in world.letters()] == ["item_blocked"]


def test_a_message_that_is_no_item_is_a_dead_letter_and_the_others_of_its_batch_go_on() -> None:
    world = World()
    world.upload("a/1.jpg")
    world.run_prepare()
    world.items.send(["garbage", '{"beagle": "item/1"}'])
    world.settle()

    assert [letter.code for letter in world.letters()] == ["unparsable_message"] * 2
    assert world.storage_keys() == ["a/1.jpg"]


def test_an_invocation_without_time_gives_its_messages_back_unharmed() -> None:
    world = World()
    world.upload("a/1.jpg")
    world.run_prepare()
    world.run_register(seconds=3)
    before = len(world.darwin.items())
    world.settle()

    assert before == 0
    assert world.storage_keys() == ["a/1.jpg"]
    assert not world.letters()


def test_a_bug_in_a_round_is_told_and_its_messages_come_again(monkeypatch) -> None:
    """A person is called; once it is mended, all of them are registered."""
    world = World()
    for number in range(3):
        world.upload(f"a/{number}.jpg")
    with monkeypatch.context() as broken:
        broken.setattr(DarwinRegistrar, "register", lambda *_: {}["nothing"])
        while world.run_prepare():
            pass
        world.run_register()
    told = [type(error) for _, error in world.journal.bugs]
    world.settle()

    assert told == [KeyError]
    assert len(world.darwin.items()) == 3
    assert not world.letters()


def test_a_letter_keeps_all_that_a_person_needs() -> None:
    world = World()
    world.darwin.inject(Fault(kind="block", reason="NO", count=None))
    world.upload("a/1.jpg")
    world.settle()

    [letter] = world.letters()
    assert letter.event == world.event("a/1.jpg")
    assert letter.item is not None
    assert letter.item.id.name == "1.jpg"
    assert (letter.stage, letter.route, letter.attempts) == ("register", "incoming", 1)
    assert messages.load_item(letter.raw).item == letter.item


def test_a_secret_store_that_does_not_answer_keeps_the_messages():
    world = World()
    world.upload("a/1.jpg")
    world.run_prepare()
    key, world.key_error = world.key, SecretUnavailableError("away")
    world.run_register()
    kept, posted = len(world.items), world.registrations()
    world.key, world.key_error = key, None
    world.settle()

    assert (kept, posted) == (1, 0)
    assert world.storage_keys() == ["a/1.jpg"]
    assert [alarm[0] for alarm in world.journal.alarms] == ["secret_unavailable"]


def test_a_name_that_a_refused_object_may_hold_is_never_taken_for_anothers():
    """The item that stands is not `b`'s.

    `a` was registered and its answer lost; its repetition was refused. `b` wants the same name, and its
    answer is lost as well.
    """
    world = World(routes=routed(**FLAT))
    world.darwin.inject(
        Fault(kind="status", status=500, when="after", match="a/1.jpg"),
        Fault(kind="status", status=422, match="a/1.jpg"),
        Fault(kind="status", status=500, match="b/1.jpg"),
    )
    world.upload("a/1.jpg")
    world.settle()
    world.upload("b/1.jpg")
    world.settle()

    assert world.storage_keys() == ["a/1.jpg"]
    assert "b/1.jpg" in {letter.event.ref.key for letter in world.letters()}


@pytest.mark.parametrize(
    ("stands", "rival"), [(True, ["name_collision"]), (False, [])], ids=["it stands", "it never stood"]
)
def test_a_name_that_a_lost_answer_may_have_taken_is_not_given_to_another_object(stands, rival):
    """An object's POST was lost, and a later one refused: before another object takes its name, we look.

    Otherwise the other's own lost answer would make the first one's item its own, and the other would count
    as registered without ever standing anywhere.
    """
    world = World(routes=routed(**FLAT))
    world.darwin.inject(Fault(kind="hang", when="after" if stands else "before", count=1))
    world.upload("a/1.jpg")
    world.run_prepare()
    world.run_register(seconds=12)
    world.clock.advance(1000)
    world.darwin.inject(Fault(kind="status", status=400, when="before", count=1))
    world.run_register()
    world.darwin.inject(Fault(kind="hang", when="before", count=1))
    world.upload("b/1.jpg")
    world.settle()

    assert world.storage_keys() == (["a/1.jpg"] if stands else ["b/1.jpg"])
    assert [letter.code for letter in world.letters() if letter.event.ref.key == "b/1.jpg"] == rival
    [letter] = [letter for letter in world.letters() if letter.event.ref.key == "a/1.jpg"]
    assert letter.code == "invalid_request"


def test_the_end_of_an_invocation_is_called_so():
    """No time left is no word of Darwin's."""
    world = World()
    world.upload("a/1.jpg")
    world.run_prepare()
    world.run_register(seconds=3)

    assert [outcome.code for _, outcome in world.journal.notes][-1] == "out_of_time"


def test_looking_at_collisions_ends_with_the_invocations_time():
    """Each look takes a turn: a batch of nothing but collisions must not outlive its invocation.

    What cannot be looked at any more comes again, and in the end each has its verdict.
    """
    world = World(routes=routed(**FLAT), requests_per_minute=6)
    for number in range(20):
        world.upload(f"a/{number}.jpg")
    world.settle()
    for number in range(20):
        world.upload(f"b/{number}.jpg")
    world.run_prepare(most=100)
    started = world.clock.monotonic()
    world.run_register(seconds=60)
    took = world.clock.monotonic() - started
    world.settle(hours=2)

    assert took <= 60
    assert [letter.code for letter in world.letters()] == ["name_collision"] * 20


def test_darwin_is_not_asked_again_before_it_said():
    """Chance only lengthens the wait that Darwin asked for."""
    world = World()
    world.darwin.inject(Fault(kind="status", status=429, retry_after="300", count=1))
    world.upload("a/1.jpg")
    world.run_prepare()
    world.run_register()

    [waits] = [o.retry_in for _, o in world.journal.notes if o.ending is Ending.AGAIN]
    assert 300 <= waits <= 450


@pytest.mark.parametrize("status", [401, 404])
def test_what_a_person_must_mend_is_not_waited_for_inside_an_invocation(status):
    """
    A minute's pause follows; messages, duplicates too, go back to the queue at once: nobody pays for sleep.
    """
    world = World()
    world.darwin.inject(Fault(kind="status", status=status, count=None))
    for _ in range(2):
        world.upload("a/1.jpg")
    while world.run_prepare():
        pass
    started = world.clock.monotonic()
    world.run_register(seconds=120)

    assert world.clock.monotonic() - started < 10
    assert world.registrations() == 1
    assert len(world.items) == 2
