"""What the page looks at of one item: all that is known of it, and its pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .artifacts import visible_times
from .items_api import file_key
from .pictures import OPAQUE, media_type
from .snapshot import item_detail, picture_key
from .wire import Reply, json_reply, not_found

if TYPE_CHECKING:
    from .artifacts import Bucket
    from .context import Context
    from .records import Slot

MOST_DIGITS = 9


def look_at(context: Context, segments: tuple[str, ...]) -> Reply:
    """Answer for `ID`, `ID/thumbnail`, or what a slot has: `ID/slots/0/original`, `/frames/12`, `/times`."""
    context.settle()
    item = context.world.items.get(segments[0]) if segments else None
    if item is None:
        raise not_found("item")
    bucket = context.bucket_of(item)
    match segments[1:]:
        case ():
            return json_reply(item_detail(item))
        case ("thumbnail",):
            return _picture(bucket, picture_key(item))
        case ("slots", index, *asked) if _is_number(index) and int(index) < len(item.slots):
            return _look_at_slot(item.slots[int(index)], bucket, asked)
    raise not_found("page")


def _look_at_slot(slot: Slot, bucket: Bucket | None, asked: list[str]) -> Reply:
    match asked:
        case ["original"]:
            return _picture(bucket, slot.storage_key)
        case ["frames", number] if _is_number(number):
            return _picture(bucket, file_key(slot, "sections", number))
        case ["times"]:
            key = slot.fields.get("storage_frames_manifest_key")
            manifest = bucket.read(key) if bucket is not None and key else None
            times = visible_times(manifest) if manifest is not None else None
            return Reply(204) if times is None else json_reply({"times": times})
    raise not_found("page")


def _is_number(text: str) -> bool:
    return text.isdecimal() and len(text) <= MOST_DIGITS


def _picture(bucket: Bucket | None, key: str | None) -> Reply:
    data = bucket.read(key) if bucket is not None and key else None
    kind = media_type(data) if data is not None else OPAQUE
    if data is None or kind == OPAQUE:
        # Nothing to show is no error: the page then says so, or draws the type's icon.
        return Reply(204)
    headers = (
        ("Content-Type", kind),
        ("X-Content-Type-Options", "nosniff"),
        ("Cache-Control", "max-age=60"),
    )
    return Reply(200, headers, data)
