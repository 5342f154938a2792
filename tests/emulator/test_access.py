"""Who may call, how much, and how fast."""

import json
import zlib
from dataclasses import replace

import pytest

from beagle.emulator import ADD_DATA, DEFAULT_KEY, VIEW_DATA, EmulatedDarwin, Limits, Request
from emulator.samples import READ_ONLY, READ_WRITE, FakeClock, accepted, body, call, flat, post, still


def test_the_default_key_has_the_shape_of_v7s_keys() -> None:
    """Seven characters, a dot, thirty-two characters."""
    head, _, tail = DEFAULT_KEY.partition(".")

    assert (len(head), len(tail)) == (7, 32)


@pytest.mark.parametrize(
    "header",
    [None, "", "ApiKey", "ApiKey unknown", f"Bearer {DEFAULT_KEY}", DEFAULT_KEY, f"apikey {DEFAULT_KEY}"],
)
@pytest.mark.parametrize("target", [READ_WRITE, READ_ONLY, "/api/users/token_info", "/api/datasets"])
def test_no_key_and_a_wrong_key_are_one_401(darwin: EmulatedDarwin, header: str | None, target: str) -> None:
    """The header is the literal word `ApiKey`, a space and the key."""
    method = "POST" if "register" in target else "GET"
    request = Request.to(method, target, payload=body(flat()) if method == "POST" else None)
    headers = dict(request.headers or {}) | ({} if header is None else {"authorization": header})

    reply = darwin.handle(replace(request, headers=headers))

    assert reply.status == 401
    assert reply.json() == {"errors": {"code": "NOT_AUTHENTICATED"}}


def test_a_key_without_the_permission_is_the_same_401(darwin: EmulatedDarwin) -> None:
    """V7 does not tell a missing permission from a wrong key."""
    reader, writer = darwin.add_key([VIEW_DATA]), darwin.add_key([ADD_DATA])

    assert darwin.handle(Request.to("POST", READ_WRITE, key=reader, payload=body(flat()))).status == 401
    assert call(darwin, "GET", "datasets", key=reader).status == 200
    assert darwin.handle(Request.to("POST", READ_WRITE, key=writer, payload=body(flat()))).status == 200
    assert call(darwin, "GET", "datasets", key=writer).status == 401
    assert call(darwin, "GET", "users/token_info", key=writer).json()["selected_team"]["slug"] == "acme"


def test_a_revoked_key_stops_working(darwin: EmulatedDarwin) -> None:
    """Keys are rotated while programs run."""
    darwin.revoke_key(DEFAULT_KEY)

    assert post(darwin, flat()).status == 401


@pytest.mark.parametrize("field", ["dataset_slug", "storage_slug"])
def test_an_unknown_dataset_or_storage_is_a_404(darwin: EmulatedDarwin, field: str) -> None:
    """Nothing is registered, and nothing is blocked."""
    reply = post(darwin, flat(), **{field: "nowhere"})

    assert reply.status == 404
    assert reply.json()["errors"]["code"] == "NOT_FOUND"
    assert darwin.items() == []


def test_another_team_is_a_404(darwin: EmulatedDarwin) -> None:
    """A key opens its own team only, whether or not the other one exists."""
    darwin.add_team("rival")

    for team in ("rival", "nobody"):
        target = READ_WRITE.replace("acme", team)
        assert darwin.handle(Request.to("POST", target, key=DEFAULT_KEY, payload=body(flat()))).status == 404


def test_an_unknown_path_is_a_404(darwin: EmulatedDarwin) -> None:
    """So is a known path with another method."""
    assert call(darwin, "GET", "v2/teams/acme/items/register_existing/x").status == 404
    assert call(darwin, "PUT", "v2/teams/acme/items/register_existing").status == 404


def test_a_batch_of_500_is_taken_and_one_more_is_refused(darwin: EmulatedDarwin) -> None:
    """The docs' own limit."""
    items = [flat(f"{n}.jpg") for n in range(501)]

    reply = post(darwin, *items)
    assert reply.status == 422
    assert "items" in reply.json()["errors"]
    assert len(accepted(post(darwin, *items[:500]))) == 500


