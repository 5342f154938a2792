"""Whose a taken name is: nobody else's item is ever counted as ours, and what was deleted comes back."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import partial
from io import BytesIO
from unicodedata import normalize

import pytest
import requests
from urllib3 import HTTPResponse

from beagle.domain.errors import LedgerUnavailableError
from beagle.domain.outcomes import Ending
from beagle.emulator import ADD_DATA, Fault
from beagle.pipeline.replay import Choice, plan_replay, run_replay
from beagle.ports import Ledger, Registrar
from support.world import ROUTES, Budget, Killed, World

[ROUTE] = ROUTES["routes"]


def routed(**changes: object) -> World:
    return World(routes={"team": "acme", "routes": [{**ROUTE, **changes}]})


def occupied(**changes: object) -> World:
    """Return a world in which somebody else registered `/a/1.jpg`, a minute ago."""
    world = routed(**changes)
    world.darwin.seed_item("incoming", "/a", "1.jpg", "elsewhere.jpg", size_bytes=7)
    world.clock.advance(60)
    return world


def codes(world: World) -> dict[str, str]:
    return {letter.event.ref.key: letter.code for letter in world.letters() if letter.event}


def replay(world: World) -> None:
    list(run_replay(plan_replay(world.letter_box.list_letters(), Choice()), world.uploads, world.letter_box))
    world.settle()


def remove(world: World, storage_key: str) -> None:
    """Delete an item as a person does, in Darwin."""
    [item] = [i for i in world.darwin.items() if i.slots[0].storage_key == storage_key]
    world.darwin.remove_item(item.id)


def looks(world: World) -> int:
    return sum(
        "/items?" in served.path or served.path.endswith("/items") for served in world.darwin.requests()
    )


@dataclass
class Between:
    """A registrar before whose requests something happens once."""

    real: Registrar
    happens: object = None

    def register(self, *args):
        happens, self.happens = self.happens, None
        if happens:
            happens()
        return self.real.register(*args)

    def __getattr__(self, name):
        return getattr(self.real, name)


@dataclass
class Failing:
    """A ledger one of whose calls fails, once."""

    real: Ledger
    call: str = ""

    def _do(self, name, arguments):
        if self.call == name and arguments:
            self.call = ""
            return [LedgerUnavailableError("away") for _ in arguments]
        return getattr(self.real, name)(arguments)

    def create(self, entries):
        return self._do("create", entries)

    def replace(self, changes):
        return self._do("replace", changes)

    def read(self, items):
        return self._do("read", items)


# --- what stands there is somebody else's ----------------------------------------------------------------


@pytest.mark.parametrize("stands", [True, False], ids=["somebody else's item", "nothing"])
def test_a_duplicate_that_overtakes_its_twin_posts_nothing_and_proves_nothing(stands):
    """
    While one worker's POST is under way, another with the same event waits: two intents prove no item ours.
    """
    world = occupied() if stands else World()
    world.upload("a/1.jpg")
    world.upload("a/1.jpg")
    while world.run_prepare():
        pass
    [first], [second] = world.items.receive(1), world.items.receive(1)
    other = world.instance()

    def overtake():
        report = other.run([second], Budget(world.clock, 60))
        world.items.answer([second], report)

    stage = world.instance(Between(world.registrar(), overtake))
    report = stage.run([first], Budget(world.clock, 60))
    posted = world.registrations()
    world.items.answer([first], report)
    world.settle()

    assert posted == 1
    assert codes(world) == ({"a/1.jpg": "already_exists_unverified"} if stands else {})
    assert world.endings()[Ending.REGISTERED] == (not stands)
    assert world.storage_keys() == (["elsewhere.jpg"] if stands else ["a/1.jpg"])


def test_a_message_whose_delivery_died_need_not_wait_for_the_end_of_its_time():
    """It comes again because that delivery is over; who has another message for the object waits."""
    world = World()
    world.upload("a/1.jpg")
    world.run_prepare()
    [mine] = world.items.receive(1)
    world.network.down = True
    world.ledger = Failing(world.ledger, "replace")
    world.instance().run([mine], Budget(world.clock, 600))
    world.network.down = False
    outcomes = []
    for message in (replace(mine, name="another"), mine):
        world.clock.advance(60)
        outcomes += world.instance().run([message], Budget(world.clock, 600)).outcomes

    assert [outcome.ending for outcome in outcomes] == [Ending.AGAIN, Ending.REGISTERED]


@pytest.mark.parametrize("may_look", [True, False], ids=["may look", "may not look"])
def test_a_ledger_that_cannot_be_read_after_the_answer_makes_nothing_ours(may_look):
    world = occupied()
    if not may_look:
        world.key = world.darwin.add_key([ADD_DATA])
    world.ledger = Failing(world.ledger, "read")
    world.register = world.instance()
    world.upload("a/1.jpg")
    world.settle()

    assert codes(world) == {"a/1.jpg": "already_exists_unverified"}


def test_an_intent_that_could_not_be_taken_back_makes_nothing_ours():
    """Darwin said 429, and the ledger did not take the release: Darwin tells that the item is older."""
    world = occupied()
    world.ledger = Failing(world.ledger, "replace")
    world.register = world.instance()
    world.darwin.inject(Fault(kind="status", status=429))
    world.upload("a/1.jpg")
    world.settle()

    assert codes(world) == {"a/1.jpg": "already_exists_unverified"}


@pytest.mark.parametrize("fault", ["502", "hang", "killed"])
def test_an_item_that_stood_before_a_lost_answer_is_not_ours(fault):
    world = occupied()
    world.upload("a/1.jpg")
    world.run_prepare()
    if fault == "killed":
        send = world.network.send

        def die(*_args, **_options):
            raise Killed

        world.network.send = die
        with pytest.raises(Killed):
            world.run_register()
        world.network.send = send
        world.register = world.instance()
    elif fault == "hang":
        world.darwin.inject(Fault(kind="hang", count=2))
    else:
        world.darwin.inject(Fault(kind="status", status=502, count=3))
    world.settle()

    assert codes(world) == {"a/1.jpg": "already_exists_unverified"}
    assert Ending.REGISTERED not in world.endings()


def test_a_lost_answer_of_ours_is_confirmed_with_the_items_id_also_by_a_key_that_may_not_look():
    for may_look in (True, False):
        world = World()
        if not may_look:
            world.key = world.darwin.add_key([ADD_DATA])
        world.darwin.inject(Fault(kind="hang", when="after"))
        world.upload("a/1.jpg")
        world.settle()
        [kept] = world.ledger.read([world.journal.notes[-1][1].item])

        assert world.endings()[Ending.REGISTERED] == 1
        assert kept.entry.item_id == (world.darwin.items()[0].id if may_look else "")
        assert not world.letters()


def test_an_intent_that_an_older_beagle_wrote_is_confirmed_as_it_was():
    """It tells neither when it was written nor by whom: then the ledger's word must do."""
    world = World()
    world.darwin.inject(Fault(kind="hang", when="after", count=3))
    world.upload("a/1.jpg")
    world.run_prepare()
    world.run_register()
    [kept] = world.ledger.read([world.journal.notes[-1][1].item])
    world.ledger.replace([(kept, replace(kept.entry, since=None, in_flight_until=None))])
    world.darwin.clear_faults()
    world.settle()

    assert world.endings()[Ending.REGISTERED] == 1
    assert not world.letters()


