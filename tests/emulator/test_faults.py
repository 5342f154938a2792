"""The script of faults: which request is hit, what it sees, and what Darwin did meanwhile."""

from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from beagle.emulator import EmulatedDarwin, Fault, Limits
from emulator.samples import accepted, call, flat, post, reasons, slot, slotted, still


def names(darwin: EmulatedDarwin) -> list[str]:
    """Return what is registered."""
    return [item.name for item in darwin.items()]


@pytest.mark.parametrize("status", [302, 401, 403, 404, 413, 422, 429, 500, 502, 503, 504])
def test_a_status_before_commit_registers_nothing(darwin: EmulatedDarwin, status: int) -> None:
    """And happens once, unless the script says otherwise."""
    darwin.inject(Fault(kind="status", status=status))

    assert post(darwin, flat()).status == status
    assert names(darwin) == []
    assert accepted(post(darwin, flat())) == ["1.jpg"]


@pytest.mark.parametrize(
    "fault",
    [
        *(Fault(kind="status", status=status, when="after") for status in (500, 502, 503, 504)),
        Fault(kind="hang", when="after"),
        Fault(kind="reset", when="after"),
        Fault(kind="html", when="after"),
        Fault(kind="reset_mid_body"),
        Fault(kind="truncated_json"),
        Fault(kind="empty"),
    ],
    ids=lambda fault: fault.label,
)
def test_a_lost_answer_leaves_the_items_registered(darwin: EmulatedDarwin, fault: Fault) -> None:
    """The repeated request then finds its own names taken."""
    darwin.inject(fault)
    post(darwin, flat())

    assert names(darwin) == ["1.jpg"]
    assert reasons(post(darwin, flat())) == {"1.jpg": ["ALREADY_EXISTS"]}


@pytest.mark.parametrize("kind", ["hang", "reset", "html"])
def test_a_break_before_commit_registers_nothing(darwin: EmulatedDarwin, kind: Any) -> None:
    """The other half of what a client cannot tell apart."""
    darwin.inject(Fault(kind=kind))
    reply = post(darwin, flat())

    assert names(darwin) == []
    assert reply.breakage == (None if kind == "html" else kind)


@pytest.mark.parametrize("text", ["0", "1", "300", "-5", "soon", "", "1e9"])
def test_retry_after_may_be_any_text(darwin: EmulatedDarwin, text: str) -> None:
    """A client must live with it."""
    darwin.inject(Fault(kind="status", status=429, retry_after=text))

    assert dict(post(darwin, flat()).headers)["Retry-After"] == text


def test_retry_after_may_be_a_date_or_absent(darwin: EmulatedDarwin) -> None:
    """The date is on the wall's clock."""
    darwin.inject(Fault(kind="status", status=503, retry_after_date=30), Fault(kind="status", status=503))

    told = dict(post(darwin, flat()).headers)["Retry-After"]
    assert parsedate_to_datetime(told).timestamp() == 1_800_000_030.0
    assert "Retry-After" not in dict(post(darwin, flat()).headers)


def test_a_429_may_mean_that_storage_is_used_up(darwin: EmulatedDarwin) -> None:
    """The one 429 that waiting does not cure."""
    darwin.inject(Fault(kind="status", status=429, code="INSUFFICIENT_REMAINING_STORAGE"))

    assert post(darwin, flat()).json() == {"errors": {"code": "INSUFFICIENT_REMAINING_STORAGE"}}


def test_a_redirect_names_another_host(darwin: EmulatedDarwin) -> None:
    """Where a key must not be sent."""
    darwin.inject(Fault(kind="status", status=302, location="https://elsewhere.example/"))

    assert dict(post(darwin, flat()).headers)["Location"] == "https://elsewhere.example/"


def test_an_html_page_is_no_json(darwin: EmulatedDarwin) -> None:
    """As proxies answer, with any status, 200 too."""
    darwin.inject(Fault(kind="html"), Fault(kind="html", status=200))

    for status in (502, 200):
        reply = post(darwin, flat())
        assert reply.status == status
        assert dict(reply.headers)["Content-Type"].startswith("text/html")
        assert reply.body.startswith(b"<html>")


def test_an_item_may_be_missing_from_the_answer(darwin: EmulatedDarwin) -> None:
    """It is registered all the same; `match` chooses by name or by storage key."""
    darwin.inject(Fault(kind="missing_item", match="cars/2"))

    assert accepted(post(darwin, flat("1.jpg"), flat("2.jpg"), flat("3.jpg"))) == ["1.jpg", "3.jpg"]
    assert names(darwin) == ["1.jpg", "2.jpg", "3.jpg"]


def test_an_item_nobody_sent_may_be_in_the_answer(darwin: EmulatedDarwin) -> None:
    """It is registered nowhere."""
    darwin.inject(Fault(kind="extra_item"))

    assert accepted(post(darwin, flat())) == ["1.jpg", "never-sent.jpg"]
    assert names(darwin) == ["1.jpg"]


