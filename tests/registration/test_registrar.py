from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from math import log2
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beagle.domain.answers import Accepted, Answer, NameTaken, Postponed, Refused, Standing
from beagle.domain.errors import (
    DarwinAmbiguousError,
    DarwinError,
    DarwinNotAskedError,
    DarwinNotFoundError,
    DarwinStorageFullError,
    DarwinThrottledError,
    DarwinUnauthorizedError,
    InvalidRequestError,
    ItemBlockedError,
    RequestTooLargeError,
    SecretUnavailableError,
    UnknownTagsError,
)
from beagle.domain.items import ItemId
from beagle.emulator import ADD_DATA, DEFAULT_KEY, EmulatedDarwin, Fault, Limits, Request, Server, serve
from beagle.ports import Destination
from beagle.providers.local.clock import FakeClock
from beagle.registration.pacing import Pacer
from beagle.registration.payloads import encode_item
from beagle.registration.protocol import Reply
from beagle.registration.registrar import DarwinRegistrar
from registration.samples import (
    ARCHIVE,
    HLS,
    IMAGE,
    MINUTE,
    SECTIONS,
    TO_ARCHIVE,
    TO_UPLOADS,
    Left,
    archived,
    client_of,
    images,
    item,
    registrar_of,
    slot,
)

if TYPE_CHECKING:
    from pydantic import SecretStr

    from beagle.ports import Deadline
    from beagle.registration.client import DarwinClient


class Straight:
    """A client without a socket: requests go straight into the emulated Darwin."""

    def __init__(self, darwin: EmulatedDarwin) -> None:
        self.darwin = darwin
        self.clock = FakeClock()

    def post(self, path: str, body: bytes, deadline: Deadline, *, retries: int = 0) -> Reply:  # noqa: ARG002
        headers = {"authorization": f"ApiKey {DEFAULT_KEY}", "content-type": "application/json"}
        answer = self.darwin.handle(Request("POST", path, headers=headers, body=body))
        names = {name.lower(): value for name, value in answer.headers}
        return Reply(status=answer.status, headers=names, body=answer.body, received_at=self.clock.now())


def kinds(answers: list[Answer]) -> list[type]:
    return [type(answer.error if isinstance(answer, Refused | Postponed) else answer) for answer in answers]


def sizes(darwin: EmulatedDarwin) -> list[int]:
    """How many items each registration held, in order."""
    return [served.items for served in darwin.requests() if served.method == "POST"]


def test_items_are_registered_in_as_few_requests_as_allowed_and_answered_in_order(
    darwin: EmulatedDarwin, registrar: DarwinRegistrar
) -> None:
    answers = registrar.register(TO_UPLOADS, images(250), MINUTE)

    by_name = {registered.name: registered.id for registered in darwin.items()}
    assert answers == [Accepted(by_name[f"{number:03}.jpg"]) for number in range(250)]
    assert sizes(darwin) == [100, 100, 50]


def test_requests_are_cut_by_bytes_too(darwin: EmulatedDarwin, client: DarwinClient) -> None:
    each = len(encode_item(images(1)[0])) + 1
    registrar = registrar_of(client, bytes_per_request=12 * each)

    assert set(kinds(registrar.register(TO_UPLOADS, images(30), MINUTE))) == {Accepted}
    assert max(sizes(darwin)) == 12
    assert sum(sizes(darwin)) == 30


def test_read_only_items_of_every_shape_go_to_their_own_endpoint(
    darwin: EmulatedDarwin, registrar: DarwinRegistrar
) -> None:
    items = [
        archived("a.jpg", slot("a.jpg", artifacts=IMAGE)),
        archived("b.mp4", slot("b.mp4", media_type="video", artifacts=SECTIONS)),
        archived("c.mp4", slot("c.mp4", media_type="video", artifacts=HLS)),
    ]

    assert kinds(registrar.register(TO_ARCHIVE, items, MINUTE)) == [Accepted] * 3
    assert {registered.storage for registered in darwin.items()} == {ARCHIVE}