# --- what was deleted in Darwin --------------------------------------------------------------------------


@pytest.mark.parametrize("policy", ["ignore", "dead_letter", "new_name"])
@pytest.mark.parametrize("content", ["v1", "v2"], ids=["the same bytes", "corrected bytes"])
def test_an_object_whose_item_was_deleted_is_registered_when_it_is_uploaded_again(policy, content):
    """Under any policy for overwritten objects: nothing is left to overwrite."""
    world = routed(on_overwrite=policy)
    world.upload("a/1.jpg", "v1", "01")
    world.settle()
    remove(world, "a/1.jpg")
    for _ in range(2):
        world.upload("a/1.jpg", content, "05")
        world.settle()

    assert world.places() == [("incoming", "/a", "1.jpg")]
    assert world.endings() == {Ending.REGISTERED: 2, Ending.ALREADY_REGISTERED: 1}
    assert not world.letters()


def test_a_dead_letter_for_an_overwritten_object_is_registered_by_replay_once_its_item_is_deleted():
    world = routed(on_overwrite="dead_letter")
    world.upload("a/1.jpg", "v1", "01")
    world.settle()
    world.upload("a/1.jpg", "v2", "02")
    world.settle()
    told = codes(world)
    replay(world)
    still = codes(world)
    remove(world, "a/1.jpg")
    replay(world)

    assert told == still == {"a/1.jpg": "object_overwritten"}
    assert world.storage_keys() == ["a/1.jpg"]
    assert not world.letters()


