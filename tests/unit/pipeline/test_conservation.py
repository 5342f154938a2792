"""The promise itself, under any sequence of events: nothing is lost, and no name is registered twice.

500 examples here; `BEAGLE_EXAMPLES=20000` for the long run by hand.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from beagle import messages
from beagle.domain.errors import LedgerUnavailableError
from beagle.domain.outcomes import Ending
from beagle.domain.routes import parse_routes
from beagle.domain.routing import Routed, route_event
from beagle.emulator import Fault
from beagle.pipeline.replay import Choice, plan_replay, run_replay
from beagle.ports import Received
from support.world import ROUTES, Budget, Killed, World

EXAMPLES = int(os.environ.get("BEAGLE_EXAMPLES", "500"))  # noqa: TID251 - how long a test may take

KEYS = st.sampled_from(
    [
        "a/1.jpg",
        "b/1.jpg",
        "a/2.jpg",
        "a//2.jpg",
        "a/2 +%2B.jpg",
        "é.png",
        "e\u0301.png",
        "c/3.mp4",
        "d/4.pdf",
    ]
)
FAULTS = st.builds(
    Fault,
    kind=st.sampled_from(
        [
            "hang", "reset", "reset_mid_body", "truncated_json", "html", "empty",
            "missing_item", "extra_item", "in_both_lists", "reordered", "block",
        ]
    ),
    when=st.sampled_from(["before", "after"]),
    match=st.sampled_from(["", "1.jpg", "2.jpg"]),
    count=st.integers(1, 3),
    reason=st.just("BLOCKED_FOR_THE_TEST"),
)  # fmt: skip
STATUSES = st.builds(
    Fault,
    kind=st.just("status"),
    status=st.sampled_from([400, 401, 403, 404, 413, 422, 429, 500, 502, 503, 504]),
    when=st.just("before"),
    retry_after=st.sampled_from([None, "0", "1", "300", "-5", "soon", "Wed, 21 Oct 2026 07:28:00 GMT"]),
    count=st.integers(1, 3),
)
AFTER_COMMIT = st.builds(
    Fault,
    kind=st.just("status"),
    status=st.sampled_from([500, 502, 504]),
    when=st.just("after"),
    count=st.integers(1, 3),
)


class CrashingLedger:
    """The real ledger, which the machine may kill or take away at each of its calls."""

    def __init__(self, ledger):
        self.ledger = ledger
        self.kill_before: str | None = None
        self.kill_after: str | None = None
        self.poison: set[str] = set()
        """Keys whose every claim kills the process."""
        self.away = False

    def create(self, entries):
        if any(entry.key in self.poison for entry in entries):
            raise Killed
        return self._call("create", self.ledger.create, entries)

    def replace(self, changes):
        return self._call("replace", self.ledger.replace, changes)

    def read(self, items):
        return self._call("read", self.ledger.read, items)

    def _call(self, name, call, arguments):
        if self.away:
            return [LedgerUnavailableError("away") for _ in arguments]
        if self.kill_before == name and arguments:
            self.kill_before = None
            raise Killed
        result = call(arguments)
        if self.kill_after == name and arguments:
            self.kill_after = None
            raise Killed
        return result


class Interrupted:
    """The real registrar, which lets something else happen before it sends."""

    def __init__(self, registrar, between):
        self.registrar = registrar
        self.between = between

    def register(self, destination, items, deadline):
        if self.between:
            self.between.pop()()
        return self.registrar.register(destination, items, deadline)

    def __getattr__(self, name):
        return getattr(self.registrar, name)


class AnyHistory(RuleBasedStateMachine):
    """Uploads, overwrites, duplicates, crashes, outages, strangers, deletions and replays, in any order."""

    @initialize(
        flat=st.booleans(),
        on_overwrite=st.sampled_from(["ignore", "dead_letter", "new_name"]),
        on_name_collision=st.sampled_from(["dead_letter", "new_name"]),
        cap=st.sampled_from([1, 2, 3, 100]),
        seed=st.integers(0, 3),
        strangers=st.sets(KEYS, max_size=3),
    )
    def start(self, flat, on_overwrite, on_name_collision, cap, seed, strangers):  # noqa: PLR0913, PLR0917 - a world's
        [route] = ROUTES["routes"]
        routes = {
            "team": "acme",
            "routes": [
                {
                    **route,
                    "path": "/" if flat else "/{folder}",
                    "on_overwrite": on_overwrite,
                    "on_name_collision": on_name_collision,
                }
            ],
        }
        self.world = World(routes=routes, items_per_request=cap, seed=seed)
        self.world.ledger = self.ledger = CrashingLedger(self.world.ledger)
        self.parsed = parse_routes(routes)
        self.on_overwrite = on_overwrite
        self.between = []
        self.instances = [self._instance(), self._instance()]
        for key in strangers:
            self._seed_stranger(key)
        self.world.clock.advance(60)
        self.versions = {}
        self.uploaded = set()
        self.deleted = set()
        self.letters_seen = set()

    def _seed_stranger(self, key):
        """Have somebody else hold the name that a key wants; of two keys with one name, once."""
        place = route_event(self.parsed, self.world.event(key)).item.id
        if ("incoming", place.path, place.name) not in self.world.places():
            self.world.darwin.seed_item("incoming", place.path, place.name, f"not ours/{key}", size_bytes=7)

    # --- what may happen -------------------------------------------------------------------------------

    @rule(key=KEYS, copies=st.integers(1, 2))
    def upload(self, key, copies):
        """New content, announced once or twice, straight to register."""
        version = self.versions[key] = self.versions.get(key, 0) + 1
        self._announce(key, version, copies)

    @precondition(lambda self: self.versions)
    @rule(data=st.data())
    def announce_again(self, data):
        """A duplicate of any earlier notification, however late: out of order, too."""
        key = data.draw(st.sampled_from(sorted(self.versions)))
        self._announce(key, data.draw(st.integers(1, self.versions[key])), 1)

    def _announce(self, key, version, copies):
        event = self.world.event(key, f"v{version}", f"{version:04X}")
        routed = route_event(self.parsed, event)
        assert isinstance(routed, Routed)
        self.uploaded.add((key, event.content))
        for _ in range(copies):
            self.world.uploads.send([messages.dump_event(event, 0)])
        self.world.run_prepare()

    @rule(which=st.integers(0, 1), most=st.sampled_from([1, 2, 5, 100]), seconds=st.sampled_from([3, 12, 60]))
    def work(self, which, most, seconds):
        """One of two instances takes a batch, with much or little time."""
        batch = self.world.items.receive(most)
        if not batch:
            return
        try:
            stage = self.world.guard("register", self.instances[which])
            report = stage.run(batch, Budget(self.world.clock, seconds))
        except Killed:
            self.instances[which] = self._instance()
            return
        assert {message.id for message in batch} >= set(report.again)
        assert len(report.outcomes) == len(batch)
        self.world.items.answer(batch, report)

    @rule(most=st.sampled_from([1, 5]))
    def work_without_acknowledging(self, most):
        """The platform loses the acknowledgement: killed between the last write and the answer."""
        batch = self.world.items.receive(most)
        if batch:
            try:
                stage = self.world.guard("register", self.instances[0])
                stage.run(batch, Budget(self.world.clock, 60))
            except Killed:
                self.instances[0] = self._instance()

    def _instance(self):
        """Return an instance of register between whose ledger and Darwin something else may happen."""
        return self.world.instance(Interrupted(self.world.registrar(), self.between))

    @rule(which=st.integers(0, 1), most=st.sampled_from([1, 5]), other=st.sampled_from([1, 5]))
    def work_interleaved(self, which, most, other):
        """One instance takes a batch while the other has written its intents and not posted yet."""

        def overtake():
            try:
                self.work(1 - which, other, 60)
            except Killed:  # the other process alone
                self.instances[1 - which] = self._instance()

        self.between.append(overtake)
        self.work(which, most, 60)
        self.between.clear()

    @rule(data=st.data())
    def delete_in_darwin(self, data):
        """A person deletes an item; what was uploaded before need not come back."""
        items = self.world.darwin.items()
        if items:
            chosen = data.draw(st.sampled_from(sorted(items, key=lambda item: (item.path, item.name))))
            self.world.darwin.remove_item(chosen.id)
            self.deleted.add(chosen.slots[0].storage_key)

    @rule(fault=st.one_of(FAULTS, STATUSES, AFTER_COMMIT))
    def break_darwin(self, fault):
        """The next requests fail in this way."""
        self.world.darwin.inject(fault)

    @rule(call=st.sampled_from(["create", "replace", "read"]), before=st.booleans())
    def kill_at_the_ledger(self, call, before):
        """The next such call is the process's last."""
        setattr(self.ledger, "kill_before" if before else "kill_after", call)

    @rule(key=KEYS)
    def poison(self, key):
        """From now on an object kills whoever works on it."""
        self.ledger.poison.add(key)

    @rule(down=st.booleans())
    def outage(self, down):
        """Darwin goes away, or comes back."""
        self.world.network.down = down

    @rule(away=st.booleans())
    def ledger_outage(self, away):
        """The state bucket goes away, or comes back."""
        self.ledger.away = away

    @rule(down=st.booleans())
    def dead_letter_outage(self, down):
        """The dead-letter queue goes away, or comes back."""
        self.world.dead.down = down

    @rule(seconds=st.sampled_from([1, 30, 720, 3600]))
    def time_passes(self, seconds):
        """Hidden messages come back, pauses end."""
        self.world.clock.advance(seconds)

    @rule(limit=st.sampled_from([1, None]))
    def replay(self, limit):
        """The operator sends dead letters again."""
        self._replay(limit)

    def _replay(self, limit=None):
        steps = plan_replay(self.world.letter_box.list_letters(), Choice(limit=limit))
        list(run_replay(steps, self.world.uploads, self.world.letter_box))
        while self.world.run_prepare():
            pass

    # --- what always holds -----------------------------------------------------------------------------

    @invariant()
    def every_name_is_registered_once(self):
        places = self.world.places()
        assert len(places) == len(set(places))

    @invariant()
    def every_object_is_registered_once(self):
        """Whatever names it was given; only new contents may have items of their own."""
        if self.on_overwrite != "new_name":
            keys = self.world.storage_keys()
            assert len(keys) == len(set(keys))

    @invariant()
    def every_upload_is_somewhere(self):
        """Conservation, object by object: queued, dead-lettered, or ended in a recorded outcome."""
        queued = {self._identity(messages.load_item(body).event) for body in self.world.items.bodies()}
        dead = {self._identity(letter.event) for letter in self.world.letters() if letter.event}
        ended = {
            (outcome.ref.key, outcome.content)
            for stage, outcome in self.world.journal.notes
            if stage == "register"
            and outcome.ending in {Ending.REGISTERED, Ending.ALREADY_REGISTERED, Ending.SUPERSEDED}
        }
        for key, content in self.uploaded:
            assert (key, content) in queued | dead | ended, (key, content)

    @staticmethod
    def _identity(event):
        return event.ref.key, event.content

    def teardown(self):
        """Let all trouble end: then everything is registered, or is a letter that says why not."""
        world = self.world
        world.network.down = self.ledger.away = world.dead.down = False
        self.ledger.kill_before = self.ledger.kill_after = None
        world.darwin.clear_faults()
        world.register = world.instance()
        before = {letter.id for letter in world.letters()}
        world.settle(hours=1000)
        killers = [x for x in world.letters() if x.code == "crash_loop" and x.id not in before]
        assert {letter.event.ref.key for letter in killers} <= self.ledger.poison
        self.every_upload_is_somewhere()
        assert not world.items
        self.ledger.poison.clear()
        for _ in range(2):
            self._replay()
            world.settle(hours=1000)
        self.every_name_is_registered_once()
        self.every_upload_is_somewhere()
        assert not world.uploads
        assert not world.items
        excused = {"name_collision", "object_overwritten", "already_exists_unverified"}
        assert {letter.code for letter in world.letters()} <= excused
        self._everything_stands_or_says_why(set(self.versions) - self.deleted, excused)
        self._what_is_deleted_and_uploaded_comes_back()

    def _everything_stands_or_says_why(self, keys, excused):
        registered = set(self.world.storage_keys())
        lettered = {letter.event.ref.key for letter in self.world.letters() if letter.code in excused}
        for key in keys:
            assert key in registered | lettered, key

    def _what_is_deleted_and_uploaded_comes_back(self):
        """Whatever happened before: then nobody else is there but whom one's own name collides with."""
        world = self.world
        for item in world.darwin.items():
            world.darwin.remove_item(item.id)
        for kept in list(world.letter_box.list_letters()):
            world.letter_box.remove(kept)
        for key in sorted(self.versions):
            self.upload(key, 1)
            world.settle()
        self._everything_stands_or_says_why(self.versions, {"name_collision"})
        self.every_name_is_registered_once()


AnyHistory.TestCase.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestAnyHistory = AnyHistory.TestCase


def test_an_acknowledged_message_has_an_outcome_and_a_kept_one_has_none():
    """The books of a batch close only when every message is in them once."""
    world = World()
    batch = [Received(id=str(number), body="garbage") for number in range(3)]

    report = world.register.run(batch, Budget(world.clock, 60))

    assert len(report.outcomes) == 3
    assert report.again == {}
