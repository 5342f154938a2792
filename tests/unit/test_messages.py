"""Our own JSON: what was written is read again, for ever, and nothing else is taken for it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from beagle import messages
from beagle.domain.errors import NewerMessageError, UnparsableMessageError
from beagle.domain.events import ObjectCreated, ObjectRef
from beagle.domain.items import (
    HlsArtifacts,
    HlsStream,
    ImageArtifacts,
    Item,
    ItemId,
    Layout,
    ReadyItem,
    ReadyPart,
    Section,
    SectionsArtifacts,
    Slot,
)
from beagle.domain.letters import RAW_LIMIT, DeadLetter
from beagle.messages import (
    MESSAGE_LIMIT,
    dump_entry,
    dump_event,
    dump_item,
    dump_letter,
    load_entry,
    load_event,
    load_item,
    load_letter,
    load_stamp,
)
from beagle.ports import LedgerEntry
from beagle.providers.aws.notifications import parse_notification

RECORDINGS = sorted((Path(__file__).parents[1] / "recordings" / "messages").glob("*.json"))
SENT = datetime(2026, 11, 20, 9, 14, tzinfo=UTC)

TEXT = st.text(max_size=20)
COUNTS = st.integers(0, 2**40)
NUMBERS = st.floats(0.001, 1e9)
TIMES = st.datetimes(timezones=st.just(UTC))
REFS = st.builds(ObjectRef, provider=st.sampled_from(["aws", "gcp", "azure", "local"]), bucket=TEXT, key=TEXT)
EVENTS = st.builds(
    ObjectCreated, ref=REFS, content=TEXT, size=st.none() | COUNTS, occurred_at=TIMES, sequencer=TEXT
)
IMAGES = st.builds(ImageArtifacts, thumbnail_key=TEXT, width=COUNTS, height=COUNTS)
SECTIONS = st.builds(
    SectionsArtifacts,
    thumbnail_key=TEXT,
    sections=st.lists(
        st.builds(Section, width=COUNTS, height=COUNTS, high_key=TEXT, low_key=st.none() | TEXT), max_size=3
    ).map(tuple),
)
STREAMS = st.builds(HlsStream, index=TEXT, bitrate=st.none() | NUMBERS)
HLS = st.builds(
    HlsArtifacts,
    thumbnail_key=TEXT,
    width=COUNTS,
    height=COUNTS,
    native_fps=NUMBERS,
    visible_frames=COUNTS,
    total_frames=COUNTS,
    high=STREAMS,
    low=STREAMS,
    sections_prefix=TEXT,
    sections_extension=TEXT,
    low_sections_prefix=st.none() | TEXT,
    frames_manifest_key=TEXT,
    audio_peaks_key=st.none() | TEXT,
)
SLOTS = st.builds(
    Slot,
    name=TEXT,
    file_name=TEXT,
    storage_key=TEXT,
    media_type=st.sampled_from([None, "image", "video", "pdf", "dicom"]),
    size=st.none() | COUNTS,
    fps=st.none() | st.just("native") | NUMBERS,
    as_frames=st.none() | st.booleans(),
    extract_views=st.booleans(),
    tags=st.lists(TEXT, max_size=2).map(tuple),
    artifacts=st.none() | IMAGES | SECTIONS | HLS,
)
LAYOUTS = st.builds(
    Layout,
    version=st.sampled_from([1, 2, 3]),
    kind=st.sampled_from(["grid", "horizontal", "vertical", "simple"]),
    slots=st.lists(TEXT, max_size=3).map(tuple),
    shape=st.lists(st.integers(1, 4), max_size=3).map(tuple),
    grid=st.lists(st.lists(st.lists(TEXT, max_size=2).map(tuple), max_size=2).map(tuple), max_size=2).map(
        tuple
    ),
)
ITEM_IDS = st.builds(ItemId, team=TEXT, dataset=TEXT, path=TEXT, name=TEXT)
ITEMS = st.builds(
    Item,
    id=ITEM_IDS,
    storage=TEXT,
    access=st.sampled_from(["read_write", "read_only"]),
    slots=st.lists(SLOTS, max_size=3).map(tuple),
    layout=st.none() | LAYOUTS,
    tags=st.lists(TEXT, max_size=2).map(tuple),
    ignore_dicom_layout=st.booleans(),
    azure_container=st.none() | st.booleans(),
)
READY = st.builds(
    ReadyItem,
    event=EVENTS,
    item=ITEMS,
    route=TEXT,
    on_overwrite=st.sampled_from(["ignore", "dead_letter", "new_name"]),
    on_name_collision=st.sampled_from(["dead_letter", "new_name"]),
    replayed=COUNTS,
    group=st.none() | EVENTS,
)
LETTERS = st.builds(
    DeadLetter,
    id=TEXT,
    code=TEXT,
    reason=TEXT,
    stage=TEXT,
    event=st.none() | EVENTS,
    raw=TEXT,
    item=st.none() | ITEMS,
    route=TEXT,
    attempts=COUNTS,
    replayed=COUNTS,
    first_at=TIMES,
    last_at=TIMES,
    version=TEXT,
)
ENTRIES = st.builds(
    LedgerEntry,
    item=ITEM_IDS,
    state=st.sampled_from(["intent", "registered", "released"]),
    provider=TEXT,
    bucket=TEXT,
    key=TEXT,
    content=TEXT,
    sequencer=TEXT,
    size=st.none() | COUNTS,
    attempts=COUNTS,
    item_id=TEXT,
    adopted=st.booleans(),
    in_flight_until=st.none() | TIMES,
    message=TEXT,
    since=st.none() | TIMES,
)
INTENTS = st.builds(replace, ENTRIES, previous=st.none() | ENTRIES)


def letter_of(body):
    return load_letter(body, attempts=7, sent_at=SENT, version="0.1.0")


# --- what was written is read --------------------------------------------------------------------------


@given(event=EVENTS, replayed=COUNTS)
def test_an_event_is_read_as_it_was_written(event, replayed):
    notification = load_event(dump_event(event, replayed))

    assert notification is not None
    assert (notification.announced, notification.replayed) == ((event,), replayed)


@given(ready=READY)
def test_an_item_is_read_as_it_was_written_whatever_artifacts_it_has(ready):
    """Of every kind: an image's, sections, HLS, or none."""
    assert load_item(dump_item(ready)) == ready