@settings(deadline=None, max_examples=40)
@given(conducts=st.lists(st.sampled_from(["fine", "taken", "tags", "odd", "lost"]), min_size=1, max_size=40))
def test_each_item_of_a_mixed_request_gets_its_own_answer(conducts: list[str]) -> None:
    darwin = EmulatedDarwin.with_defaults()
    items = []
    for number, conduct in enumerate(conducts):
        name = f"{number}.{conduct}.jpg"
        items.append(item(name, tags=("nobody knows it",) if conduct == "tags" else ()))
        if conduct == "taken":
            darwin.seed_item("incoming", "/cars", name)
        if conduct == "odd":
            items[-1] = item(name, slot(name, fps=5.0))
    # The first of them is left out of the answer, though it stands.
    darwin.inject(Fault(kind="missing_item", match=".lost"))
    lost = next((number for number, conduct in enumerate(conducts) if conduct == "lost"), None)

    answers = registrar_of(Straight(darwin)).register(TO_UPLOADS, items, MINUTE)

    expected = {
        "fine": Accepted,
        "taken": NameTaken,
        "tags": UnknownTagsError,
        "odd": InvalidRequestError,
        "lost": Accepted,
    }
    assert kinds(answers) == [
        DarwinAmbiguousError if number == lost else expected[conduct]
        for number, conduct in enumerate(conducts)
    ]
    assert answers == [answer if answer != NameTaken(after_ambiguity=True) else None for answer in answers]


# --- one bad item ------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=60)
@given(count=st.integers(1, 500), place=st.floats(0, 1, exclude_max=True), status=st.sampled_from([400, 422]))
def test_one_bad_item_of_n_is_found_in_2_log2_n_plus_1_requests(
    count: int, place: float, status: int
) -> None:
    darwin = EmulatedDarwin.with_defaults()
    bad = int(count * place)
    darwin.inject(Fault(kind="status", status=status, match=f"{bad:03}.jpg", count=None, code="ODD_ITEM"))

    answers = registrar_of(Straight(darwin), items_per_request=500).register(
        TO_UPLOADS, images(count), MINUTE
    )

    assert len(darwin.requests()) <= 2 * log2(count) + 1
    assert [number for number, kind in enumerate(kinds(answers)) if kind is not Accepted] == [bad]
    refused = answers[bad]
    assert isinstance(refused, Refused)
    assert isinstance(refused.error, InvalidRequestError)
    assert "ODD_ITEM" in str(refused.error)


@settings(deadline=None, max_examples=40)
@given(count=st.integers(1, 64), bad=st.sets(st.integers(0, 63)))
def test_exactly_the_bad_items_are_refused_however_many(count: int, bad: set[int]) -> None:
    darwin = EmulatedDarwin.with_defaults()
    darwin.inject(Fault(kind="status", status=422, match=".bad", count=None))
    items = [item(f"{number}{'.bad' if number in bad else ''}.jpg") for number in range(count)]

    answers = registrar_of(Straight(darwin)).register(TO_UPLOADS, items, MINUTE)

    assert kinds(answers) == [InvalidRequestError if number in bad else Accepted for number in range(count)]
    assert len(darwin.items()) == count - len([number for number in bad if number < count])


def test_what_cannot_be_said_is_refused_without_asking_and_the_others_go(
    darwin: EmulatedDarwin, registrar: DarwinRegistrar
) -> None:
    items = [item("a.jpg"), item("b.jpg", slot("b.jpg", artifacts=IMAGE)), item("c.jpg")]

    assert kinds(registrar.register(TO_UPLOADS, items, MINUTE)) == [Accepted, InvalidRequestError, Accepted]
    assert sizes(darwin) == [2]


# --- too much at once --------------------------------------------------------------------------------


