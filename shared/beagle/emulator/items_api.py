"""Listing, counting, archiving, moving and deleting items, and reading their files."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from itertools import islice, product
from typing import TYPE_CHECKING, Any

from .filters import MOST_A_PAGE, parse_filters, parse_query
from .pictures import media_type
from .records import normalise_path
from .wire import RefusalError, Reply, invalid, json_reply, not_found

if TYPE_CHECKING:
    from .filters import Filters
    from .records import Item, Slot
    from .routing import Call


def list_items(call: Call) -> Reply:
    """List items, oldest first, a page at a time. No storage key is told, as in Darwin's own lists."""
    query = parse_query(call.request.query)
    found = _select(call, query)
    after = _cursor_seq(query.start)
    rest = [item for item in found if item.seq > after][query.offset :]
    page = rest[: min(query.size, MOST_A_PAGE)]
    more = len(rest) > len(page)
    return json_reply(
        {
            "items": [item_row(item) for item in page],
            "page": {
                "count": len(page),
                "next": _cursor(page[-1]) if more else None,
                "previous": _cursor(page[0]) if page and page[0] is not found[0] else None,
            },
        }
    )


def get_item(call: Call) -> Reply:
    """Tell one item."""
    call.context.settle()
    item = call.context.world.items.get(call.params["item_id"])
    if item is None or item.team != call.team:
        raise not_found("item")
    return json_reply(item_row(item))


def list_ids(call: Call) -> Reply:
    """List the ids of items only."""
    return json_reply({"item_ids": [item.id for item in _select(call, parse_query(call.request.query))]})


def list_folders(call: Call) -> Reply:
    """List the folders that hold items, with how many."""
    found = Counter((item.dataset_id, item.path) for item in _select(call, parse_query(call.request.query)))
    folders = [
        {"dataset_id": dataset_id, "path": path, "filtered_item_count": count}
        for (dataset_id, path), count in sorted(found.items())
    ]
    return json_reply({"folders": folders})


def count_items(call: Call) -> Reply:
    """Count items by dataset."""
    found = Counter(item.dataset_id for item in _select(call, parse_query(call.request.query)))
    counts = [
        {"dataset_id": dataset_id, "filtered_item_count": count, "item_count": count}
        for dataset_id, count in sorted(found.items())
    ]
    return json_reply({"simple_counts": counts})


def count_by_status(call: Call) -> Reply:
    """Count items by status."""
    found = Counter(item.shown_status for item in _select(call, parse_query(call.request.query)))
    return json_reply({"simple_counts": [{"status": s, "item_count": n} for s, n in sorted(found.items())]})


def archive_items(call: Call) -> Reply:
    """Archive items. They keep their names: whether Darwin frees them is not public."""
    return _change(call, archived=True)


def restore_items(call: Call) -> Reply:
    """Bring archived items back."""
    return _change(call, archived=False)


def delete_items(call: Call) -> Reply:
    """Delete items; the files stay in the bucket."""
    chosen = _select(call, parse_filters(call.payload))
    return json_reply({"affected_item_count": call.context.world.remove_items(chosen)})


def move_items(call: Call) -> Reply:
    """Move items to another folder; a name already taken there refuses the request."""
    path = call.payload.get("path") if isinstance(call.payload, dict) else None
    if not isinstance(path, str):
        raise invalid("path", "can't be blank")
    path = normalise_path(path)
    world = call.context.world
    with world.lock:
        chosen = _select(call, parse_filters(call.payload))
        names = Counter((item.dataset_id, item.name) for item in chosen)
        for item in chosen:
            there = world.item_at(item.dataset_id, path, item.name)
            if names[item.dataset_id, item.name] > 1 or (there is not None and there.id != item.id):
                raise invalid("path", f"{path} already has an item named {item.name}")
        return _change(call, path=path)