@given(letter=LETTERS)
def test_a_letter_is_read_as_it_was_written(letter):
    assert letter_of(dump_letter(letter)) == letter


@given(entry=INTENTS, stamp=TEXT)
def test_a_ledger_entry_is_read_as_it_was_written(entry, stamp):
    data = dump_entry(entry, stamp)

    assert load_entry(data) == entry
    assert load_stamp(data) == stamp


@given(ready=READY)
def test_messages_are_plain_ascii_so_that_characters_are_bytes(ready):
    """Queues count bytes, and refuse characters that XML cannot hold."""
    body = dump_item(ready)

    assert body.isascii()
    assert body.isprintable()


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
def test_what_any_version_ever_wrote_is_read_for_ever(path):
    """Letters are replayed months later, and old and new code run side by side: never change a recording."""
    recording = json.loads(path.read_text())
    body, expected = json.dumps(recording["message"]), recording["expected"]

    if path.stem.startswith("event"):
        [event] = load_event(body).announced
        found = {"key": event.ref.key, "content": event.content, "replayed": load_event(body).replayed}
    elif path.stem.startswith("item"):
        ready = load_item(body)
        kinds = [type(slot.artifacts).__name__ for slot in ready.item.slots]
        found = {"key": ready.event.ref.key, "name": ready.item.id.name, "artifacts": kinds}
    elif path.stem.startswith("letter"):
        letter = letter_of(body)
        found = {"id": letter.id, "code": letter.code, "key": letter.event.ref.key if letter.event else None}
    else:
        entry = load_entry(body.encode())
        found = {"name": entry.item.name, "state": entry.state, "key": entry.key, "attempts": entry.attempts}
    assert found == expected


def test_every_form_has_its_recordings():
    assert {path.stem.split("_")[0] for path in RECORDINGS} == {"event", "item", "letter", "ledger"}


