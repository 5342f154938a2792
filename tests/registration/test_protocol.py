from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beagle.domain.answers import Accepted, Answer, NameTaken, Postponed, Refused
from beagle.domain.errors import (
    DarwinAmbiguousError,
    DarwinError,
    DarwinNotFoundError,
    DarwinStorageFullError,
    DarwinThrottledError,
    DarwinUnauthorizedError,
    InvalidRequestError,
    ItemBlockedError,
    ItemLimitError,
    RequestTooLargeError,
    UnknownTagsError,
)
from beagle.domain.items import ItemId
from beagle.registration.protocol import Answered, RefusedWhole, Reply, Trouble, retry_after, understand
from registration.samples import DATASET, TEAM

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ONE = [ItemId(team=TEAM, dataset=DATASET, path="/a", name="1.jpg")]


def reply(body: object = b"", status: int = 200, **others: object) -> Reply:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Reply(**{"status": status, "body": content, "received_at": NOW, **others})


def ids(*names: str) -> list[ItemId]:
    return [ItemId(team=TEAM, dataset=DATASET, path="a", name=name) for name in names]


def accepted(name: str, path: str = "/a") -> dict:
    return {"id": f"id-{name}", "name": name, "path": path, "slots": [{"slot_name": "0", "file_name": name}]}


def blocked(name: str, *reasons: object) -> dict:
    slots = [{"slot_name": str(number), "reason": reason} for number, reason in enumerate(reasons)]
    return {**accepted(name), "slots": slots}


def answer_to(*reasons: object, **others: object) -> Answer:
    body = {"items": [], "blocked_items": [blocked("1.jpg", *reasons)]}
    understood = understand(reply(body, **others), ONE)
    assert isinstance(understood, Answered)
    return understood.answers[0]


# --- each item its answer ----------------------------------------------------------------------------

CONDUCTS = {
    "registered": Accepted,
    "taken": NameTaken,
    "refused": Refused,
    "left out": Postponed,
    "twice": Postponed,
    "in both lists": Postponed,
    "blocked twice": Postponed,
}


@given(
    conducts=st.lists(st.sampled_from(sorted(CONDUCTS)), min_size=1, max_size=12),
    order=st.randoms(use_true_random=False),
    strangers=st.integers(0, 3),
)
def test_every_item_gets_exactly_its_own_answer_however_the_reply_is_twisted(
    conducts: list[str], order: object, strangers: int
) -> None:
    """Blocked, omitted, doubled, contradicted, reordered, invented: an item's own entries decide."""
    if conducts == ["left out"] and strangers == 1:
        strangers = 2  # the only answer to an only item is its own, whatever name it gives
    names = [f"{number}.jpg" for number in range(len(conducts))]
    items, blocks = [accepted(f"never sent {number}") for number in range(strangers)], []
    for name, conduct in zip(names, conducts, strict=True):
        items += [accepted(name)] * {"registered": 1, "twice": 2, "in both lists": 1}.get(conduct, 0)
        reason = "UNKNOWN_TAGS" if conduct == "refused" else "ALREADY_EXISTS"
        times = {"taken": 1, "refused": 1, "in both lists": 1, "blocked twice": 2}.get(conduct, 0)
        blocks += [blocked(name, reason)] * times
    order.shuffle(items)
    order.shuffle(blocks)

    understood = understand(reply({"items": items, "blocked_items": blocks}), ids(*names))

    assert isinstance(understood, Answered)
    assert [type(answer) for answer in understood.answers] == [CONDUCTS[conduct] for conduct in conducts]
    assert understood.strangers == strangers
    assert [names[index] for index in understood.left_out] == [
        name for name, conduct in zip(names, conducts, strict=True) if conduct == "left out"
    ]
    for name, answer in zip(names, understood.answers, strict=True):
        if isinstance(answer, Accepted):
            assert answer.item_id == f"id-{name}"
        if isinstance(answer, Postponed):
            assert isinstance(answer.error, DarwinAmbiguousError)
            assert answer.error.committed