def small_darwin(**limits: int) -> EmulatedDarwin:
    return EmulatedDarwin.with_defaults(limits=Limits(**limits))


def test_a_request_too_large_is_halved_until_it_fits_and_the_size_remembered() -> None:
    darwin = small_darwin(body_bytes=3_000)
    registrar = registrar_of(Straight(darwin))

    assert set(kinds(registrar.register(TO_UPLOADS, images(100), MINUTE))) == {Accepted}
    again = [item(f"again-{number}.jpg") for number in range(100)]
    asked = len(darwin.requests())
    assert set(kinds(registrar.register(TO_UPLOADS, again, MINUTE))) == {Accepted}

    assert 413 not in {served.status for served in darwin.requests()[asked:]}
    assert len(darwin.requests()) - asked <= 8


def test_an_item_too_large_by_itself_is_refused_and_the_others_go() -> None:
    darwin = small_darwin(body_bytes=2_000)
    huge = item("huge.jpg", slot("huge.jpg", storage_key="k" * 2_500))
    items = [*images(5), huge, item("last.jpg")]

    answers = registrar_of(Straight(darwin)).register(TO_UPLOADS, items, MINUTE)

    assert kinds(answers) == [Accepted] * 5 + [RequestTooLargeError, Accepted]


def test_a_count_that_darwin_does_not_take_is_found_once_and_no_item_is_blamed() -> None:
    """darwin-py sends ten items at a time; where Darwin insists on it, the first request finds it out."""
    darwin = small_darwin(items_per_request=10)
    registrar = registrar_of(Straight(darwin))

    assert set(kinds(registrar.register(TO_UPLOADS, images(100), MINUTE))) == {Accepted}
    first = len(darwin.requests())
    again = [item(f"again-{number}.jpg") for number in range(100)]
    assert set(kinds(registrar.register(TO_UPLOADS, again, MINUTE))) == {Accepted}

    assert 422 not in {served.status for served in darwin.requests()[first:]}
    assert len(darwin.requests()) - first <= 20
    assert first <= 60


# --- trouble -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "code", "kind", "rest"),
    [
        (401, None, DarwinUnauthorizedError, DarwinUnauthorizedError),
        (403, None, DarwinUnauthorizedError, DarwinUnauthorizedError),
        (404, None, DarwinNotFoundError, DarwinNotFoundError),
        (429, None, DarwinThrottledError, DarwinThrottledError),
        (429, "INSUFFICIENT_REMAINING_STORAGE", DarwinStorageFullError, DarwinStorageFullError),
        (500, None, DarwinAmbiguousError, DarwinNotAskedError),
    ],
)
def test_trouble_midway_keeps_the_answers_had_and_postpones_the_rest_without_asking(
    status: int, code: str | None, kind: type, rest: type
) -> None:
    """What was never sent cannot have been registered: its trouble is never a doubtful one."""
    darwin = EmulatedDarwin.with_defaults()
    registrar = registrar_of(Straight(darwin))
    darwin.inject(Fault(kind="status", status=status, code=code, skip=1, count=None))

    answers = registrar.register(TO_UPLOADS, images(300), MINUTE)

    assert kinds(answers) == [Accepted] * 100 + [kind] * 100 + [rest] * 100
    assert len(darwin.requests()) == 2
    assert not any(answer.error.committed for answer in answers[200:] if isinstance(answer, Postponed))


def test_trouble_while_a_request_is_split_ends_the_splitting(
    darwin: EmulatedDarwin, registrar: DarwinRegistrar
) -> None:
    darwin.inject(Fault(kind="status", status=422), Fault(kind="status", status=500, count=None))

    answers = registrar.register(TO_UPLOADS, images(4), MINUTE)

    assert kinds(answers) == [DarwinAmbiguousError] * 2 + [DarwinNotAskedError] * 2
    assert len(darwin.requests()) == 2


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("fault", ["502", "504", "503", "reset"])
def test_a_lost_answer_found_again_tells_that_the_name_may_be_taken_by_ourselves(
    darwin: EmulatedDarwin, registrar: DarwinRegistrar, fault: str, when: str
) -> None:
    status = {"kind": "status", "status": int(fault)} if fault.isdigit() else {"kind": fault}
    darwin.inject(Fault(**status, when=when))

    [answer] = registrar.register(TO_UPLOADS, images(1), MINUTE)

    assert isinstance(answer, Accepted) if when == "before" else answer == NameTaken(after_ambiguity=True)
    assert len(darwin.items()) == 1


