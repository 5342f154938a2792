"""A worker dies by `kill -9` at every step: what comes after finds the item once, and its outcome."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from typing import Literal

import pytest

from beagle.emulator import Fault
from beagle.messages import load_entry
from beagle.pipeline.replay import Choice, plan_replay, run_replay
from beagle.playground.stack import Function, Stack
from beagle.ports import LedgerEntry
from beagle.providers.aws.queue import SqsLetterBox, SqsOutbox
from e2e.books import Books
from e2e.conftest import World
from e2e.gate import Gate
from e2e.hands import Hands, Instance

PICTURE = b"no picture, but bytes"
WAIT_SECONDS = 30.0
HANG_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Step:
    """Where the worker is when it dies: at Darwin, or at a request to AWS that holds the marked bytes."""

    name: str
    at: Literal["darwin", "aws"]
    when: Literal["before", "after"]
    marker: bytes = b""

    def __str__(self) -> str:
        return self.name


@contextmanager
def stopped_at(step: Step, world: World, hands: Hands) -> Iterator[tuple[Instance, Callable[[], bool]]]:
    """Start an instance that will stop at a step, and return it with how to tell that it stands there."""
    if step.at == "aws":
        with Gate(world.stack.aws.port, step.marker, step.when) as gate:
            yield hands.start(endpoint=gate.endpoint), gate.held.is_set
        return
    world.darwin.inject(Fault(kind="hang", when=step.when, seconds=HANG_SECONDS))

    def is_stopped() -> bool:
        return any((served.fault or "").startswith("hang") for served in world.darwin.requests())

    yield hands.start(), is_stopped
    world.darwin.clear_faults()


def wait_for(claim: Callable[[], bool], instance: Instance) -> None:
    """Return when the claim holds; the instance must live to see it."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not claim():
        assert instance.running, instance.log
        assert time.monotonic() < deadline, instance.log
        time.sleep(0.01)


def ledger(stack: Stack) -> dict[str, LedgerEntry]:
    """Read the ledger, by object key."""
    s3, bucket = stack.aws.client("s3"), stack.outputs["StateBucket"]
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="ledger/")
    keys = [entry["Key"] for page in pages for entry in page.get("Contents", ())]
    entries = [load_entry(s3.get_object(Bucket=bucket, Key=key)["Body"].read()) for key in keys]
    return {entry.key: entry for entry in entries}


def queued(world: World, key: str, messages: int = 1) -> None:
    """Upload an object and wait until its item lies in the items queue."""
    world.stack.upload(PICTURE, key)
    world.stack.wait_until(lambda: world.stack.depth("items") == messages, what="Preparation")


@pytest.mark.parametrize(
    ("step", "state", "stands", "ending"),
    [
        (Step("before the intent is kept", "aws", "before", b'"state":"intent"'), None, 0, "registered"),
        (Step("once the intent is kept", "aws", "after", b'"state":"intent"'), "intent", 0, "registered"),
        (Step("in the request, before the commit", "darwin", "before"), "intent", 0, "registered"),
        (Step("after the commit, before the answer", "darwin", "after"), "intent", 1, "registered"),
        (
            Step("after the answer, before the ledger knows", "aws", "before", b'"state":"registered"'),
            *("intent", 1, "registered"),
        ),
        (
            Step("once the ledger knows, before it is acknowledged", "aws", "after", b'"state":"registered"'),
            *("registered", 1, "already_registered"),
        ),
    ],
    ids=str,
)
def test_a_killed_worker_leaves_one_item(  # noqa: PLR0913, PLR0917 - a table's columns
    world: World,
    folder: str,
    hands: Callable[[Function], Hands],
    step: Step,
    state: str | None,
    stands: int,
    ending: str,
) -> None:
    """
    The message comes again to a fresh process: the item is there once, its outcome is recorded.

    No dead letter is written, and the message is acknowledged only then.
    """
    register, key = hands("register"), f"{folder}/1.png"
    queued(world, key)
    event = register.receive(1)
    with stopped_at(step, world, register) as (instance, is_stopped):
        instance.begin(event)
        wait_for(is_stopped, instance)

        assert instance.kill() == -signal.SIGKILL
        assert not instance.lines  # it died before any outcome
        assert len(world.darwin.items()) == stands
        entry = ledger(world.stack).get(key)
        assert (entry.state if entry else None) == state

    again = register.redeliver(event)
    assert again["Records"][0]["attributes"]["ApproximateReceiveCount"] == "2"
    fresh = register.start()
    fresh.begin(again)
    answer = fresh.answer()
    assert answer == {"batchItemFailures": []}, fresh.log
    register.acknowledge(again, answer)
    assert fresh.wait() == 0

    assert [item.storage_keys for item in world.darwin.items()] == [(key,)]
    assert ledger(world.stack)[key].state == "registered"
    assert [line.ending for line in fresh.lines] == [ending]
    assert world.stack.depth("items") == world.stack.depth("dead_letters") == 0