@pytest.mark.parametrize("path", ["/a", "a", "a/", "//a"])
def test_an_item_is_recognised_however_darwin_writes_its_path(path: str) -> None:
    assert understand(reply({"items": [accepted("1.jpg", path)]}), ONE) == Answered((Accepted("id-1.jpg"),))


def test_the_same_name_at_another_path_is_another_item() -> None:
    understood = understand(reply({"items": [accepted("1.jpg", "/b")]}), ids("1.jpg", "2.jpg"))

    assert isinstance(understood, Answered)
    assert isinstance(understood.answers[0], Postponed)
    assert understood.strangers == 1


@pytest.mark.parametrize("name", ["x-1.jpg", "1.JPG", "renamed by Darwin"])
def test_the_only_answer_to_an_only_item_is_its_own(name: str) -> None:
    """Darwin may keep names in a form of its own: no item waits for an answer that it has."""
    body = {"items": [accepted(name, "/elsewhere")]}

    assert understand(reply(body), ONE) == Answered((Accepted(f"id-{name}"),))


@pytest.mark.parametrize(("sent", "kept"), [(" x.jpg", "x.jpg"), ("X.JPG", "x.jpg"), ("e\u0301", "\u00e9")])
def test_a_name_is_recognised_in_the_form_that_darwin_keeps(sent: str, kept: str) -> None:
    understood = understand(reply({"items": [accepted(kept), accepted("b")]}), ids("b", sent))

    assert understood == Answered((Accepted("id-b"), Accepted(f"id-{kept}")))


def test_a_name_with_separate_accents_is_recognised_when_darwin_composes_them() -> None:
    composed, separate = "caf\u00e9.jpg", "cafe\u0301.jpg"

    assert understand(reply({"items": [accepted(composed)]}), ids(separate)) == Answered(
        (Accepted(f"id-{composed}"),)
    )
    both = understand(reply({"items": [accepted(composed)]}), ids(separate, composed))
    assert isinstance(both, Answered)
    assert [type(answer) for answer in both.answers] == [Postponed, Accepted]
    unclear = understand(reply({"items": [accepted("\u00c5.jpg")]}), ids("\u212b.jpg", "A\u030a.jpg"))
    assert isinstance(unclear, Answered)
    assert [type(answer) for answer in unclear.answers] == [Postponed, Postponed]


def test_an_entry_of_any_other_form_is_nobodys() -> None:
    body = {"items": [None, 7, "1.jpg", {"name": "1.jpg"}, {"name": [], "path": {}}], "blocked_items": None}

    understood = understand(reply(body), ONE)

    assert isinstance(understood, Answered)
    assert isinstance(understood.answers[0], Postponed)


# --- block reasons -----------------------------------------------------------------------------------


def test_a_taken_name_is_told_by_every_slot_in_any_case_of_letters() -> None:
    assert answer_to("ALREADY_EXISTS") == NameTaken()
    assert answer_to("already_exists", "Already_Exists") == NameTaken()
    assert answer_to("ALREADY_EXISTS", None, "") == NameTaken()


def test_a_taken_name_tells_whether_an_earlier_try_may_have_taken_it() -> None:
    assert answer_to("ALREADY_EXISTS", after_ambiguity=True) == NameTaken(after_ambiguity=True)
    body = {"blocked_items": [blocked("1.jpg", "ALREADY_EXISTS")]}
    assert understand(reply(body), ONE, after_ambiguity=True) == Answered((NameTaken(after_ambiguity=True),))


