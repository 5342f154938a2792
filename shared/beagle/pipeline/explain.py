"""Explain: what would become of a notification, told without talking to anybody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from beagle.domain.errors import BeagleError, UnparsableMessageError
from beagle.domain.events import NotAnObject, ObjectCreated, Unreadable
from beagle.domain.items import Item
from beagle.domain.keys import ARTIFACT_PREFIX
from beagle.domain.routes import Route
from beagle.domain.routing import route_event

if TYPE_CHECKING:
    from collections.abc import Iterator

    from beagle.domain.events import Notification
    from beagle.domain.routes import Routes


@dataclass(frozen=True, slots=True)
class Explanation:
    """The fate of one announced object."""

    outcome: str
    """`register` or `extract` (what it would go on to), `wait_for_group`, `ignored`, `dead_lettered`."""
    code: str = ""
    detail: str = ""
    event: ObjectCreated | None = None
    route: Route | None = None
    item: Item | None = None


def explain(
    routes: Routes, notification: Notification, artifact_prefix: str = ARTIFACT_PREFIX
) -> Iterator[Explanation]:
    """Yield the fate of each object that a notification announces, in order."""
    for announced in notification.announced:
        if isinstance(announced, NotAnObject):
            yield Explanation("ignored", announced.code, announced.detail)
            continue
        if isinstance(announced, Unreadable):
            yield Explanation("dead_lettered", UnparsableMessageError.code, announced.reason)
            continue
        try:
            routed = route_event(routes, announced, artifact_prefix)
        except BeagleError as error:
            yield Explanation("dead_lettered", error.code, str(error), event=announced)
            continue
        if isinstance(routed, NotAnObject):
            yield Explanation("ignored", routed.code, routed.detail, event=announced)
        elif routed.group:
            yield Explanation("wait_for_group", event=announced, route=routed.route, item=routed.item)
        else:
            outcome = "extract" if routed.item.access == "read_only" else "register"
            yield Explanation(outcome, event=announced, route=routed.route, item=routed.item)