@pytest.mark.parametrize(
    ("step", "copies"),
    [
        (Step("before the letter is sent", "aws", "before", b"letter/1"), 0),
        (Step("once the letter is sent", "aws", "after", b"letter/1"), 1),
        (Step("before the ledger frees the name", "aws", "before", b'"state":"released"'), 1),
        (Step("once the name is free, unacknowledged", "aws", "after", b'"state":"released"'), 1),
    ],
    ids=str,
)
def test_a_worker_killed_over_a_dead_letter_leaves_one_letter(
    world: World, folder: str, hands: Callable[[Function], Hands], step: Step, copies: int
) -> None:
    """
    At most it is there in two copies of one id, which one replay takes for one.

    Replayed once its cause is gone, it is registered, once.
    """
    stack = world.stack
    register, key = hands("register"), f"{folder}/1.png"
    world.darwin.inject(Fault(kind="block", count=None, reason="UNSUPPORTED_CODEC"))
    queued(world, key)
    event = register.receive(1)
    with stopped_at(step, world, register) as (instance, is_stopped):
        instance.begin(event)
        wait_for(is_stopped, instance)

        assert instance.kill() == -signal.SIGKILL
        assert not instance.lines
        assert stack.depth("dead_letters") == copies

    fresh = register.run(register.redeliver(event))

    assert [(line.ending, line.code) for line in fresh.lines] == [("dead_lettered", "item_blocked")]
    assert stack.depth("items") == 0
    assert stack.depth("dead_letters") == copies + 1
    assert ledger(stack)[key].state == "released"
    box = SqsLetterBox(stack.aws.client("sqs"), stack.outputs["DeadLettersQueueUrl"], "test")
    [planned] = plan_replay(box.list_letters(), Choice())
    assert len(planned.copies) == copies + 1

    world.darwin.clear_faults()
    uploads = SqsOutbox(stack.aws.client("sqs"), stack.outputs["UploadsQueueUrl"])
    assert [done.error for done in run_replay([planned], uploads, box)] == [None]
    stack.wait_until(lambda: stack.depth("items") == 1, what="Preparation")
    last = register.run(register.receive(1))

    assert [line.ending for line in last.lines] == ["registered"]
    assert [item.storage_keys for item in world.darwin.items()] == [(key,)]
    assert stack.depth("dead_letters") == 0


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_killed_prepare_loses_and_doubles_nothing(
    world: World, folder: str, hands: Callable[[Function], Hands], when: Literal["before", "after"]
) -> None:
    """Its item is sent on once or twice, and registered once."""
    prepare, key = hands("prepare"), f"{folder}/1.png"
    world.stack.upload(PICTURE, key)
    world.stack.wait_until(lambda: world.stack.depth("uploads") == 1, what="The announcement")
    event = prepare.receive(1)
    register = hands("register")
    with stopped_at(Step("passing on", "aws", when, b"item/1"), world, prepare) as (instance, is_stopped):
        instance.begin(event)
        wait_for(is_stopped, instance)
        assert instance.kill() == -signal.SIGKILL

    items = 2 if when == "after" else 1
    assert world.stack.depth("items") == items - 1
    prepare.run(prepare.redeliver(event))
    assert world.stack.depth("items") == items
    last = register.run(register.receive(items))

    assert [line.ending for line in last.lines] == ["registered", "already_registered"][:items]
    assert [item.storage_keys for item in world.darwin.items()] == [(key,)]
    assert world.stack.depth("dead_letters") == 0


def test_workers_killed_at_any_moment_register_each_object_once(
    world: World, folder: str, hands: Callable[[Function], Hands]
) -> None:
    """
    Instance after instance is killed at a random moment of a batch; at last one is left alone.

    Every object stands once, every outcome is recorded, and no dead letter is written.
    """
    register, chance = hands("register"), Random(18)
    keys = [f"{folder}/{number}.png" for number in range(30)]
    for key in keys:
        world.stack.upload(PICTURE, key)
    world.stack.wait_until(lambda: world.stack.depth("items") == len(keys), what="Preparation")
    many_requests = {"BEAGLE_ITEMS_PER_REQUEST": "3", "BEAGLE_REQUESTS_PER_MINUTE": "1000"}
    event = register.receive(len(keys))
    standing = []
    for _ in range(6):
        instance = register.start(**many_requests)
        instance.begin(event)
        seen = len(world.darwin.requests())
        wait_for(lambda seen=seen: len(world.darwin.requests()) > seen, instance)
        time.sleep(chance.uniform(0, 0.1))
        assert instance.kill() == -signal.SIGKILL
        standing.append(len(world.darwin.items()))
        event = register.redeliver(event)
    last = register.run(event, **many_requests)

    assert sorted(item.storage_keys for item in world.darwin.items()) == sorted((key,) for key in keys)
    assert {line.key: line.ending for line in last.lines}.keys() == set(keys)
    assert {line.ending for line in last.lines} <= {"registered", "already_registered"}
    assert {key: entry.state for key, entry in ledger(world.stack).items() if key in keys} == dict.fromkeys(
        keys, "registered"
    )
    assert world.stack.depth("items") == world.stack.depth("dead_letters") == 0
    assert Books.of(world.stack, folder).count("prepare") == {"passed_on": len(keys)}
    assert standing[0] < len(keys)  # the first died before the end of its work


def test_a_message_that_kills_every_worker_is_given_up_and_its_neighbour_is_registered(
    world: World, folder: str, hands: Callable[[Function], Hands]
) -> None:
    """
    Five workers die of one message, and the sixth writes its dead letter; deliveries to nobody do not count.
    """
    stack, register = world.stack, hands("register")
    poison, neighbour = f"{folder}/poison.png", f"{folder}/1.png"
    queued(world, poison)
    queued(world, neighbour, 2)
    event = register.redeliver(register.redeliver(register.receive(2)))
    for _ in range(5):
        step = Step("at the poison", "aws", "before", b"poison.png")
        with stopped_at(step, world, register) as (instance, is_stopped):
            instance.begin(event)
            wait_for(is_stopped, instance)
            assert instance.kill() == -signal.SIGKILL
        event = register.redeliver(event)
    assert stack.depth("dead_letters") == 0

    last = register.run(event)

    assert {line.key: line.code for line in last.lines if line.ending == "dead_lettered"} == {
        poison: "crash_loop"
    }
    assert [item.storage_keys for item in world.darwin.items()] == [(neighbour,)]
    assert ledger(stack).keys() & {poison, neighbour} == {neighbour}
    assert (stack.depth("items"), stack.depth("dead_letters")) == (0, 1)
