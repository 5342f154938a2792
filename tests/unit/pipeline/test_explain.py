"""Explain: each object's fate, in words, without talking to anybody; and it comes true."""

from __future__ import annotations

import pytest

from beagle import messages
from beagle.domain.events import NotAnObject, Notification
from beagle.domain.outcomes import Ending
from beagle.domain.routes import parse_routes
from beagle.pipeline.explain import explain
from support.world import BUCKET, ROUTES, World

[ROUTE] = ROUTES["routes"]
SPECS = [
    {**ROUTE, "name": "archive", "access": "read_only", "watch": {"bucket": BUCKET, "prefix": "ro/"}},
    {
        **ROUTE,
        "name": "drawn",
        "access": "read_only",
        "watch": {"bucket": BUCKET, "prefix": "drawn/"},
        "pdf": {"convert": True},
    },
    {
        **ROUTE,
        "name": "cameras",
        "watch": {"bucket": BUCKET, "prefix": "cams/"},
        "group": {"slots": ["l.mp4", "r.mp4"]},
    },
    ROUTE,
]
PARSED = parse_routes({"team": "acme", "routes": SPECS})


@pytest.mark.parametrize(
    ("key", "size", "fate"),
    [
        ("a/1.jpg", 9, ("register", "", "incoming")),
        ("ro/1.mp4", 9, ("extract", "", "archive")),
        ("ro/1.pdf", 9, ("dead_lettered", "unsupported_media", None)),
        ("drawn/1.pdf", 9, ("extract", "", "drawn")),
        ("drawn/1.dcm", 9, ("dead_lettered", "unsupported_media", None)),
        ("cams/a/l.mp4", 9, ("wait_for_group", "", "cameras")),
        ("cams/a/x.jpg", 9, ("register", "", "cameras")),
        ("a/1.txt", 9, ("ignored", "unknown_type", None)),
        ("a/", 0, ("ignored", "folder_marker", None)),
        (".beagle/1.jpg", 9, ("ignored", "own_artifact", None)),
        ("a/1.jpg", 0, ("dead_lettered", "empty_object", None)),
        ("/1.jpg", 9, ("dead_lettered", "unregisterable_key", None)),
    ],
)
def test_an_objects_fate_is_told(key, size, fate):
    event = World().event(key, size=size)

    [found] = explain(PARSED, Notification(announced=(event,)))

    assert (found.outcome, found.code, found.route and found.route.name) == fate
    assert found.event == event
    assert (found.item is not None) == (found.outcome in {"register", "extract", "wait_for_group"})


def test_every_announced_object_has_its_record_in_order():
    world = World()
    announced = (
        world.event("a/1.jpg"),
        NotAnObject(code="not_a_creation", detail="x"),
        world.event("a/2.txt"),
    )

    found = list(explain(PARSED, Notification(announced=announced)))

    assert [one.outcome for one in found] == ["register", "ignored", "ignored"]
    assert (found[1].code, found[1].detail) == ("not_a_creation", "x")


@pytest.mark.parametrize("key", ["a/1.jpg", "a//é+%2B.png", "a/1.txt", ".beagle/x.jpg", "/1.jpg", "a/.jpg"])
def test_what_is_told_is_what_happens(key):
    """The same rules decide in the deployed stage."""
    world = World()
    [told] = explain(parse_routes(ROUTES), Notification(announced=(world.event(key),)))
    world.upload(key)
    world.run_prepare()

    [(_, outcome)] = world.journal.notes
    names = {
        Ending.PASSED_ON: "register", Ending.IGNORED: "ignored", Ending.DEAD_LETTERED: "dead_lettered"
    }  # fmt: skip
    assert (names[outcome.ending], outcome.code) == (told.outcome, told.code)
    assert [messages.load_item(body).item for body in world.items.bodies()] == (
        [told.item] if told.item else []
    )
