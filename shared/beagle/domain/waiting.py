"""How long the objects of a group may wait for each other: no longer than their messages live."""

from __future__ import annotations

from typing import TYPE_CHECKING

from beagle.domain.errors import RoutesError

if TYPE_CHECKING:
    from beagle.domain.routes import Route, Routes


def bound_waits(routes: Routes, hours: float) -> Routes:
    """Return the routes as they are kept where a message may wait for so many hours.

    After that its queue gives it up, and nobody would tell what it waited for. So what a route leaves open is
    shortened, and what it asks for is refused.

    Raises:
        RoutesError: A route asks for more.

    """
    return routes.model_copy(update={"routes": tuple(_bound(route, hours) for route in routes.routes)})


def _bound(route: Route, hours: float) -> Route:
    group = route.group
    if group is None:
        return route
    if group.settle_minutes > hours * 60:
        raise _refusal(route, f"group.settle_minutes: {group.settle_minutes:g}", f"{hours * 60:g}")
    if group.wait_hours <= hours:
        return route
    if "wait_hours" in group.model_fields_set:
        raise _refusal(route, f"group.wait_hours: {group.wait_hours:g}", f"{hours:g}")
    return route.model_copy(update={"group": group.model_copy(update={"wait_hours": hours})})


def _refusal(route: Route, asked: str, most: str) -> RoutesError:
    return RoutesError(
        f"Route {route.name} asks for {asked}, and this provider gives up earlier what waits: "
        f"ask for {most} at most."
    )