def test_a_replayed_event_brings_back_the_item_that_it_had():
    """Its sequencer is the entry's own: that it was replayed tells that somebody wants it looked at."""
    world = World()
    world.darwin.inject(Fault(kind="block", reason="NO"))
    world.upload("a/1.jpg", "v1", "01")
    world.settle()
    steps = plan_replay(world.letter_box.list_letters(), Choice())
    for _ in range(2):
        world.uploads.send([str(steps[0].body)])
        world.settle()
        remove(world, "a/1.jpg")
    world.uploads.send([str(steps[0].body)])
    world.settle()

    assert world.storage_keys() == ["a/1.jpg"]


def test_a_duplicate_costs_no_look_whatever_came_before_it():
    """Only an event that is newer than the ledger's costs one, and once."""
    world = World()
    counts = []
    for content, sequencer in [("v1", "01"), ("v1", "01"), ("v1", "02"), ("v1", "02"), ("v1", "01"),
                               ("v2", "03"), ("v2", "03"), ("v1", "02")]:  # fmt: skip
        world.upload("a/1.jpg", content, sequencer)
        world.settle()
        counts.append(looks(world))

    assert counts == [0, 0, 1, 1, 1, 2, 2, 2]
    assert world.endings() == {Ending.REGISTERED: 1, Ending.ALREADY_REGISTERED: 5, Ending.SUPERSEDED: 2}


@pytest.mark.parametrize("may_look", [True, False], ids=["may look", "may not look"])
def test_a_hundred_overwritten_objects_cost_few_looks_and_those_that_are_gone_come_back(may_look):
    """A bucket that is written anew every night must not cost a request an object."""
    world = World()
    if not may_look:
        world.key = world.darwin.add_key([ADD_DATA])
    for content in ("v1", "v2"):
        for number in range(100):
            world.upload(f"a/{number}.jpg", content, content)
        while world.run_prepare(most=100):
            pass
        world.settle()
        if content == "v1":
            remove(world, "a/7.jpg")
            before = len(world.darwin.requests())

    asked = len(world.darwin.requests()) - before
    assert asked == (1 + 2 + 1 + 1 if may_look else 1)  # the dataset, the many, the one, its request
    assert ("a/7.jpg" in world.storage_keys()) == may_look
    assert world.endings()[Ending.SUPERSEDED] == (99 if may_look else 100)


def test_many_overwritten_objects_in_a_long_folder_cost_as_few_looks():
    """A list may not be as long as it likes; what does not fit into it any more goes into the next."""
    world, folder = World(), "снимки/" * 8
    for content in ("v1", "v2"):
        for number in range(100):
            world.upload(f"{folder}{number}.jpg", content, content)
        while world.run_prepare(most=100):
            pass
        before = looks(world)
        world.settle()

    assert looks(world) - before <= 4
    assert world.endings()[Ending.SUPERSEDED] == 100