# --- what is not ours ----------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["2", "10", "99999999999999999999"])
def test_what_a_newer_beagle_wrote_waits_for_the_newer(version):
    """It is no verdict about an object: while both are deployed, the newer one reads it."""
    for form, load in (("event", load_event), ("item", load_item)):
        with pytest.raises(NewerMessageError, match=f"{form}/{version}.*deploy the newer"):
            load(json.dumps({"beagle": f"{form}/{version}"}))
    with pytest.raises(NewerMessageError):
        load_entry(json.dumps({"beagle": f"ledger/{version}"}).encode())


@pytest.mark.parametrize("version", ["0", "", "-1", "x", "1.5", "٢", "1/2"])
def test_a_version_that_never_was_is_refused(version):
    with pytest.raises(UnparsableMessageError):
        load_item(json.dumps({"beagle": f"item/{version}"}))


GARBAGE = [
    "", "null", "[]", '"beagle"', "{}", '{"beagle": null}', '{"beagle": 1}', '{"beagle": "item"}',
    '{"beagle"', '{"beagle": "event/1"}x', "[" * 100_000 + '"beagle"', '{"Records": []}',
    '{"beagle": ' + "9" * 5000 + "}",
]  # fmt: skip


@pytest.mark.parametrize("body", GARBAGE, ids=range(len(GARBAGE)))
def test_garbage_is_no_message_of_ours(body):
    assert load_event(body) is None
    with pytest.raises(UnparsableMessageError):
        load_item(body)
    with pytest.raises(UnparsableMessageError):
        load_entry(body.encode())
    assert letter_of(body).code == "gave_up"


@given(data=st.binary(max_size=200))
@example(b"\xff\xfe")
def test_any_bytes_in_the_state_bucket_end_in_an_error_of_ours(data):
    with pytest.raises(UnparsableMessageError):
        load_entry(data)


@given(ready=READY, data=st.data())
def test_a_message_with_a_part_missing_or_wrong_ends_in_an_error_of_ours(ready, data):
    """Never in a bug: whoever may write to the queue can write anything."""
    wire = json.loads(dump_item(ready))
    place = wire
    while True:
        name = data.draw(st.sampled_from(sorted(place)))
        if not isinstance(place[name], dict) or not place[name] or data.draw(st.booleans()):
            break
        place = place[name]
    place[name] = data.draw(st.sampled_from([None, "", -1, [], {}, "\ud800", float("inf"), True]))

    try:
        load_item(json.dumps(wire))
    except UnparsableMessageError as error:
        str(error).encode()


def test_a_time_without_a_zone_is_refused():
    """It could not be compared with the clock: found later, it would be a bug."""
    event = ObjectCreated(
        ref=ObjectRef(provider="aws", bucket="b", key="k"), content="c", size=1, occurred_at=SENT
    )

    with pytest.raises(UnparsableMessageError, match="zone"):
        load_event(dump_event(event, 0).replace("Z", ""))


# --- letters -------------------------------------------------------------------------------------------


def test_a_message_that_the_platform_gave_up_becomes_a_letter_of_what_it_was_about():
    """Raw messages in the dead-letter queue are read like our own: an event, an item, or bytes."""
    event = ObjectCreated(
        ref=ObjectRef(provider="aws", bucket="b", key="k"), content="c", size=1, occurred_at=SENT
    )
    item = Item(
        id=ItemId(team="t", dataset="d", path="/", name="k"), storage="s", access="read_write", slots=()
    )
    given_up = letter_of(dump_item(ReadyItem(event=event, item=item, route="r", replayed=2)))

    assert (given_up.code, given_up.stage, given_up.attempts) == ("gave_up", "queue", 7)
    assert (given_up.event, given_up.item, given_up.route, given_up.replayed) == (event, item, "r", 2)
    assert letter_of(dump_event(event, 1)).event == event
    assert letter_of("bytes").raw == "bytes"
    assert letter_of(dump_event(event, 1)).replayed == 1


def test_what_the_queue_holds_whole_is_read_whole():
    """A stage keeps the beginning of a message; here nothing was lost that a replay could not send."""
    assert letter_of("x" * 99_999).raw == "x" * 99_999
    assert letter_of("x" * 99_999).is_whole


