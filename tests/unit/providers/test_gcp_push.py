"""What Google Cloud pushes to a function: whatever it is, the stage has something to judge."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from beagle.domain.outcomes import Ending
from beagle.providers.gcp.notifications import parse_notification
from beagle.providers.gcp.queue import read_push
from beagle.providers.gcp.worker import ACKNOWLEDGED, Alone, Worker
from beagle.providers.local.clock import SystemClock
from support.world import World

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=8,
)
"""Any JSON, with what Python's own reader takes besides: NaN, lone surrogates."""
MESSAGES = st.fixed_dictionaries(
    {},
    optional={
        "data": JSON | st.just("bm8ganNvbg==") | st.just("e30="),
        "attributes": JSON | st.fixed_dictionaries({"eventType": JSON, "objectId": JSON}),
        "messageId": JSON,
    },
)
PUSHES = st.fixed_dictionaries(
    {},
    optional={
        "message": MESSAGES | JSON,
        "deliveryAttempt": JSON | st.integers(),
        "data": st.fixed_dictionaries({"message": MESSAGES}) | JSON,
        "specversion": JSON,
        "type": JSON | st.just("google.cloud.storage.object.v1.finalized"),
    },
)
BODIES = st.binary(max_size=60) | (JSON | PUSHES).map(lambda value: json.dumps(value).encode())
HEADERS = st.just({}) | st.fixed_dictionaries(
    {"ce-type": st.sampled_from(["google.cloud.storage.object.v1.finalized", "x", "é"])},
    optional={"ce-specversion": st.text(max_size=4)},
)
DEEP = b"[" * 900 + b"]" * 900


def pushed(data: str, **fields: Any) -> str:
    """Return a push as Pub/Sub sends it."""
    message = {"data": b64encode(data.encode()).decode(), "messageId": "136969346945", "attributes": {}}
    return json.dumps({"message": message, "subscription": "projects/p/subscriptions/s", **fields})


@given(TEXT, st.integers(1, 100))
def test_what_we_sent_arrives_as_it_was(text: str, attempt: int) -> None:
    """With the queue's own name for it, and which attempt this is."""
    received = read_push({}.get, pushed(text, deliveryAttempt=attempt), "m")

    assert (received.id, received.body, received.attempts) == ("m", text, attempt)
    assert received.name == "136969346945"


@pytest.mark.parametrize("told", [None, 0, -3, "x", True, [], 1.5])
def test_without_a_dead_letter_policy_nobody_counts(told: object) -> None:
    """Then each delivery passes for the first, and the platform alone gives up."""
    assert read_push({}.get, pushed("x", deliveryAttempt=told), "m").attempts == 1


@pytest.mark.parametrize("form", ["push", "structured", "binary"])
@given(key=TEXT)
def test_what_cloud_storage_announces_is_read_however_it_comes(form: str, key: str) -> None:
    described = {
        "kind": "storage#object",
        "bucket": "b",
        "name": key,
        "generation": "17",
        "size": "3",
        "timeCreated": "2026-11-20T10:11:12.345Z",
    }
    headers, body = {}, described
    event = {"specversion": "1.0", "type": "google.cloud.storage.object.v1.finalized"}
    if form == "push":
        attributes = {"eventType": "OBJECT_FINALIZE", "bucketId": "b", "objectId": key}
        attributes |= {"objectGeneration": "17", "eventTime": described["timeCreated"]}
        data = b64encode(json.dumps(described).encode()).decode()
        body = {"message": {"data": data, "attributes": attributes, "messageId": "1"}}
    elif form == "structured":
        body = {**event, "data": described}
    else:
        headers = {f"ce-{name}": value for name, value in event.items()}

    [found] = parse_notification(read_push(headers.get, json.dumps(body), "m").body).announced

    assert (found.ref.bucket, found.ref.key, found.content, found.size) == ("b", key, "17", 3)


WORLDS: list[World] = []


def world() -> World:
    """Return one world for all examples: making one takes longer than judging a message."""
    if not WORLDS:
        WORLDS.append(World())
        object.__setattr__(WORLDS[0].prepare, "parse", parse_notification)
    return WORLDS[0]


@settings(max_examples=300, deadline=None)
@given(body=BODIES, headers=HEADERS, stage=st.sampled_from(["prepare", "register"]))
@example(body=DEEP, headers={"ce-type": "x"}, stage="prepare")
@example(
    body=b'{"message": {"data": "\\ud800", "messageId": "\\ud800"}, "deliveryAttempt": 9}',
    headers={},
    stage="register",
)
@example(
    body=b'{"message": {"attributes": {"eventType": "\\ud800"}, "data": "/w=="}}', headers={}, stage="prepare"
)
def test_whatever_arrives_is_judged_and_acknowledged(
    body: bytes, headers: dict[str, str], stage: str
) -> None:
    """
    By the real stage: it is an object, ignored, or a dead letter; never an exception, never pushed for ever.
    """
    place = world()
    if stage == "prepare":
        guarded = place.guard(stage, place.prepare, parse_notification)
    else:
        guarded = place.guard(stage, place.register)
    before = len(place.journal.notes)
    answer = Worker(Alone(guarded), SystemClock(), 600).answer(headers, body)
    [(_, outcome)] = place.journal.notes[before:]

    assert answer == ("", ACKNOWLEDGED)
    assert outcome.ending in {Ending.DEAD_LETTERED, Ending.IGNORED, Ending.PASSED_ON}
    assert not place.journal.alarms
