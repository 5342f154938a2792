"""What each provider says of an object, and that nothing it could say surprises us."""

from __future__ import annotations

import base64
import copy
import json
import time
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from beagle.domain.errors import UnparsableMessageError
from beagle.domain.events import NotAnObject, Notification, ObjectCreated, ObjectRef
from beagle.providers.aws.notifications import parse_notification as parse_aws
from beagle.providers.azure.notifications import parse_notification as parse_azure
from beagle.providers.gcp.notifications import parse_notification as parse_gcp
from beagle.providers.recognise import recognise

if TYPE_CHECKING:
    from collections.abc import Iterator

    from beagle.domain.events import Provider
    from beagle.ports import Parse

    Place = tuple[str | int, ...]

FOLDER = Path(__file__).parents[2] / "recordings"
RECORDINGS = sorted(
    path for provider in ("aws", "azure", "gcp") for path in FOLDER.glob(f"{provider}/*.json")
)
PARSE = {"aws": parse_aws, "gcp": parse_gcp, "azure": parse_azure}

KEYS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200)
"""Any text that a key can be, and some more."""

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
"""Any JSON, with what Python's own reader takes besides: NaN, lone surrogates."""


def load(path: Path) -> dict[str, Any]:
    """Return a recording; its body as the text that a queue holds."""
    recording: dict[str, Any] = json.loads(path.read_text())
    body = recording["body"]
    recording["text"] = body if isinstance(body, str) else json.dumps(body)
    return recording


def body_of(name: str) -> Any:
    """Return a recording's body, to be changed."""
    return json.loads((FOLDER / f"{name}.json").read_text())["body"]


def only(notification: Notification) -> ObjectCreated:
    """Return the one object that is announced."""
    (announced,) = notification.announced
    assert isinstance(announced, ObjectCreated)
    return announced


def key_of(parse: Parse, body: object) -> str:
    """Return the key of the one object that a body announces."""
    return only(parse(body if isinstance(body, str) else json.dumps(body))).ref.key


def expected(provider: str, told: dict[str, Any]) -> ObjectCreated | str:
    """Return what a recording expects, as the domain has it."""
    if "ignored" in told:
        return str(told["ignored"])
    return ObjectCreated(
        ref=ObjectRef(provider=cast("Provider", provider), bucket=told["bucket"], key=told["key"]),
        content=told["content"],
        size=told["size"],
        occurred_at=datetime.fromisoformat(told["occurred_at"]),
        sequencer=told["sequencer"],
    )


def outcome_of(parse: Parse, text: str) -> list[ObjectCreated | str] | str:
    """Return what a text announces: objects, codes of what is ignored, or the code of the refusal."""
    try:
        announced = parse(text).announced
    except UnparsableMessageError as error:
        return error.code
    return [one.code if isinstance(one, NotAnObject) else one for one in announced]


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: f"{path.parent.name}-{path.stem}")
@pytest.mark.parametrize("reader", ["its provider's", "whoever's it is"])
def test_a_notification_says_what_its_recording_expects(path: Path, reader: str) -> None:
    """Every form that a provider sends ends as written beside it, and is told from the others' forms."""
    provider, recording = path.parent.name, load(path)
    wanted = recording["expected"]

    found = outcome_of(PARSE[provider] if reader == "its provider's" else recognise, recording["text"])

    assert found == (wanted.get("error") or [expected(provider, told) for told in wanted["announced"]])


@pytest.mark.parametrize("provider", PARSE)
def test_every_recording_of_another_provider_is_refused(provider: str) -> None:
    """A function deployed beside the wrong queue says so instead of guessing."""
    for path in RECORDINGS:
        if path.parent.name != provider:
            assert outcome_of(PARSE[provider], load(path)["text"]) == "unparsable_message", path


# --- keys survive their transport ----------------------------------------------------------------------