@pytest.mark.parametrize("form", ["letter/2", "event/2", "item/3"])
def test_what_a_newer_beagle_wrote_is_a_letter_that_says_so(form):
    """After a roll-back the older command meets it: it says whose it is, and takes it for nothing else."""
    found = letter_of(json.dumps({"beagle": form, "id": "abc", "code": "name_collision"}))

    assert found.code == "newer_message"
    assert "written by a newer Beagle" in found.reason
    assert form in found.reason
    assert found.event is None


EVENTBRIDGE = {
    "detail-type": "Object Created",
    "source": "aws.s3",
    "time": "2026-11-20T09:00:00Z",
    "detail": {"bucket": {"name": "acme"}, "object": {"key": "cars/1.jpg", "size": 7, "etag": "e"}},
}


def given_up(body):
    return load_letter(body, attempts=7, sent_at=SENT, version="0.1.0", parse=parse_notification)


def test_a_notification_that_the_platform_gave_up_tells_its_object():
    """Its bucket and key are in it: people look for them."""
    raw = json.dumps(EVENTBRIDGE)
    found = given_up(raw)

    assert found.event is not None
    assert (str(found.event.ref), found.first_at.hour) == ("s3://acme/cars/1.jpg", 9)
    assert found.raw == raw
    assert given_up("garbage").event is None
    # As a worker keeps it that cannot read it: the letter is ours, and what it is about is told later.
    assert given_up(dump_letter(letter_of(raw))).event == found.event


def test_a_notification_of_several_objects_is_none_of_them():
    """Taken for one of them, the others would be lost when it is replayed."""
    record = {
        "eventVersion": "2.1", "eventSource": "aws:s3", "eventTime": "2026-11-20T09:00:00.000Z",
        "eventName": "ObjectCreated:Put",
    }  # fmt: skip
    records = [
        {**record, "s3": {"bucket": {"name": "b"}, "object": {"key": key, "size": 1, "eTag": "e"}}}
        for key in ("1.jpg", "2.jpg")
    ]

    assert given_up(json.dumps({"Records": records[:1]})).event is not None
    assert given_up(json.dumps({"Records": records})).event is None
    records[1]["eventVersion"] = "3.0"
    assert given_up(json.dumps({"Records": records})).event is None


@given(
    letter=LETTERS,
    size=st.sampled_from([0, 3000, 60_000]),
    character=st.sampled_from(["x", '"', "é", "🐶"]),
    limit=st.sampled_from([MESSAGE_LIMIT, 48_000]),
)
def test_a_letter_always_fits_into_its_queue_and_is_replayed_or_says_that_it_was_cut(
    letter, size, character, limit
):
    """The event stays, or the raw message where there is no event; the item and long words go first."""
    slot = Slot(name="0", file_name="f", storage_key=character * size, media_type=None)
    item = letter.item and replace(letter.item, slots=(slot,) * 5)
    long = replace(letter, item=item, reason=character * size, raw=(character * size)[:RAW_LIMIT])

    body = dump_letter(long, limit)

    assert len(body) <= limit
    found = letter_of(body)
    assert (found.id, found.code, found.event) == (long.id, long.code, long.event)
    assert found.event or found.raw == long.raw or (not found.is_whole and len(found.raw) > 1000)
    assert len(found.reason) >= min(len(long.reason), 1000)


def test_a_part_comes_back_as_its_maker_wrote_it():
    """Whole numbers stay whole, and truths true: a part is opaque to everybody but its maker."""
    part = {"number": 3, "parts": 7, "seek": 1.5, "end": None, "has_middle": True}
    event = ObjectCreated(
        ref=ObjectRef(provider="aws", bucket="b", key="k.mp4"),
        content="v1",
        size=1,
        occurred_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    item = Item(
        id=ItemId(team="t", dataset="d", path="/", name="n"), storage="s", access="read_only", slots=()
    )
    ready = ReadyPart(ready=ReadyItem(event=event, item=item, route="r"), slot=0, part=part)

    loaded = messages.load_part(messages.dump_part(ready))

    assert loaded == ready
    assert [type(value) for value in loaded.part.values()] == [type(value) for value in part.values()]
