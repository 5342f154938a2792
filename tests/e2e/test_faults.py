"""A Darwin in trouble: what it breaks comes again, what a person must mend waits, and the books balance."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from beagle.emulator import DEFAULT_KEY, EmulatedDarwin, Fault
from beagle.playground.stack import Function, Stack
from e2e.books import Books, alarms_of
from e2e.conftest import Connected, Deploy, World, deliver_twice, limit_instances
from e2e.hands import Hands

PICTURE = b"no picture, but bytes"
STORM = [
    Fault(kind="status", status=429, retry_after="1"),
    Fault(kind="status", status=429),
    Fault(kind="status", status=502, when="after"),
    Fault(kind="status", status=500),
    Fault(kind="reset", when="after"),
    Fault(kind="status", status=503, retry_after="2"),
    Fault(kind="reset"),
    Fault(kind="hang", when="after", seconds=1),
    Fault(kind="truncated_json"),
    Fault(kind="html"),
    Fault(kind="empty"),
    Fault(kind="missing_item"),
]
OBJECTS = 250


@pytest.fixture(scope="module")
def storm(deployed: Deploy, connect: Callable[[str], Connected]) -> World:
    """Deploy a Beagle that sends many small requests, from two instances, with every event twice."""
    connected = connect("storm-uploads")
    url = connected.server.url
    stack = deployed("storm", url, ItemsPerRequest="5", RequestsPerMinute="1000")
    limit_instances(stack, prepare=2, register=2)
    deliver_twice(stack)
    return World(connected.darwin, url, stack)


@contextmanager
def standing_still(stack: Stack) -> Iterator[None]:
    """Keep the platform from starting anything meanwhile."""
    client = stack.aws.client("lambda")
    names = [stack.outputs["PrepareFunction"], stack.outputs["RegisterFunction"]]
    mappings = [
        mapping["UUID"]
        for name in names
        for mapping in client.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
    ]
    assert len(mappings) == 2
    for mapping in mappings:
        client.update_event_source_mapping(UUID=mapping, Enabled=False)
    yield
    for mapping in mappings:
        client.update_event_source_mapping(UUID=mapping, Enabled=True)


def balance(stack: Stack, folder: str, announced: int) -> tuple[int, int]:
    """Return how many announcements the books miss, and how many items between the stages: none, by law."""
    uploads = sum(
        folder in message.body for message in stack.messages("uploads") if "darwin/" not in message.body
    )
    items = stack.depth("items")
    books = Books.of(stack, folder)
    return (
        announced - books.left("prepare") - uploads,
        books.count("prepare")["passed_on"] - books.left("register") - items,
    )


def test_a_storm_registers_each_object_once(storm: World, folder: str) -> None:
    """
    Throttling, 5xx and resets before and after the commit, silence, torn and foreign answers.

    Every event comes twice, and two instances run. Counted from the functions' own lines, the depths of
    the queues and Darwin's items: in the midst of it and at the end, received = registered + already
    registered + ... + still queued.
    """
    stack, darwin = storm.stack, storm.darwin
    darwin.inject(*(fault.model_copy(update={"skip": 2 * n}) for n, fault in enumerate(STORM)))
    for number in range(OBJECTS):
        stack.upload(PICTURE, f"{folder}/{number}.png")
    stack.wait_until(lambda: len(darwin.items()) > OBJECTS // 4, seconds=60, what="A good part")

    with standing_still(stack):
        stack.wait_until(
            lambda: balance(stack, folder, 2 * OBJECTS) == (0, 0), seconds=30, what="Balance in the midst"
        )
        midst = stack.depth("uploads") + stack.depth("items")
    stack.wait_until_idle(seconds=240)

    assert midst  # or it was no midst
    assert darwin.pending_faults() == []
    assert sorted(item.storage_keys for item in darwin.items()) == sorted(
        (f"{folder}/{number}.png",) for number in range(OBJECTS)
    )
    assert stack.depth("dead_letters") == 0
    assert balance(stack, folder, 2 * OBJECTS) == (0, 0)
    books = Books.of(stack, folder)
    assert books.count("prepare") == {"passed_on": 2 * OBJECTS}
    endings = books.count("register")
    assert endings.pop("again") > 0
    assert endings == {"registered": OBJECTS, "already_registered": OBJECTS}
    assert {tuple(books.of_key(f"{folder}/{n}.png", "register")) for n in range(OBJECTS)} == {
        ("already_registered", "registered")
    }


def test_a_rotated_key_is_fetched_once_and_used(world: World, folder: str) -> None:
    """Nothing is redeployed, nothing waits, and the old key is refused once."""
    stack, darwin = world.stack, world.darwin
    stack.upload(PICTURE, f"{folder}/before.png")
    stack.wait_until(lambda: len(darwin.items()) == 1, what="Registration with the old key")
    stack.wait_until_idle()

    new = darwin.add_key()
    darwin.revoke_key(DEFAULT_KEY)
    stack.put_api_key(new)
    try:
        stack.upload(PICTURE, f"{folder}/after.png")
        stack.wait_until(lambda: len(darwin.items()) == 2, what="Registration with the new key")
        stack.wait_until_idle()
    finally:
        darwin.add_key(secret=DEFAULT_KEY)
        stack.put_api_key(DEFAULT_KEY)

    assert [served.status for served in darwin.requests()] == [200, 401, 200]
    assert stack.depth("dead_letters") == 0
    assert Books.of(stack, folder).count("register") == {"registered": 2}


def _no_such_dataset(darwin: EmulatedDarwin) -> tuple[str, Callable[[], object]]:
    return "nowhere", lambda: darwin.add_dataset("nowhere")


def _no_such_key(darwin: EmulatedDarwin) -> tuple[str, Callable[[], object]]:
    darwin.revoke_key(DEFAULT_KEY)
    return "incoming", lambda: darwin.add_key(secret=DEFAULT_KEY)


@pytest.mark.parametrize(
    ("cause", "alarm"),
    [(_no_such_dataset, "darwin_not_found"), (_no_such_key, "darwin_unauthorized")],
)
def test_what_a_person_must_mend_is_waited_for(
    world: World,
    folder: str,
    hands: Callable[[Function], Hands],
    cause: Callable[[EmulatedDarwin], tuple[str, Callable[[], object]]],
    alarm: str,
) -> None:
    """
    A dataset that is not there, a key that is none: a person is called once, every message is kept.

    Darwin is asked once, not once an object; nothing is dead-lettered; once it is mended, all is
    registered.
    """
    stack, darwin = world.stack, world.darwin
    register = hands("register")
    dataset, mend = cause(darwin)
    stack.configure("prepare", BEAGLE_DATASET=dataset)
    try:
        for number in range(10):
            stack.upload(PICTURE, f"{folder}/{number}.png")
        stack.wait_until(lambda: stack.depth("items") == 10, what="Preparation")
        event = register.receive(10)
        instance = register.run(event)

        assert alarms_of(instance.log.splitlines()) == [alarm]
        assert Counter(line.ending for line in instance.lines) == {"again": 10}
        assert len(darwin.requests()) == 1
        assert not darwin.items()
        assert stack.depth("dead_letters") == 0
        assert stack.depth("items") == 10
    finally:
        mend()
        stack.configure("prepare", BEAGLE_DATASET="incoming")
    mended = register.run(register.redeliver(event))

    assert Counter(line.ending for line in mended.lines) == {"registered": 10}
    assert sorted(item.name for item in darwin.items()) == sorted(f"{number}.png" for number in range(10))
    assert stack.depth("items") == stack.depth("dead_letters") == 0