def read_file(call: Call) -> Reply:
    """Give a slot's original or thumbnail, or one section of it, from the bucket."""
    context = call.context
    for item in context.world.all_items():
        for slot in item.slots:
            if item.team == call.team and call.params["slot_id"] in {slot.id, slot.upload_id}:
                key = file_key(slot, call.params.get("part", "original"), call.params.get("number"))
                bucket = context.bucket_of(item)
                data = bucket.read(key) if bucket is not None and key is not None else None
                if data is None:
                    raise not_found("file")
                return Reply(200, (("Content-Type", media_type(data)),), data)
    raise not_found("file")


def file_key(slot: Slot, part: str, number: str | None) -> str | None:
    """Return the storage key of a slot's original, thumbnail or numbered section, if it has that."""
    if part == "original":
        return slot.storage_key
    if part == "thumbnail":
        return slot.thumbnail_key
    if part == "sections" and number is not None and number.isdecimal():
        sections = slot.fields.get("sections")
        if sections:
            return next((s["storage_hq_key"] for s in islice(sections, int(number), None)), None)
        if "storage_sections_key_prefix" in slot.fields:
            extension = slot.fields.get("storage_sections_key_extension") or "png"
            return f"{slot.fields['storage_sections_key_prefix']}/{int(number):09d}.{extension}"
    return None


def _select(call: Call, filters: Filters) -> list[Item]:
    call.context.settle()
    world = call.context.world
    if filters.dataset_ids and filters.item_paths and filters.item_names:
        # Asking for one place is the common question: it must not cost a walk over everything.
        places = product(filters.dataset_ids, filters.item_paths, filters.item_names)
        found = {item.id: item for place in places if (item := world.item_at(*place)) is not None}
        return sorted(filters.select(found.values(), call.team), key=lambda item: item.seq)
    return filters.select(world.all_items(), call.team)


def _change(call: Call, **changes: Any) -> Reply:  # noqa: ANN401 - field values
    chosen = _select(call, parse_filters(call.payload))
    changed = call.context.world.change_items(chosen, updated_at=call.context.wall(), **changes)
    return json_reply({"affected_item_count": changed})


def _cursor(item: Item) -> str:
    return f"after-{item.seq}"


def _cursor_seq(cursor: str) -> int:
    number = cursor.removeprefix("after-") or "0"
    if not number.isdecimal():
        raise RefusalError(422, "INVALID_REQUEST", {"page.from": ["is invalid"]})
    return int(number)


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def item_row(item: Item) -> dict[str, Any]:
    """Tell an item as lists do."""
    slots = [_slot_row(slot, item) for slot in item.slots]
    uploads: list[dict[str, Any]] = [
        {"id": slot.upload_id, "slot_name": slot.slot_name, "file_name": slot.file_name}
        for slot in item.slots
    ]
    if item.processing_error is not None:
        uploads = [{**upload, "processing_error": item.processing_error} for upload in uploads]
    return {
        "id": item.id,
        "name": item.name,
        "path": item.path,
        "status": item.shown_status,
        "processing_status": item.status,
        "workflow_status": "new" if item.status == "complete" else None,
        "archived": item.archived,
        "priority": 0,
        "tags": list(item.tags),
        "cursor": _cursor(item),
        "layout": item.layout,
        "uploads": uploads,
        "slots": slots,
        "slot_types": list(dict.fromkeys(slot.type for slot in item.slots)),
        "dataset_id": item.dataset_id,
        "inserted_at": _moment(item.inserted_at),
        "updated_at": _moment(item.updated_at),
    }


def _slot_row(slot: Slot, item: Item) -> dict[str, Any]:
    metadata = {
        "width": slot.width,
        "height": slot.height,
        "native_fps": slot.fields.get("native_fps"),
        "segment_index": [r["index"] for r in slot.fields.get("hls_segments", {}).values()],
        "frames_manifests": [],
    }
    return {
        "id": slot.id,
        "slot_name": slot.slot_name,
        "file_name": slot.file_name,
        "type": slot.type,
        "fps": 1 if slot.type == "image" else slot.fps,
        "size_bytes": slot.size_bytes,
        "total_sections": slot.total_sections,
        "sectionless": False,
        "streamable": "hls_segments" in slot.fields,
        "is_external": True,
        "upload_id": slot.upload_id,
        "metadata": metadata if item.status == "complete" else None,
    }
