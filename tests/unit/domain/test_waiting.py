"""Objects of a group wait no longer than their messages live."""

from __future__ import annotations

import pytest

from beagle.domain.errors import RoutesError
from beagle.domain.routes import Group, Routes, parse_routes
from beagle.domain.waiting import bound_waits


def routes(**group: object) -> Routes:
    route = {"name": "cars", "watch": {"bucket": "up"}, "dataset": "cars", "storage": "up"}
    return parse_routes({"team": "acme", "routes": [{**route, "name": "all"}, {**route, "group": group}]})


def bound(hours: float, **group: object) -> Group:
    """Return the group as a provider keeps it whose messages may wait for so many hours."""
    single, grouped = bound_waits(routes(**group), hours).routes

    assert single.group is None
    assert grouped.group is not None
    return grouped.group


def test_what_a_route_leaves_open_works_everywhere() -> None:
    """The default is shortened where messages do not live for so long."""
    assert bound(14, slots=["a", "b"]) == Group(slots=("a", "b"), wait_hours=14)
    assert bound(45, slots=["a", "b"]) == Group(slots=("a", "b"), wait_hours=24)
    assert bound(14, series=True).settle_minutes == Group(series=True).settle_minutes


def test_what_a_route_asks_for_is_kept_or_refused() -> None:
    """Never shortened in silence: the message names the route, what it asks for, and what it may."""
    assert bound(14, slots=["a", "b"], wait_hours=14).wait_hours == 14
    assert bound(14, series=True, settle_minutes=14 * 60).settle_minutes == 14 * 60
    with pytest.raises(RoutesError, match=r"Route cars asks for group\.wait_hours: 24,.* 14 at most"):
        bound(14, slots=["a", "b"], wait_hours=24)
    with pytest.raises(RoutesError, match=r"Route cars asks for group\.settle_minutes: 841,.* 840 at most"):
        bound(14, series=True, settle_minutes=841)