def test_a_list_of_many_that_darwin_refuses_says_nothing_of_one():
    """
    Two names are somebody else's, and a POST's answer was lost: each is looked at by itself, and told.
    """
    world = World()
    for name in ("1.jpg", "2.jpg"):
        world.darwin.seed_item("incoming", "/a", name, "elsewhere.jpg", size_bytes=7)
    world.clock.advance(60)
    refuse_long_lists(world)
    world.darwin.inject(Fault(kind="status", status=502, when="before", count=1))
    for name in ("1.jpg", "2.jpg"):
        world.upload(f"a/{name}")
    world.run_prepare()
    world.settle()

    assert codes(world) == dict.fromkeys(("a/1.jpg", "a/2.jpg"), "already_exists_unverified")


@pytest.mark.parametrize("pace", [3, 6, 10])
def test_a_slow_pace_lets_a_taken_name_be_looked_at(pace):
    """The turn that the look needs comes after the one that the request took: it is worth waiting for."""
    world = occupied()
    world.requests_per_minute = pace
    world.register = world.instance()
    world.upload("a/1.jpg")
    world.settle(hours=2)

    assert codes(world) == {"a/1.jpg": "already_exists_unverified"}
    assert world.registrations() <= 2


def test_a_key_that_may_not_look_leaves_the_ledger_its_word():
    world = World()
    world.key = world.darwin.add_key([ADD_DATA])
    world.upload("a/1.jpg", "v1", "01")
    world.settle()
    world.upload("a/1.jpg", "v1", "02")
    world.settle()
    world.upload("a/1.jpg", "v2", "03")
    world.settle()

    assert world.registrations() == 1
    assert world.endings() == {
        Ending.REGISTERED: 1, Ending.ALREADY_REGISTERED: 1, Ending.SUPERSEDED: 1,
    }  # fmt: skip


def test_a_deleted_item_of_which_darwin_cannot_tell_now_waits():
    world = World()
    world.upload("a/1.jpg", "v1", "01")
    world.settle()
    remove(world, "a/1.jpg")
    world.darwin.inject(Fault(kind="status", status=500, endpoint="any", count=12))
    world.upload("a/1.jpg", "v2", "02")
    world.settle()

    assert world.storage_keys() == ["a/1.jpg"]
    assert world.endings()[Ending.AGAIN]


# --- what Darwin's list does not show --------------------------------------------------------------------


def empty_lists(world: World, status=200, body=b'{"items": [], "page": {"count": 0, "next": null}}'):
    """Make Darwin's list of items show nothing, as it may shortly after a registration, or as is given."""
    send = world.network.send

    def send_or_lie(request, **options):
        if request.method != "GET" or "/items" not in request.url:
            return send(request, **options)
        answer = requests.Response()
        answer.status_code = status
        answer.raw = HTTPResponse(body=BytesIO(body), preload_content=False, status=status)
        answer.request = request
        return answer

    world.network.send = send_or_lie
    return send


def refuse_long_lists(world: World) -> None:
    """Let Darwin, or what stands before it, answer lists of one item alone."""
    send = world.network.send

    def send_or_refuse(request, **options):
        if request.method != "GET" or request.url.count("item_names") < 2:
            return send(request, **options)
        answer = requests.Response()
        answer.status_code = 414
        answer.raw = HTTPResponse(body=BytesIO(b"too long"), preload_content=False, status=414)
        answer.request = request
        return answer

    world.network.send = send_or_refuse