@given(key=KEYS)
@example(key="a b+c%20d%2B/é/e\u0301//🐶.jpg")
@example(key="\0\n\r\t\x7f\u2028\ufeff")
def test_a_key_survives_the_form_encoding_of_s3(key: str) -> None:
    """S3 encodes keys as forms do and keeps slashes; some servers that speak S3 encode those too."""
    for encoded in (quote_plus(key, safe="/*"), quote_plus(key, safe=""), quote(key, safe="/")):
        body = body_of("aws/direct_key_space")
        body["Records"][0]["s3"]["object"]["key"] = encoded

        assert key_of(parse_aws, body) == key
        assert (
            key_of(parse_aws, {"TopicArn": "t", "Type": "Notification", "Message": json.dumps(body)}) == key
        )


@given(key=KEYS)
@example(key="a+b%20c.jpg")
def test_a_key_survives_eventbridge_unchanged(key: str) -> None:
    """Through EventBridge keys come as they are: decoding one would name another object."""
    body = body_of("aws/eventbridge_key_space")
    body["detail"]["object"]["key"] = key

    assert key_of(parse_aws, body) == key


@given(key=KEYS)
@example(key="a+b%20c.jpg")
def test_a_key_survives_pubsub_unchanged(key: str) -> None:
    """Cloud Storage does not encode names, neither in attributes nor in payloads."""
    body = body_of("gcp/push_key_space")
    body["message"]["attributes"]["objectId"] = key
    payload = body_of("gcp/object_alone") | {"name": key}
    event = body_of("gcp/cloudevent_finalized") | {"data": payload}

    assert key_of(parse_gcp, body) == key
    assert key_of(parse_gcp, body["message"]) == key
    assert key_of(parse_gcp, payload) == key
    assert key_of(parse_gcp, event) == key


@given(key=KEYS, safe=st.sampled_from(["", "/", "/+", "/~!$&'()*,;=:@+-._"]))
@example(key="a+b%20c.jpg", safe="/+")
@example(key="/leading//double/..", safe="/")
@pytest.mark.parametrize(
    "host",
    ["https://acme.blob.core.windows.net", "https://acme.dfs.core.windows.net", "http://[::1]:10000/acme"],
)
def test_a_key_survives_event_grids_url(host: str, key: str, safe: str) -> None:
    """However much of a URL's path is encoded, it names the same blob; a plus is a plus."""
    body = body_of("azure/event_key_space")
    body["data"]["url"] = f"{host}/uploads/{quote(key, safe=safe)}"

    assert key_of(parse_azure, body) == key
    assert key_of(parse_azure, base64.b64encode(json.dumps([body]).encode()).decode()) == key


# --- one event, however it is told ---------------------------------------------------------------------


@given(key=KEYS, version=st.none() | st.sampled_from(["null", "", "096fKKXTRTtl3on89fVO.nfljtsv6qko"]))
def test_s3_says_the_same_directly_by_sns_and_by_eventbridge(key: str, version: str | None) -> None:
    """A bucket may change its way of notifying; the object, its content and its order stay the same."""
    direct, bridge = body_of("aws/direct_key_space"), body_of("aws/eventbridge_key_space")
    direct["Records"][0]["s3"]["object"] |= {"key": quote_plus(key, safe="/"), "versionId": version}
    direct["Records"][0]["eventTime"] = bridge["time"]
    bridge["detail"]["object"] |= {"key": key, "version-id": version}
    envelope = body_of("aws/sns_direct")

    told = {
        only(parse_aws(json.dumps(body)))
        for body in (
            direct,
            bridge,
            envelope | {"Message": json.dumps(direct)},
            envelope | {"Message": json.dumps(bridge)},
        )
    }

    assert len(told) == 1


