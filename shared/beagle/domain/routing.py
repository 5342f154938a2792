"""From an event to what shall become of it: the first route that watches it, and the item it makes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from beagle.domain.errors import EmptyObjectError, RoutesError, UnregisterableKeyError, VerdictError
from beagle.domain.events import NotAnObject, ObjectCreated, ObjectRef
from beagle.domain.items import Item, ItemId, Layout, Slot
from beagle.domain.keys import (
    ARTIFACT_PREFIX,
    derive_storage_key,
    is_artifact,
    is_folder_marker,
    is_write_back,
    normalise_path,
    require_name,
    split_key,
)
from beagle.domain.making import Making
from beagle.domain.media import media_type_of
from beagle.domain.patterns import compile_glob, fill
from beagle.domain.routes import Group, Route

if TYPE_CHECKING:
    from beagle.domain.media import MediaKind
    from beagle.domain.routes import Routes

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NEAR_MISSES = {
    "no_route": "No route watches this key.",
    "unknown_type": "Darwin's tables do not know its suffix; a route's `include` and `type` can take it.",
}


@dataclass(frozen=True, slots=True)
class Routed:
    """A route took the event.

    `item` is whole, unless the object belongs to a group: then it holds this object's slot alone, under the
    identity that all members of the group share.
    """

    route: Route
    item: Item
    making: Making | None
    """How the route wants artifacts made; None where Darwin makes them."""
    group: str = ""
    """What the members of a group have in common, as if it were a folder; empty for an item of its own."""


def route_event(
    routes: Routes, event: ObjectCreated, artifact_prefix: str = ARTIFACT_PREFIX
) -> Routed | NotAnObject:
    """Return what shall become of an object.

    Raises:
        VerdictError: A route watches the object, which can never become an item.

    """
    key = event.ref.key
    if is_artifact(key, artifact_prefix):
        return NotAnObject(
            code="own_artifact", detail=f"It lies below {artifact_prefix}, where Beagle writes."
        )
    if is_write_back(key):
        return NotAnObject(code="darwin_write_back", detail="Darwin wrote it beside a registered file.")
    near_miss = "no_route"
    for route in routes.routes:
        fit = _fit(route, event.ref)
        if isinstance(fit, str):
            near_miss = fit if near_miss == "no_route" else near_miss
            continue
        return _routed(routes.team, route, event, fit)
    return NotAnObject(code=near_miss, detail=_NEAR_MISSES.get(near_miss, ""))


def _fit(route: Route, ref: ObjectRef) -> dict[str, str] | str:
    """Return what the route captures of the key, or the code of why it does not watch it."""
    watch = route.watch
    if ref.bucket != watch.bucket or not ref.key.startswith(watch.prefix):
        return "no_route"
    below = ref.key[len(watch.prefix) :]
    if any(compile_glob(glob).matches(below) for glob in watch.exclude):
        return "excluded"
    if not watch.include:
        known = route.type or media_type_of(below) or _group_of(route, below.rpartition("/")[2])
        return {} if known or is_folder_marker(below) or not below else "unknown_type"
    for glob in watch.include:
        if (captured := compile_glob(glob).capture(below)) is not None:
            return captured
    return "not_included"


def _routed(team: str, route: Route, event: ObjectCreated, captures: dict[str, str]) -> Routed | NotAnObject:
    below = event.ref.key[len(route.watch.prefix) :]
    if is_folder_marker(event.ref.key) and not event.size:
        return NotAnObject(code="folder_marker", detail="A console's stand-in for an empty folder.")
    storage_key = derive_storage_key(event.ref, azure_container=route.azure_container)
    if not below or is_folder_marker(below):
        raise UnregisterableKeyError(f"The key {event.ref.key!r} ends where a file's name should stand.")
    if event.size == 0:
        raise EmptyObjectError(f"{event.ref} has no bytes.")
    parts = split_key(below) | {"hash8": split_key(event.ref.key)["hash8"]} | captures
    group = _group_of(route, parts["file_name"])
    name = ""
    if route.group:
        name = fill(route.group.by, parts)
        parts["group"] = name.rstrip("/").rpartition("/")[2] or route.name
    slot = _slot(route, event, parts["file_name"], storage_key)
    if group and group.slots:
        slot = replace(slot, name=slot.file_name)
    making = _making_of(route)
    if making and not group:
        making.require_known(slot.media_type)
    return Routed(
        route=route,
        making=making,
        item=Item(
            id=ItemId(
                team=team,
                dataset=route.dataset,
                path=normalise_path(fill(route.path, parts)),
                name=require_name(fill(route.group_name if group else route.item_name, parts)),
            ),
            storage=route.storage,
            access=route.access,
            slots=(slot,),
            layout=_layout(group),
            tags=route.tags,
            ignore_dicom_layout=route.dicom.ignore_layout,
            azure_container=route.azure_container if event.ref.provider == "azure" else None,
        ),
        group=f"{route.watch.prefix}{name}/" if group else "",
    )


def _slot(route: Route, event: ObjectCreated, file_name: str, storage_key: str) -> Slot:
    known = media_type_of(file_name)
    kind = route.type or (known.kind if known else None)
    declared = route.type or (
        known.kind if known and (known.declared or route.access == "read_only") else None
    )
    return Slot(
        name="0",
        file_name=file_name,
        storage_key=storage_key,
        media_type=declared,
        size=event.size,
        content=event.content,
        fps=route.video.fps if kind == "video" else None,
        as_frames=route.video.as_frames if kind == "video" and route.access == "read_write" else None,
        extract_views=route.dicom.extract_views and kind == "dicom",
    )


def _group_of(route: Route, file_name: str) -> Group | None:
    """Return the route's group if the file is one of its files: any of a series, else one with a slot."""
    group = route.group
    return group if group and (group.series or file_name in group.slots) else None


def _layout(group: Group | None) -> Layout | None:
    if group is None or group.layout is None or not group.slots:
        return None
    return Layout(version=1, kind=group.layout, slots=group.slots)


def _making_of(route: Route) -> Making | None:
    if route.access == "read_write":
        return None
    converts: list[MediaKind] = []
    if route.dicom.convert:
        converts.append("dicom")
    if route.pdf.convert:
        converts.append("pdf")
    return Making(
        fps=route.video.fps or "native",
        frames=route.video.frames,
        preview_frames=route.video.preview_frames,
        shape=route.video.shape,
        profile=route.video.profile,
        size=route.image.size,
        converts=tuple(converts),
    )


def check_examples(routes: Routes) -> Routes:
    """Return the routes if every example ends as it says.

    Raises:
        RoutesError: One does not; the message names it.

    """
    for route in routes.routes:
        for example in route.examples:
            found = _tell(routes, route, example.key)
            wanted = f"{route.name}: {example.item.path} {example.item.name}" if example.item else "ignored"
            if found != wanted:
                raise RoutesError(
                    f"routes ({route.name}) example {example.key!r}: expected {wanted}, but it is {found}."
                )
    return routes


def _tell(routes: Routes, route: Route, key: str) -> str:
    ref = ObjectRef(provider="local", bucket=route.watch.bucket, key=key)
    event = ObjectCreated(ref=ref, content="example", size=None, occurred_at=_EPOCH)
    try:
        routed = route_event(routes, event)
    except VerdictError as error:
        return f"refused ({error.code}): {error}"
    if isinstance(routed, NotAnObject):
        return "ignored"
    return f"{routed.route.name}: {routed.item.id.path} {routed.item.id.name}"