@pytest.mark.parametrize("lost", [False, True], ids=["answered", "an answer lost"])
def test_a_list_that_lags_takes_nobodys_name_and_nobodys_proof(lost):
    """The second object is a collision, and the first one's next delivery finds itself registered."""
    world = routed(path="/")
    world.upload("a/1.jpg", "v1", "01")
    world.settle()
    world.clock.advance(60)
    send = empty_lists(world)
    if lost:
        world.darwin.inject(Fault(kind="status", status=502, match="b/1.jpg", count=3))
        world.upload("b/1.jpg", size=2000)
        world.run_prepare()
        world.run_register()
        world.network.send = send
    else:
        world.upload("b/1.jpg", size=2000)
    world.settle()
    world.network.send = send
    world.upload("a/1.jpg", "v1", "01")
    world.settle()

    assert codes(world) == {"b/1.jpg": "name_collision"}
    assert world.storage_keys() == ["a/1.jpg"]
    assert world.endings()[Ending.ALREADY_REGISTERED] == 1


@pytest.mark.parametrize(
    ("policy", "ending"), [("ignore", Ending.SUPERSEDED), ("dead_letter", Ending.DEAD_LETTERED)]
)
def test_a_list_that_lags_registers_no_overwritten_object_and_ends_it_by_its_policy(policy, ending):
    world = routed(on_overwrite=policy)
    world.upload("a/1.jpg", "v1", "01")
    world.settle()
    empty_lists(world)
    world.upload("a/1.jpg", "v2", "02")
    world.settle()

    assert world.endings() == {Ending.REGISTERED: 1, ending: 1}
    assert set(codes(world).values()) <= {"object_overwritten"}


# --- who has another name keeps it -----------------------------------------------------------------------


def test_an_object_under_its_second_name_does_not_take_the_first_when_that_is_freed():
    """Otherwise one object stood in Darwin as two items."""
    world = routed(path="/", on_name_collision="new_name")
    world.upload("a/1.jpg")
    world.settle()
    world.upload("b/1.jpg")
    world.settle()
    remove(world, "a/1.jpg")
    world.upload("b/1.jpg")
    world.settle()

    assert world.storage_keys() == ["b/1.jpg"]
    assert world.endings() == {Ending.REGISTERED: 2, Ending.ALREADY_REGISTERED: 1}


def test_an_object_under_its_second_name_does_not_take_the_first_when_a_stranger_frees_it():
    world = occupied(on_name_collision="new_name")
    world.upload("a/1.jpg")
    world.settle()
    remove(world, "elsewhere.jpg")
    world.upload("a/1.jpg")
    world.settle()

    assert world.storage_keys() == ["a/1.jpg"]
    assert world.registrations() == 2


def test_a_new_content_under_its_second_name_does_not_take_the_first_when_that_is_freed():
    world = routed(on_overwrite="new_name")
    world.upload("a/1.jpg", "v1", "01")
    world.settle()
    world.upload("a/1.jpg", "v2", "02")
    world.settle()
    [first] = [item for item in world.darwin.items() if item.name == "1.jpg"]
    world.darwin.remove_item(first.id)
    world.upload("a/1.jpg", "v2", "02")
    world.settle()

    assert len(world.darwin.items()) == 1
    assert world.endings() == {Ending.REGISTERED: 2, Ending.ALREADY_REGISTERED: 1}


# --- who may not look, and names that Darwin keeps in another form ----------------------------------------


@pytest.mark.parametrize(
    "answer",
    [(status, b"{}") for status in (400, 401, 403, 404, 405, 410, 422, 302)]
    + [(200, b"<html>"), (200, b"[]"), (200, b'{"items": [{"name": "b"}], "page": {"next": "2"}}')],
    ids=lambda answer: f"{answer[0]} {answer[1][:8].decode()}",
)
def test_a_list_that_darwin_does_not_give_is_asked_for_once(answer):
    """Whatever the reason: a key that registers need not be able to look, and the object has its verdict."""
    world = occupied()
    empty_lists(world, *answer)
    world.upload("a/1.jpg")
    world.settle()

    assert codes(world) == {"a/1.jpg": "already_exists_unverified"}
    assert world.registrations() == 1


