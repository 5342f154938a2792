"""Registering items that already lie in a bucket: what is accepted, blocked and refused."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from .readonly_schemas import HlsSlot, ReadOnlyBody, SectionsFields
from .schemas import LayoutV3, ReadWriteBody
from .slots import build_slots
from .wire import RefusalError, invalid

if TYPE_CHECKING:
    from collections.abc import Callable

    from .records import Access, Slot, Storage
    from .schemas import Layout, Strict

ALREADY_EXISTS = "ALREADY_EXISTS"
UNKNOWN_TAGS = "UNKNOWN_TAGS"
MOST_VIEWPORTS = 16


def parse_body(payload: object, access: Access) -> ReadWriteBody | ReadOnlyBody:
    """Check a request body against its endpoint's fields; one bad field refuses the whole request."""
    try:
        if access == "read_write":
            return ReadWriteBody.model_validate(payload)
        return ReadOnlyBody.model_validate(payload)
    except ValidationError as error:
        fields: dict[str, list[str]] = {}
        for problem in error.errors(include_url=False, include_context=False, include_input=False):
            where = ".".join(str(part) for part in problem["loc"]) or "body"
            fields.setdefault(where, []).append(problem["msg"])
        raise RefusalError(422, "INVALID_REQUEST", fields) from None


def check_body(body: ReadWriteBody | ReadOnlyBody, *, most_items: int, readonly_dicom: bool) -> None:
    """Check the rules that span fields. Raises a 422 that names the first one broken."""
    if len(body.items) > most_items:
        raise invalid("items", f"should have at most {most_items} item(s)")
    for index, item in enumerate(body.items):
        where = f"items.{index}"
        slots = build_slots(item)
        if isinstance(body, ReadWriteBody):
            _check_read_write(slots, where)
        else:
            _check_read_only(item, slots, where, readonly_dicom=readonly_dicom)
        if item.layout is not None:
            _check_layout(item.layout, slots, f"{where}.layout")


def check_storage(storage: Storage, access: Access) -> None:
    """Refuse a storage on the other kind's endpoint."""
    if storage.readonly != (access == "read_only"):
        kind = "read-only" if storage.readonly else "read-write"
        raise invalid("storage_slug", f"{storage.name} is a {kind} storage: use the endpoint for that kind")


def _check_read_write(slots: tuple[Slot, ...], where: str) -> None:
    for slot in slots:
        if slot.type == "dicom" and slot.fps is not None:
            raise invalid(f"{where}.fps", "is for videos")
        if slot.type == "image" and slot.fps not in {None, 0, 1}:
            raise invalid(f"{where}.fps", "must be 0 or 1 for images")
        if slot.extract_views and slot.slot_name != "0":
            raise invalid(f"{where}.slot_name", "must be '0' when extract_views is set")
    for name in _repeated(slots):
        if any(slot.type != "dicom" for slot in slots if slot.slot_name == name):
            raise invalid(
                f"{where}.slots", f"slot_name {name!r} is taken twice; only DICOM files share a slot"
            )


def _check_read_only(item: Strict, slots: tuple[Slot, ...], where: str, *, readonly_dicom: bool) -> None:
    for name in _repeated(slots):
        raise invalid(f"{where}.slots", f"slot_name {name!r} is taken twice")
    for shape in getattr(item, "slots", [item]):
        if isinstance(shape, SectionsFields):
            if shape.type == "dicom" and not readonly_dicom:
                raise invalid(f"{where}.type", "DICOM needs processing: it cannot be registered read-only")
            if sorted(section.section_index for section in shape.sections) != [
                *range(1, len(shape.sections) + 1)
            ]:
                raise invalid(f"{where}.sections", "section_index should count up from 1")
        if isinstance(shape, HlsSlot):
            for quality in (shape.hls_segments.high_quality, shape.hls_segments.low_quality):
                if any(line.startswith("/") for line in quality.index.splitlines()):
                    raise invalid(f"{where}.hls_segments", "storage keys do not start with a slash")


def _repeated(slots: tuple[Slot, ...]) -> list[str]:
    return [name for name, times in Counter(slot.slot_name for slot in slots).items() if times > 1]


def _check_layout(layout: Layout, slots: tuple[Slot, ...], where: str) -> None:
    known = {slot.slot_name for slot in slots}
    for name in layout.named_slots():
        if name not in known:
            raise invalid(where, f"speaks of slot {name!r}, which the item does not have")
    if isinstance(layout, LayoutV3) and sum(map(len, layout.slots_grid)) > MOST_VIEWPORTS:
        raise invalid(where, f"has more than {MOST_VIEWPORTS} viewports")


def default_layout(slots: tuple[Slot, ...]) -> dict[str, Any]:
    """Return the layout of an item that came without one."""
    names = list(dict.fromkeys(slot.slot_name for slot in slots))
    return {"type": "simple" if len(names) == 1 else "grid", "version": 1, "slots": names}


def block_reason(
    *, taken: bool, tags: frozenset[str], known_tag: Callable[[str], bool], forced: str | None
) -> str | None:
    """Return why an item is blocked, or nothing when it may be registered."""
    if forced is not None:
        return forced
    if taken:
        return ALREADY_EXISTS
    return None if all(known_tag(tag) for tag in tags) else UNKNOWN_TAGS