def test_a_name_taken_at_the_first_try_is_not_called_ours(
    darwin: EmulatedDarwin, registrar: DarwinRegistrar
) -> None:
    darwin.seed_item("incoming", "/cars", "000.jpg")

    assert registrar.register(TO_UPLOADS, images(1), MINUTE) == [NameTaken(after_ambiguity=False)]


def test_throttling_after_a_doubtful_try_stays_doubtful(
    darwin: EmulatedDarwin, registrar: DarwinRegistrar
) -> None:
    darwin.inject(
        Fault(kind="status", status=502, when="after"), Fault(kind="status", status=429, retry_after="7")
    )

    [answer] = registrar.register(TO_UPLOADS, images(1), MINUTE)

    assert isinstance(answer, Postponed)
    assert answer.error.committed
    assert answer.error.retry_after == 7


def test_doubt_reaches_the_halves_of_a_request_that_was_refused_after_it(
    darwin: EmulatedDarwin, registrar: DarwinRegistrar
) -> None:
    darwin.inject(Fault(kind="status", status=502, when="after"), Fault(kind="status", status=422))

    answers = registrar.register(TO_UPLOADS, images(4), MINUTE)

    assert answers == [NameTaken(after_ambiguity=True)] * 4


def test_doubt_stays_with_the_half_that_was_not_sent_again(
    darwin: EmulatedDarwin, registrar: DarwinRegistrar
) -> None:
    darwin.inject(
        Fault(kind="status", status=502, when="after"),
        Fault(kind="status", status=422),
        Fault(kind="status", status=401, count=None),
    )

    answers = registrar.register(TO_UPLOADS, images(4), MINUTE)

    assert [isinstance(answer, Postponed) and answer.error.committed for answer in answers] == [True] * 4


@pytest.mark.parametrize("second", [{"kind": "status", "status": 422}, {"kind": "block"}])
def test_a_refusal_after_a_doubtful_try_tells_of_the_doubt(
    darwin: EmulatedDarwin, registrar: DarwinRegistrar, second: dict
) -> None:
    darwin.inject(Fault(kind="status", status=502, when="after"), Fault(**second))

    [answer] = registrar.register(TO_UPLOADS, images(1), MINUTE)

    assert isinstance(answer, Refused)
    assert answer.after_ambiguity


@pytest.mark.parametrize("kind", ["truncated_json", "empty", "reset_mid_body", "html"])
def test_an_answer_that_cannot_be_read_leaves_every_item_in_doubt(
    darwin: EmulatedDarwin, registrar: DarwinRegistrar, kind: str
) -> None:
    darwin.inject(Fault(kind=kind, status=200, when="after"))

    assert kinds(registrar.register(TO_UPLOADS, images(3), MINUTE)) == [DarwinAmbiguousError] * 3


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("missing_item", [Accepted, DarwinAmbiguousError, Accepted]),
        ("in_both_lists", [Accepted, DarwinAmbiguousError, Accepted]),
        ("extra_item", [Accepted] * 3),
        ("reordered", [Accepted] * 3),
        ("block", [Accepted, ItemBlockedError, Accepted]),
    ],
)
def test_a_twisted_answer_concerns_only_the_items_it_is_about(
    darwin: EmulatedDarwin, registrar: DarwinRegistrar, kind: str, expected: list[type]
) -> None:
    darwin.inject(Fault(kind=kind, match="001"))

    assert kinds(registrar.register(TO_UPLOADS, images(3), MINUTE)) == expected