@pytest.mark.parametrize("answer", [(500, b""), (503, b""), (429, b"{}"), (408, b"")])
def test_a_list_that_darwin_does_not_give_now_is_waited_for(answer):
    world = occupied()
    send = empty_lists(world, *answer)
    world.upload("a/1.jpg")
    world.settle(hours=1)
    waiting = len(world.items)
    world.network.send = send
    world.settle()

    assert waiting == 1
    assert codes(world) == {"a/1.jpg": "already_exists_unverified"}


def keeping(world: World, form) -> World:
    """Make Darwin keep, and find, names in a form of its own."""
    send = world.network.send

    def send_in_form(request, **options):
        if request.method == "POST":
            body = json.loads(request.body.read())
            for item in body["items"]:
                item["name"] = form(item["name"])
            request.body = BytesIO(json.dumps(body).encode())
        return send(request, **options)

    world.network.send = send_in_form
    return world


FORMS = {
    "composed": (partial(normalize, "NFC"), "a/\u00e9.jpg", "a/e\u0301.jpg"),
    "without space": (str.strip, "a/x.jpg", "a/ x.jpg"),
    "in small letters": (str.lower, "a/x.jpg", "a/X.jpg"),
    "with single spaces": (lambda name: " ".join(name.split()), "a/x y.jpg", "a/x  y.jpg"),
    "without compatibility forms": (partial(normalize, "NFKC"), "a/x1.jpg", "a/x\uff11.jpg"),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("together", [True, False], ids=["together", "apart"])
def test_two_names_that_darwin_takes_for_one_are_one_item_and_one_letter(form, together):
    change, first, second = FORMS[form]
    world = keeping(World(), change)
    world.upload(first)
    if not together:
        world.settle()
        world.clock.advance(60)
    world.upload(second, size=2000)
    world.settle()

    assert world.storage_keys() == [first]
    assert codes(world) == {second: "already_exists_unverified"}


@pytest.mark.parametrize(
    ("form", "key"),
    [(form, key) for form, _, key in FORMS.values()] + [(lambda name: name.replace("x", "_"), "a/x.jpg")],
    ids=[*FORMS, "as nobody foresees"],
)
def test_a_name_that_darwin_keeps_in_another_form_is_registered_and_costs_few_requests(form, key):
    world = keeping(World(), form)
    for name in (key, "a/y.jpg", "a/z.jpg"):
        world.upload(name)
    world.settle()

    assert world.endings() == {Ending.REGISTERED: 3}
    assert not world.letters()
    assert world.registrations() <= 2


def test_a_blocked_item_under_another_name_is_no_registration_of_ours():
    """
    Somebody else has the name that Darwin makes of ours; beside a neighbour it is told as when it is alone.
    """
    world = keeping(World(), lambda name: name.replace("x", "_"))
    world.darwin.seed_item("incoming", "/a", "_.jpg", "elsewhere.jpg", size_bytes=7)
    world.clock.advance(60)
    world.upload("a/x.jpg")
    world.upload("a/z.jpg")
    world.settle()

    assert codes(world) == {"a/x.jpg": "already_exists_unverified"}
    assert world.endings()[Ending.REGISTERED] == 1


@pytest.mark.parametrize("kept", ["1-x.jpg", "1.jpg"])
def test_an_item_of_one_file_is_adopted_whether_darwin_calls_the_file_by_its_own_name_or_the_items(kept):
    """What is registered without slots has the item's name for its file's."""
    world = routed(item_name="{stem}-x{suffix}")
    world.darwin.seed_item("incoming", "/a", "1-x.jpg", "a/1.jpg", size_bytes=1000)
    [item] = world.darwin.items()
    slot = replace(item.slots[0], file_name=kept)
    world.darwin.context.world.items[item.id] = replace(item, slots=(slot,))
    world.upload("a/1.jpg")
    world.settle()

    assert world.endings() == {Ending.ALREADY_REGISTERED: 1}