def test_the_two_ids_of_one_cloud_storage_event_make_one_event() -> None:
    """Pub/Sub may publish one event as two messages; what identifies it is the generation."""
    first, second = body_of("gcp/push_key_space"), body_of("gcp/push_key_space")
    second["message"] |= {"messageId": "99", "message_id": "99", "publishTime": "2026-11-20T10:00:00Z"}

    assert parse_gcp(json.dumps(first)) == parse_gcp(json.dumps(second))


def test_both_schemas_of_event_grid_make_one_event() -> None:
    """Whichever schema a subscription chose, the event is the same."""
    own, cloud = body_of("azure/event_key_space"), body_of("azure/cloudevent")
    cloud["data"] = own["data"]

    assert parse_azure(json.dumps(own)) == parse_azure(json.dumps(cloud))


@given(older=st.integers(0, 2**63 - 1), newer=st.integers(0, 2**63 - 1))
@example(older=9, newer=10)
def test_generations_are_ordered_as_the_numbers_they_are(older: int, newer: int) -> None:
    """A generation of fewer digits is an older one, though sequencers compare as text."""
    body = body_of("gcp/push_key_space")
    told = []
    for generation in (older, newer):
        body["message"]["attributes"]["objectGeneration"] = str(generation)
        told.append(only(parse_gcp(json.dumps(body))))

    assert told[0].is_older_than(told[1].sequencer) == (older < newer)
    assert [one.content for one in told] == [str(older), str(newer)]


def test_a_batch_as_lambda_is_given_it_is_unwrapped() -> None:
    """Whoever copies an event out of a function's log may show it as it is."""
    bodies = [body_of("aws/direct_key_plus"), body_of("aws/eventbridge_key_plus"), body_of("aws/test_event")]
    batch = {
        "Records": [
            {
                "messageId": f"059f36b4-87a3-44ab-83d2-66197{number:07}",
                "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
                "body": json.dumps(body),
                "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1795543467113"},
                "messageAttributes": {},
                "md5OfBody": "098f6bcd4621d373cade4e832627b4f6",
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:eu-west-1:111122223333:acme-uploads",
                "awsRegion": "eu-west-1",
            }
            for number, body in enumerate(bodies)
        ]
    }

    direct, bridge, test = recognise(json.dumps(batch)).announced

    assert isinstance(direct, ObjectCreated)
    assert isinstance(bridge, ObjectCreated)
    assert direct.ref == bridge.ref
    assert test == NotAnObject(code="test_notification", detail="s3:TestEvent")


def test_what_nobody_sends_is_refused_with_what_was_looked_for() -> None:
    """The person who brought the message learns what each provider's would have held."""
    with pytest.raises(
        UnparsableMessageError, match=r"AWS: .*Records.*Cloud: .*attributes.*Azure: .*eventType"
    ):
        recognise('{"hello": "world"}')


# --- nothing surprises ---------------------------------------------------------------------------------


def ends_well(parse: Parse, text: str) -> None:
    """Parse a text; whatever it is, the end is a refusal or values that hold what they promise."""
    try:
        notification = parse(text)
    except UnparsableMessageError:
        return
    assert isinstance(notification, Notification)
    assert notification.announced
    for one in notification.announced:
        if isinstance(one, ObjectCreated):
            assert one.ref.bucket
            assert one.ref.key
            assert one.content
            assert one.size is None or 0 <= one.size < 2**63
            assert one.occurred_at.utcoffset() is not None
            f"{one.ref.bucket}{one.ref.key}{one.content}{one.sequencer}".encode()


@given(text=JSON.map(json.dumps) | st.text(st.characters()))
@example(text="[" * 200_000)
@example(text='{"Records":' * 50_000)
@example(text='{"a": ' + "9" * 5_000 + "}")
@example(text='{"Records": [' + "9" * 5_000 + "]}")
@example(text='"\\ud800"')
@example(text="\ud800")
@example(text="null")
@example(text="true")
@example(text="\ufeff{}")
@pytest.mark.parametrize("parse", [*PARSE.values(), recognise])
def test_no_text_surprises(parse: Parse, text: str) -> None:
    """Words, endless numbers, deep nesting, half characters: a refusal, never another error."""
    ends_well(parse, text)