@pytest.mark.parametrize(
    ("reasons", "kind"),
    [
        (["UNKNOWN_TAGS"], UnknownTagsError),
        (["unknown_tags", "ALREADY_EXISTS"], UnknownTagsError),
        (["ITEM_COUNT_LIMIT_EXCEEDED"], ItemLimitError),
        (["ITEM_COUNT_LIMIT_EXCEEDED", "UNKNOWN_TAGS"], ItemBlockedError),
        (["UNEXPECTED_ERROR"], ItemBlockedError),
        (["duplicate item", "ALREADY_EXISTS"], ItemBlockedError),
        ([], ItemBlockedError),
        ([None], ItemBlockedError),
        ([{"code": "ODD"}, 7], ItemBlockedError),
    ],
)
def test_any_other_reason_refuses_the_item_even_beside_a_taken_name(
    reasons: list[object], kind: type
) -> None:
    answer = answer_to(*reasons)

    assert isinstance(answer, Refused)
    assert type(answer.error) is kind
    for reason in reasons:
        assert not isinstance(reason, str) or reason in str(answer.error)


# --- statuses ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (301, DarwinError),
        (302, DarwinError),
        (401, DarwinUnauthorizedError),
        (403, DarwinUnauthorizedError),
        (404, DarwinNotFoundError),
        (409, DarwinError),
        (429, DarwinThrottledError),
        (500, DarwinAmbiguousError),
        (502, DarwinAmbiguousError),
        (503, DarwinThrottledError),
        (504, DarwinAmbiguousError),
        (520, DarwinAmbiguousError),
    ],
)
def test_a_status_about_the_service_is_trouble_and_no_verdict(status: int, kind: type) -> None:
    understood = understand(reply({"errors": {"code": "SOMETHING"}}, status), ONE)

    assert isinstance(understood, Trouble)
    assert type(understood.error) is kind
    assert "SOMETHING" in str(understood.error)


@pytest.mark.parametrize(
    ("status", "kind"), [(400, InvalidRequestError), (422, InvalidRequestError), (413, RequestTooLargeError)]
)
def test_a_status_about_the_request_refuses_it_whole(status: int, kind: type) -> None:
    understood = understand(reply({"errors": {"items.0.fps": ["is for videos"]}}, status), ONE)

    assert isinstance(understood, RefusedWhole)
    assert type(understood.error) is kind
    assert "items.0.fps: is for videos" in str(understood.error)


def test_used_up_storage_is_not_throttling() -> None:
    body = {"errors": {"code": "INSUFFICIENT_REMAINING_STORAGE"}}

    understood = understand(reply(body, 429), ONE)
    elsewhere = understand(reply({"errors": {"message": "INSUFFICIENT_REMAINING_STORAGE"}}, 429), ONE)

    assert isinstance(understood, Trouble)
    assert isinstance(understood.error, DarwinStorageFullError)
    assert isinstance(elsewhere, Trouble)
    assert isinstance(elsewhere.error, DarwinThrottledError)


def test_a_wrong_key_and_a_missing_permission_are_both_named_for_darwin_answers_them_alike() -> None:
    understood = understand(reply({"errors": {"code": "NOT_AUTHENTICATED"}}, 401), ONE)

    assert isinstance(understood, Trouble)
    assert "Add data to datasets" in str(understood.error)