def test_a_pause_that_darwin_asks_for_is_told_and_kept(darwin: EmulatedDarwin, client: DarwinClient) -> None:
    clock = FakeClock()
    registrar = DarwinRegistrar(client, Pacer(clock, 6_000), clock=clock)
    darwin.inject(Fault(kind="status", status=429, retry_after="120"))

    [first] = registrar.register(TO_UPLOADS, images(1), MINUTE)
    [second] = registrar.register(TO_UPLOADS, images(1), MINUTE)

    assert isinstance(first, Postponed)
    assert first.error.retry_after == 120
    assert isinstance(second, Postponed)
    assert isinstance(second.error, DarwinNotAskedError)
    assert second.error.retry_after == registrar.seconds_to_wait(TO_UPLOADS) == pytest.approx(120, abs=1)
    assert len(darwin.requests()) == 1
    clock.advance(121)
    assert registrar.seconds_to_wait(TO_UPLOADS) == 0
    assert kinds(registrar.register(TO_UPLOADS, images(1), MINUTE)) == [Accepted]


def test_a_wrong_key_costs_a_request_a_minute_however_often_it_is_tried(
    darwin: EmulatedDarwin, server: Server
) -> None:
    clock = FakeClock()
    registrar = DarwinRegistrar(client_of(server.url, "wrong.key"), Pacer(clock, 6_000), clock=clock)
    for _ in range(600):
        answers = registrar.register(TO_UPLOADS, images(100), Left(10))
        assert all(isinstance(answer, Postponed) for answer in answers)
        clock.advance(1)

    assert len(darwin.requests()) <= 11


def test_during_an_outage_a_request_is_tried_once_and_not_three_times(
    darwin: EmulatedDarwin, server: Server
) -> None:
    clock = FakeClock()
    registrar = DarwinRegistrar(client_of(server.url, clock=clock), Pacer(clock, 6_000), clock=clock)
    darwin.inject(Fault(kind="status", status=502, count=None))
    while clock.monotonic() < 3600:
        registrar.register(TO_UPLOADS, images(1), Left(30))
        clock.advance(1)
    asked = len(darwin.requests())
    darwin.clear_faults()
    clock.advance(61)

    assert asked <= 3600 / 30 + 15
    assert kinds(registrar.register(TO_UPLOADS, images(1), Left(30))) == [Accepted]


def test_short_retries_count_in_the_rate(darwin: EmulatedDarwin, client: DarwinClient) -> None:
    clock = FakeClock()
    registrar = DarwinRegistrar(client, Pacer(clock, 60, burst=3), clock=clock)
    darwin.inject(Fault(kind="status", status=502, count=2))

    assert kinds(registrar.register(TO_UPLOADS, images(1), MINUTE)) == [Accepted]
    assert registrar.seconds_to_wait(TO_UPLOADS) == pytest.approx(1)


def test_out_of_time_nothing_is_sent(darwin: EmulatedDarwin, registrar: DarwinRegistrar) -> None:
    assert kinds(registrar.register(TO_UPLOADS, images(2), Left(2))) == [DarwinNotAskedError] * 2
    assert darwin.requests() == []


def test_an_unknown_dataset_does_not_hold_back_the_others(
    darwin: EmulatedDarwin, client: DarwinClient
) -> None:
    clock = FakeClock()
    registrar = DarwinRegistrar(client, Pacer(clock, 6_000), clock=clock)
    nowhere = Destination(team="acme", dataset="nowhere", storage="acme-uploads", access="read_write")
    lost = item("a.jpg", id=ItemId(team="acme", dataset="nowhere", path="/", name="a.jpg"))

    assert kinds(registrar.register(nowhere, [lost], MINUTE)) == [DarwinNotFoundError]
    assert kinds(registrar.register(TO_UPLOADS, images(1), MINUTE)) == [Accepted]
    assert kinds(registrar.register(nowhere, [lost], Left(30))) == [DarwinNotAskedError]
    assert len(darwin.requests()) == 2