def test_the_cap_is_a_setting() -> None:
    """darwin-py sends 10, other pages say 100."""
    darwin = EmulatedDarwin.with_defaults(limits=Limits(items_per_request=2))

    assert post(darwin, flat("1.jpg"), flat("2.jpg"), flat("3.jpg")).status == 422
    assert post(darwin, flat("1.jpg"), flat("2.jpg")).status == 200
    assert post(darwin, *(still(f"{n}.jpg") for n in range(3)), read_only=True).status == 422


def test_an_empty_batch_is_refused(darwin: EmulatedDarwin) -> None:
    """A request that asks for nothing is a mistake."""
    assert post(darwin).status == 422


def test_too_many_bytes_are_a_413() -> None:
    """Whatever they say."""
    darwin = EmulatedDarwin.with_defaults(limits=Limits(body_bytes=200))

    assert post(darwin, flat("x" * 200)).status == 413
    assert post(darwin, flat("1.jpg")).status == 200


@pytest.mark.parametrize(
    "raw", [b"{", b"\xff", b"NaN", b'{"items": [Infinity]}', b"[" * 200_000, b"[]", b"null", b"", b'"items"']
)
def test_a_body_that_is_no_request_is_refused(darwin: EmulatedDarwin, raw: bytes) -> None:
    """Broken JSON is a 400; JSON of another shape is a 422; neither is a crash."""
    reply = darwin.handle(replace(Request.to("POST", READ_WRITE, key=DEFAULT_KEY), body=raw))

    assert reply.status == (422 if raw in {b"[]", b"null", b"", b'"items"'} else 400)


def test_a_compressed_body_is_taken(darwin: EmulatedDarwin) -> None:
    """Zlib with a header of its own, as darwin-py may send it."""
    request = Request.to("POST", READ_WRITE, key=DEFAULT_KEY)
    headers = dict(request.headers or {}) | {"x-darwin-payload-compression-version": "1"}
    squeezed = zlib.compress(json.dumps(body(flat())).encode())

    assert darwin.handle(replace(request, headers=headers, body=squeezed)).status == 200
    assert darwin.handle(replace(request, headers=headers, body=squeezed[:-8])).status == 400
    assert darwin.handle(replace(request, headers=headers, body=b"plain")).status == 400
    assert darwin.handle(replace(request, body=squeezed)).status == 400


@pytest.mark.parametrize("tell", [True, False])
def test_a_rate_limit_lets_a_minutes_worth_through(clock: FakeClock, tell: bool) -> None:  # noqa: FBT001 - a parameter
    """Then it answers 429, with or without saying how long to wait, until tokens come back."""
    limits = Limits(requests_per_minute=60, burst=2, tell_retry_after=tell)
    darwin = EmulatedDarwin.with_defaults(clock, limits=limits)

    assert [post(darwin, flat(f"{n}.jpg")).status for n in range(3)] == [200, 200, 429]
    refused = dict(post(darwin, flat("9.jpg")).headers)
    assert refused.get("Retry-After") == ("1" if tell else None)
    assert call(darwin, "GET", "datasets").status == 200

    clock.now += 1
    assert [post(darwin, flat(f"{n}.jpg")).status for n in (5, 6)] == [200, 429]


def test_each_key_has_a_rate_of_its_own(clock: FakeClock) -> None:
    """One noisy program does not silence another."""
    darwin = EmulatedDarwin.with_defaults(clock, limits=Limits(requests_per_minute=1))
    other = darwin.add_key()
    post(darwin, flat("1.jpg"))

    assert post(darwin, flat("2.jpg")).status == 429
    assert darwin.handle(Request.to("POST", READ_WRITE, key=other, payload=body(flat("2.jpg")))).status == 200


def test_every_request_is_logged(darwin: EmulatedDarwin) -> None:
    """With its time, path, status, items and duration; the key is nowhere in it."""
    post(darwin, flat("1.jpg"), flat("2.jpg"))
    post(darwin, flat("1.jpg"), flat("3.jpg"))
    post(darwin, flat(colour="red"))

    log = darwin.requests()
    assert [(entry.method, entry.status, entry.items) for entry in log] == [
        ("POST", 200, 2),
        ("POST", 200, 2),
        ("POST", 422, 1),
    ]
    assert [(entry.registered, entry.blocked) for entry in log] == [(2, 0), (1, 1), (0, 0)]
    assert all(entry.duration >= 0 and entry.at == 1_800_000_000.0 for entry in log)
    assert DEFAULT_KEY not in repr(log)