UNREADABLE = {
    "empty": b"",
    "HTML": b"<html><h1>Bad Gateway</h1></html>",
    "truncated": b'{"items": [{"id": "1", "na',
    "a list": b"[]",
    "no list": b"{}",
    "lists that are none": b'{"items": 3, "blocked_items": "no"}',
    "not UTF-8": b"\xff\xfe\xfa{",
    "deep": b"[" * 100_000,
    "deep and whole": b'{"items":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_success_that_cannot_be_read_is_ambiguous(name: str) -> None:
    understood = understand(reply(UNREADABLE[name]), ONE)

    assert isinstance(understood, Trouble)
    assert isinstance(understood.error, DarwinAmbiguousError)


def test_a_success_that_broke_off_is_ambiguous_even_where_what_came_looks_whole() -> None:
    understood = understand(reply({"items": [accepted("1.jpg")]}, cut_short=True), ONE)

    assert isinstance(understood, Trouble)
    assert isinstance(understood.error, DarwinAmbiguousError)


def test_numbers_beyond_reason_and_doubled_keys_do_not_spoil_the_rest() -> None:
    body = b'{"count": %s, "items": [], "items": [{"id": "x", "name": "1.jpg", "path": "/a"}]}' % (
        b"9" * 100_000
    )

    assert understand(reply(body), ONE) == Answered((Accepted("x"),))


@given(status=st.integers(200, 599), body=st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_reply_whatever_it_holds_is_more_than_the_reader_can_bear(status: int, body: bytes) -> None:
    assert isinstance(understand(reply(body, status), ONE), Answered | RefusedWhole | Trouble)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda part: st.lists(part, max_size=4) | st.dictionaries(st.text(max_size=8), part, max_size=4),
)


@given(status=st.sampled_from([200, 401, 422, 429, 500]), items=JSON, blocks=JSON, errors=JSON)
def test_no_json_whatever_its_form_is_more_than_the_reader_can_bear(
    status: int, items: object, blocks: object, errors: object
) -> None:
    body = {"items": items, "blocked_items": blocks, "errors": errors}

    assert isinstance(understand(reply(body, status), ONE), Answered | RefusedWhole | Trouble)


# --- what Darwin says --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"errors": {"code": "NOT_FOUND"}}, "code: NOT_FOUND"),
        (
            {"errors": {"name": ["has already been taken", "is odd"]}},
            "name: has already been taken; name: is odd",
        ),
        ({"errors": ["one", "two"]}, "one; two"),
        ({"errors": [{"code": "A", "detail": "b"}]}, "code: A; detail: b"),
        ({"error": "gone", "status": 422}, "error: gone; status: 422"),
        (b"plain\n text", "plain text"),
        (b"<h1>no</h1>", "<h1>no</h1>"),
        (b"\xff", "\N{REPLACEMENT CHARACTER}"),
    ],
)
def test_darwins_words_reach_the_error_in_every_form_of_body(body: object, told: str) -> None:
    understood = understand(reply(body, 422), ONE)

    assert isinstance(understood, RefusedWhole)
    assert str(understood.error) == f"Darwin answered 422: {told}"


@given(text=st.text(st.characters(), min_size=3_000, max_size=4_000))
def test_what_darwin_says_is_bounded_and_can_be_written_anywhere(text: str) -> None:
    understood = understand(reply({"errors": {"detail": text}}, 422), ONE)

    assert isinstance(understood, RefusedWhole)
    assert len(str(understood.error)) < 2_100
    assert "\n" not in str(understood.error).encode().decode()


# --- Retry-After -------------------------------------------------------------------------------------


def asked(value: str) -> float | None:
    return retry_after(reply(status=429, headers={"retry-after": value}))


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        ("1", 1),
        (" 20 ", 20),
        ("1.5", 1.5),
        ("300", 300),
        ("301", 300),
        ("9" * 5_000, 300),
        ("-5", 0),
        ("", None),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("1, 2", None),
        ("\u0661", None),
        ("Thu, 01 Jan 2026 00:00:30 GMT", 30),
        ("Thu, 01 Jan 2026 00:00:30 -0000", 30),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 300),
        ("Thu, 99 Foo 2026 99:99:99 GMT", None),
    ],
)
def test_retry_after_is_read_in_every_form_and_kept_between_0_and_300_seconds(
    value: str, seconds: float | None
) -> None:
    assert asked(value) == seconds


@given(st.text(max_size=40) | st.from_regex(r"\A[A-Z][a-z]{2}, [0-9 :A-Za-z+-]{0,40}\Z"))
def test_no_retry_after_is_more_than_the_reader_can_bear(value: str) -> None:
    seconds = asked(value)

    assert seconds is None or 0 <= seconds <= 300


@given(st.integers(-(10**6), 10**6))
def test_a_date_and_its_seconds_mean_the_same(seconds: int) -> None:
    date = format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)

    assert asked(date) == asked(str(seconds)) == min(max(seconds, 0), 300)