def test_without_a_key_nothing_is_sent_and_the_secret_stores_trouble_is_told(
    darwin: EmulatedDarwin, server: Server
) -> None:
    def fetch() -> SecretStr:
        raise SecretUnavailableError("down")

    answers = registrar_of(client_of(server.url, fetch)).register(TO_UPLOADS, images(2), MINUTE)

    assert kinds(answers) == [SecretUnavailableError] * 2
    assert darwin.requests() == []


def test_two_items_of_one_name_are_the_callers_mistake(registrar: DarwinRegistrar) -> None:
    with pytest.raises(ValueError, match="tell them apart"):
        registrar.register(TO_UPLOADS, [item("a.jpg", path="/x"), item("a.jpg", path="x/")], MINUTE)


def test_an_item_for_elsewhere_is_the_callers_mistake(registrar: DarwinRegistrar) -> None:
    with pytest.raises(ValueError, match="another destination"):
        registrar.register(TO_ARCHIVE, [item("a.jpg")], MINUTE)


def test_no_items_are_no_request(darwin: EmulatedDarwin, registrar: DarwinRegistrar) -> None:
    assert registrar.register(TO_UPLOADS, [], MINUTE) == []
    assert darwin.requests() == []


@pytest.mark.parametrize("items", [0, 501])
def test_a_request_holds_from_1_to_500_items(client: DarwinClient, items: int) -> None:
    with pytest.raises(ValueError, match="items_per_request"):
        registrar_of(client, items_per_request=items)


# --- looking -----------------------------------------------------------------------------------------


def test_what_stands_under_a_name_is_found_by_path_and_name_exactly(
    darwin: EmulatedDarwin, registrar: DarwinRegistrar
) -> None:
    there = darwin.seed_item("incoming", "/cars", "a, b&c=[1].jpg", size_bytes=7)
    darwin.seed_item("incoming", "/boats", "a, b&c=[1].jpg")
    darwin.add_dataset("other")
    darwin.seed_item("other", "/trains", "1.jpg")

    def find(path: str, name: str) -> Standing | None:
        return registrar.find(ItemId(team="acme", dataset="incoming", path=path, name=name), MINUTE)

    found = find("cars/", "a, b&c=[1].jpg")
    assert found is not None
    assert (found.item_id, found.file_names, found.sizes) == (there.id, ("a, b&c=[1].jpg",), (7,))
    assert found.inserted_at == datetime.fromtimestamp(int(there.inserted_at), UTC)
    assert find("/cars", "b.jpg") is None
    assert find("/", "a, b&c=[1].jpg") is None
    assert find("/trains", "1.jpg") is None
    assert [request.path for request in darwin.requests()].count("/api/datasets") == 1


def test_many_are_found_in_one_look_and_of_what_it_leaves_out_it_tells_nothing(
    darwin: EmulatedDarwin, registrar: DarwinRegistrar
) -> None:
    """What stands there, and not what shares a name or a path with it; no more than a URL holds."""
    here = darwin.seed_item("incoming", "/cars", "1.jpg")
    there = darwin.seed_item("incoming", "/boats", "2.jpg")
    darwin.seed_item("incoming", "/boats", "1.jpg")
    long = "x" * 3_000
    darwin.seed_item("incoming", "/", long)
    wanted = [("/cars", "1.jpg"), ("boats", "2.jpg"), ("/cars", "2.jpg"), ("/", "gone.jpg"), ("/", long)]
    items = [ItemId(team="acme", dataset="incoming", path=path, name=name) for path, name in wanted]

    asked, found = registrar.find_many([*items, replace(items[-1], name=long + "y")], MINUTE)

    assert asked == len(items)
    assert {item: standing.item_id for item, standing in found.items()} == {
        items[0]: here.id,
        items[1]: there.id,
        items[4]: registrar.find(items[4], MINUTE).item_id,  # type: ignore[union-attr]
    }
    both = [items[4], replace(items[4], name=long + "y")]
    assert registrar.find_many(both, MINUTE) == (1, {items[4]: found[items[4]]})