def places(value: object, path: Place = ()) -> Iterator[Place]:
    """Yield the path to every value inside."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, one in inner:
        yield from places(one, (*path, name))


def changed(body: Any, path: Place, new: object) -> Any:
    """Return the body with another value at one place."""
    if not path:
        return new
    body = copy.deepcopy(body)
    parent = body
    for name in path[:-1]:
        parent = parent[name]
    parent[path[-1]] = new
    return body


NASTY = JSON | st.sampled_from(
    [
        2**63,
        -1,
        10**400,
        1e400,
        "9" * 5_000,
        "²",
        "\ud800",
        "%ED%A0%80",
        "%",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
        "2026-11-20",
        "2026-11-20T09:14:27",
        "http://",
        "https:///a/b",
        "https://h",
        "https://h/",
        "https://h//",
        "://h/c/k",
        "//h/c/k",
        "https://[/c/k",
        "https://h.blob.x/c/",
        '"',
        '""',
    ]
)


@given(data=st.data(), path=st.sampled_from([path for path in RECORDINGS if not path.stem.startswith("no_")]))
def test_no_change_to_a_notification_surprises(data: st.DataObject, path: Path) -> None:
    """Any one value of a real notification replaced by any other: a refusal or a sound value."""
    body = json.loads(path.read_text())["body"]
    at = data.draw(st.sampled_from(list(places(body))))
    text = json.dumps(changed(body, at, data.draw(NASTY)))

    for parse in (*PARSE.values(), recognise):
        ends_well(parse, text)


@given(data=st.data(), path=st.sampled_from(RECORDINGS))
def test_no_damage_to_a_notification_surprises(data: st.DataObject, path: Path) -> None:
    """A text cut short, or with a piece of it replaced, is refused or read soundly."""
    text = load(path)["text"]
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    damaged = text[:start] + data.draw(st.text(st.characters(), max_size=5)) + text[end:]

    for parse in (*PARSE.values(), recognise):
        ends_well(parse, damaged)


@pytest.mark.parametrize(
    ("name", "path", "value"),
    [
        ("aws/direct_key_space", ("Records", 0, "s3", "object", "size"), "many"),
        ("aws/direct_key_space", ("Records", 0, "s3", "object", "size"), 1.5),
        ("aws/direct_key_space", ("Records", 0, "s3", "object", "size"), True),
        ("aws/direct_key_space", ("Records", 0, "s3", "object", "size"), -1),
        ("aws/direct_key_space", ("Records", 0, "s3", "object", "size"), 2**63),
        ("aws/direct_key_space", ("Records", 0, "s3", "object", "sequencer"), 5),
        ("aws/direct_key_space", ("Records", 0, "s3", "object", "eTag"), '""'),
        ("aws/direct_key_space", ("Records", 0, "s3", "bucket", "name"), ""),
        ("aws/direct_key_space", ("Records", 0, "eventTime"), "yesterday"),
        ("aws/direct_key_space", ("Records", 0, "eventTime"), "0001-01-01T00:00:00+23:59"),
        ("aws/direct_key_space", ("Records", 0), None),
        ("aws/direct_key_space", ("Records",), {}),
        ("aws/eventbridge_key_space", ("detail", "object", "key"), "\ud800"),
        ("aws/eventbridge_key_space", ("detail", "object"), []),
        ("aws/sns_direct", ("Message",), "{"),
        ("aws/sns_direct", ("Message",), {}),
        ("gcp/push_key_space", ("message", "attributes", "objectGeneration"), "-1"),
        ("gcp/push_key_space", ("message", "attributes", "objectGeneration"), "²"),
        ("gcp/push_key_space", ("message", "attributes", "objectGeneration"), "9" * 20),
        ("gcp/push_key_space", ("message", "attributes", "objectGeneration"), "9" * 5_000),
        ("gcp/push_key_space", ("message", "attributes", "objectGeneration"), "\u0661\u0662"),
        ("gcp/push_key_space", ("message", "attributes", "eventType"), "SOMETHING_ELSE"),
        ("gcp/push_key_space", ("message", "attributes"), []),
        ("azure/event_key_space", ("data", "url"), "ftp://acme.blob.core.windows.net/c/k"),
        ("azure/event_key_space", ("data", "url"), "https://acme.blob.core.windows.net/c/k#k"),
        ("azure/event_key_space", ("data", "url"), "https://acme.blob.core.windows.net//k"),
        ("azure/event_key_space", ("data", "url"), "https://acme.blob.core.windows.net/c/100%.jpg"),
        ("azure/event_key_space", ("data", "url"), "http://127.0.0.1:10000/account/c"),
        ("azure/event_key_space", ("data", "url"), "https:///c/k"),
        ("azure/event_key_space", ("data", "eTag"), '""'),
        ("azure/event_key_space", ("data",), None),
    ],
    ids=lambda value: str(value)[:60],
)
def test_what_is_not_understood_is_refused_not_guessed(name: str, path: Place, value: object) -> None:
    """A field of the wrong kind ends as a dead letter that keeps the message, not as another object."""
    text = json.dumps(changed(body_of(name), path, value))

    assert outcome_of(PARSE[name.partition("/")[0]], text) == "unparsable_message"


@pytest.fixture
def in_tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the test run nine hours ahead of UTC."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("aws/direct_key_space", ("Records", 0, "eventTime")),
        ("azure/event_key_space", ("eventTime",)),
        ("gcp/push_key_space", ("message", "attributes", "eventTime")),
    ],
)
@pytest.mark.usefixtures("in_tokyo")
def test_times_are_in_utc_whatever_their_zone(name: str, path: Place) -> None:
    """Providers send UTC; another zone means the same moment, and none means UTC, wherever we run."""
    told = [
        only(PARSE[name.partition("/")[0]](json.dumps(changed(body_of(name), path, moment))))
        for moment in ("2026-11-20T09:14:27Z", "2026-11-20T10:14:27+01:00", "2026-11-20T09:14:27")
    ]

    assert {one.occurred_at.isoformat() for one in told} == {"2026-11-20T09:14:27+00:00"}


def test_a_refusal_quotes_little_of_what_it_refuses() -> None:
    """A dead letter must fit into a queue's message, however long the field that nobody understood."""
    long = "x" * 100_000
    for name, path, value in (
        ("aws/direct_key_space", ("Records", 0, "s3", "object", "key"), f"%{long}"),
        ("aws/direct_key_space", ("Records", 0, "eventVersion"), long),
        ("aws/eventbridge_key_space", ("source",), long),
        ("aws/sns_direct", ("Type",), long),
        ("gcp/push_key_space", ("message", "attributes", "eventType"), long),
        ("gcp/cloudevent_finalized", ("type",), long),
        ("azure/event_key_space", ("eventType",), long),
        ("azure/event_key_space", ("data", "url"), long),
    ):
        with pytest.raises(UnparsableMessageError) as refusal:
            PARSE[name.partition("/")[0]](json.dumps(changed(body_of(name), path, value)))

        assert len(str(refusal.value)) < 500, (name, path)


def test_a_replaced_object_is_told_from_the_one_before() -> None:
    """The content changes with every overwrite, or a new file would pass for an old one."""
    first = only(parse_gcp(json.dumps(body_of("gcp/push_key_space"))))
    body = changed(
        body_of("gcp/push_key_space"), ("message", "attributes", "objectGeneration"), "1795543210123457"
    )
    second = only(parse_gcp(json.dumps(body)))

    assert first.content != second.content
    assert replace(second, content=first.content, sequencer=first.sequencer) == first