def test_an_item_may_be_in_both_lists(darwin: EmulatedDarwin) -> None:
    """Registered and blocked in one breath."""
    darwin.inject(Fault(kind="in_both_lists", reason="ALREADY_EXISTS"))
    reply = post(darwin, flat("1.jpg"), flat("2.jpg"))

    assert accepted(reply) == ["1.jpg", "2.jpg"]
    assert reasons(reply) == {"1.jpg": ["ALREADY_EXISTS"]}


def test_items_may_come_back_in_another_order(darwin: EmulatedDarwin) -> None:
    """Position means nothing."""
    darwin.inject(Fault(kind="reordered"))

    assert accepted(post(darwin, flat("1.jpg"), flat("2.jpg"))) == ["2.jpg", "1.jpg"]


def test_an_item_may_be_blocked_for_any_reason(darwin: EmulatedDarwin) -> None:
    """In every slot, and the others are accepted."""
    darwin.inject(Fault(kind="block", match="front", reason="ITEM_COUNT_LIMIT_EXCEEDED"))
    reply = post(darwin, slotted(slot("front.jpg"), slot("back.jpg")), flat())

    assert reasons(reply) == {"pair": ["ITEM_COUNT_LIMIT_EXCEEDED"] * 2}
    assert accepted(reply) == names(darwin) == ["1.jpg"]


def test_a_fault_may_last_until_it_is_cleared(darwin: EmulatedDarwin) -> None:
    """An outage of any length."""
    darwin.inject(Fault(kind="status", status=503, count=None))
    assert [post(darwin, flat()).status for _ in range(5)] == [503] * 5

    darwin.clear_faults()
    assert post(darwin, flat()).status == 200


def test_faults_happen_in_the_order_of_the_script(darwin: EmulatedDarwin) -> None:
    """Each as often as it says, after as many requests as it lets pass."""
    darwin.inject(Fault(kind="status", status=500, count=2), Fault(kind="status", status=502, skip=1))

    assert [post(darwin, flat(f"{n}.jpg")).status for n in range(5)] == [500, 500, 200, 502, 200]
    assert darwin.pending_faults() == []


def test_a_fault_finds_its_item_and_its_endpoint(darwin: EmulatedDarwin) -> None:
    """Other requests are left alone."""
    darwin.inject(
        Fault(kind="status", status=500, match="poison"),
        Fault(kind="status", status=502, endpoint="read_only"),
    )

    assert post(darwin, flat()).status == 200
    assert post(darwin, still("2.jpg"), read_only=True).status == 502
    assert post(darwin, flat("3.jpg"), flat("poison.jpg")).status == 500
    assert names(darwin) == ["1.jpg"]


def test_other_endpoints_fail_only_when_any_is_meant(darwin: EmulatedDarwin) -> None:
    """Faults are about registration unless the script says otherwise."""
    darwin.inject(Fault(kind="status", status=500))
    assert call(darwin, "GET", "datasets").status == 200

    darwin.clear_faults()
    darwin.inject(Fault(kind="status", status=401, endpoint="any"))
    assert call(darwin, "GET", "datasets").status == 401


def test_a_poisoned_item_is_refused_alone_after_bisecting(darwin: EmulatedDarwin) -> None:
    """The script plays a server that says 422 to whatever batch holds one item."""
    darwin.inject(Fault(kind="status", status=422, match="7.jpg", count=None))

    assert post(darwin, *(flat(f"{n}.jpg") for n in range(10))).status == 422
    assert post(darwin, *(flat(f"{n}.jpg") for n in range(5))).status == 200
    assert post(darwin, flat("7.jpg")).status == 422


def test_a_refused_request_stays_refused_under_a_fault_after_commit(darwin: EmulatedDarwin) -> None:
    """There was nothing to commit; the client sees the fault all the same."""
    darwin.inject(Fault(kind="status", status=502, when="after"))

    assert post(darwin, flat(colour="red")).status == 502
    assert names(darwin) == []


def test_the_log_tells_faults(darwin: EmulatedDarwin) -> None:
    """By kind, and whether the items were registered."""
    darwin.inject(Fault(kind="hang"), Fault(kind="status", status=502, when="after"))
    post(darwin, flat())
    post(darwin, flat())

    assert [(entry.fault, entry.registered) for entry in darwin.requests()] == [
        ("hang", 0),
        ("status 502 after commit", 1),
    ]


def test_an_oversized_body_fails_before_any_fault() -> None:
    """The script is about requests that arrive."""
    darwin = EmulatedDarwin.with_defaults(limits=Limits(body_bytes=10))
    darwin.inject(Fault(kind="status", status=500))

    assert post(darwin, flat()).status == 413
    assert len(darwin.pending_faults()) == 1