def test_who_has_no_time_does_not_look(darwin: EmulatedDarwin, registrar: DarwinRegistrar) -> None:
    with pytest.raises(DarwinNotAskedError):
        registrar.find(images(1)[0].id, Left(9))

    assert not darwin.requests()


def test_a_dataset_that_is_not_there_cannot_be_looked_into(registrar: DarwinRegistrar) -> None:
    with pytest.raises(DarwinNotFoundError):
        registrar.find(ItemId(team="acme", dataset="nowhere", path="/", name="a.jpg"), MINUTE)


def test_a_key_that_may_only_register_cannot_look_and_goes_on_registering(
    darwin: EmulatedDarwin, server: Server
) -> None:
    key = darwin.add_key([ADD_DATA])
    clock = FakeClock()
    registrar = DarwinRegistrar(client_of(server.url, key), Pacer(clock, 6_000), clock=clock)

    with pytest.raises(DarwinUnauthorizedError):
        registrar.find(images(1)[0].id, MINUTE)
    assert registrar.seconds_to_wait(TO_UPLOADS) == 0
    assert kinds(registrar.register(TO_UPLOADS, images(1), MINUTE)) == [Accepted]


@pytest.mark.parametrize("fault", [{"kind": "html", "status": 200}, {"kind": "empty"}, {"kind": "reset"}])
def test_a_look_without_a_readable_answer_tells_nothing(darwin: EmulatedDarwin, fault: dict) -> None:
    with serve(darwin) as server:
        registrar = registrar_of(client_of(server.url))
        registrar.find(images(1)[0].id, MINUTE)
        darwin.inject(Fault(**fault, endpoint="any", count=None))

        with pytest.raises(Exception, match="Darwin") as caught:
            registrar.find(images(1)[0].id, MINUTE)

    assert caught.value.retryable


class Telling:
    """A client whose every GET is answered by the next of some bodies."""

    def __init__(self, *bodies: object) -> None:
        self.bodies = list(bodies)
        self.asked: list[str] = []

    def get(self, path: str, query: dict[str, str], deadline: Deadline) -> Reply:  # noqa: ARG002
        self.asked.append(query.get("dataset_ids[]", path))
        body = self.bodies.pop(0)
        status = 200 if isinstance(body, list | dict) else 404
        return Reply(status=status, body=json.dumps(body).encode(), received_at=FakeClock().now())


def test_a_list_of_other_items_with_more_to_come_tells_nothing() -> None:
    """Darwin may not know the filter by name: then what it does not list may stand all the same."""
    other = {"items": [{"id": "1", "name": "b.jpg", "path": "/cars", "slots": []}], "page": {"next": "2"}}
    registrar = registrar_of(Telling([{"id": 7, "slug": "incoming"}], other))

    with pytest.raises(DarwinError, match="other items"):
        registrar.find(images(1)[0].id, MINUTE)


def test_a_dataset_made_anew_is_found_after_the_first_miss() -> None:
    there = {"items": [{"id": "1", "name": "000.jpg", "path": "/cars", "slots": [{"size_bytes": None}]}]}
    client = Telling([{"id": 7, "slug": "incoming"}], "gone", [{"id": 8, "slug": "incoming"}], there)
    registrar = registrar_of(client)
    with pytest.raises(DarwinNotFoundError):
        registrar.find(images(1)[0].id, MINUTE)

    assert registrar.find(images(1)[0].id, MINUTE) == Standing(item_id="1", file_names=("",), sizes=(None,))
    assert client.asked == ["/api/datasets", "7", "/api/datasets", "8"]
