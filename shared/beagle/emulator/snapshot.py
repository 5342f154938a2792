"""What the page shows, in pieces small enough to be polled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .api import EmulatedDarwin
    from .faults import Fault
    from .records import Blocked, Item, Served, Slot

MOST_ITEMS = 500
MOST_ROWS = 2000


def snapshot(darwin: EmulatedDarwin, *, since: int, epoch: int) -> dict[str, Any]:
    """Tell what changed after revision `since`.

    A new `epoch` means that something was removed: the answer then starts from nothing, and says so.
    `more` means that the next question will bring further items at once.
    """
    darwin.context.settle()
    world = darwin.context.world
    with world.lock:
        fresh = epoch != world.epoch
        since = 0 if fresh or since > world.revision else since
        items, reached = world.changed_since(since, MOST_ITEMS)
        counts: dict[str, int] = {}
        for item in world.items.values():
            counts[item.dataset] = counts.get(item.dataset, 0) + 1
        return {
            "revision": reached,
            "epoch": world.epoch,
            "fresh": since == 0,
            "more": reached < world.revision,
            "now": darwin.context.wall(),
            "team": world.teams[0] if world.teams else None,
            "datasets": [
                {
                    "id": d.id,
                    "name": d.name,
                    "slug": d.slug,
                    "items": counts.get(d.slug, 0),
                    "archived": d.archived,
                }
                for d in world.datasets.values()
            ],
            "storages": [
                {
                    "name": s.name,
                    "provider": s.provider,
                    "bucket": s.bucket,
                    "prefix": s.prefix,
                    "readonly": s.readonly,
                }
                for s in world.storages.values()
            ],
            "totals": {
                "items": len(world.items),
                "blocked": len(world.blocked),
                "requests": len(world.served),
            },
            "items": [item_summary(item) for item in items],
            "blocked": [_blocked_row(b) for b in _recent(world.blocked, since)],
            "requests": [_served_row(r) for r in _recent(world.served, since)],
            "faults": [_fault_words(fault) for fault in darwin.pending_faults()],
            "pictures": darwin.context.hooks.open_object is not None,
        }


def _fault_words(fault: Fault) -> str:
    times = "until cleared" if fault.count is None else f"{fault.count} times" if fault.count > 1 else "once"
    return f"{fault.label} ({times})"


def _recent(rows: Any, since: int) -> list[Any]:  # noqa: ANN401 - a deque of either kind of row
    found: list[Any] = []
    for row in reversed(rows):
        if row.seq <= since or len(found) == MOST_ROWS:
            break
        found.append(row)
    return found[::-1]


def picture_key(item: Item) -> str | None:
    """Return the key of the picture to show: its thumbnail, or the image itself.

    Darwin makes the thumbnails of read-write items; here the image stands in for its own.
    """
    slot = item.slots[0]
    return slot.thumbnail_key or (slot.storage_key or None if slot.type == "image" else None)


def item_summary(item: Item) -> dict[str, Any]:
    """Tell what a card shows."""
    return {
        "id": item.id,
        "seq": item.seq,
        "dataset": item.dataset,
        "path": item.path,
        "name": item.name,
        "status": item.shown_status,
        "access": item.access,
        "type": item.slots[0].type,
        "picture": picture_key(item) is not None,
        "slots": len(item.slots),
        "problems": len(item.problems),
        "at": item.inserted_at,
    }


def item_detail(item: Item) -> dict[str, Any]:
    """Tell everything, storage keys too."""
    return {
        **item_summary(item),
        "storage": item.storage,
        "slots": [_slot_detail(slot) for slot in item.slots],
        "tags": list(item.tags),
        "layout": item.layout,
        "options": item.options,
        "problems": list(item.problems),
        "processing_error": item.processing_error,
    }


def _slot_detail(slot: Slot) -> dict[str, Any]:
    fields = {name: value for name, value in slot.fields.items() if name not in {"sections", "hls_segments"}}
    return {
        **fields,
        "slot_name": slot.slot_name,
        "file_name": slot.file_name,
        "type": slot.type,
        "storage_key": slot.storage_key,
        "total_sections": slot.total_sections,
        "frames": slot.fields.get("visible_frames") or len(slot.fields.get("sections", ())),
        "tags": list(slot.tags),
    }


def _blocked_row(blocked: Blocked) -> dict[str, Any]:
    return {
        "seq": blocked.seq,
        "at": blocked.at,
        "dataset": blocked.dataset,
        "path": blocked.path,
        "name": blocked.name,
        "storage_keys": blocked.storage_keys,
        "reasons": sorted(set(blocked.reasons)),
    }


def _served_row(served: Served) -> dict[str, Any]:
    return {
        "seq": served.seq,
        "at": served.at,
        "method": served.method,
        "path": served.path,
        "status": served.status,
        "items": served.items,
        "registered": served.registered,
        "blocked": served.blocked,
        "ms": round(served.duration * 1000, 2),
        "fault": served.fault,
    }
