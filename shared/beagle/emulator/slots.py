"""From the slots of a request to the slots of an item."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from .wire import invalid

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .schemas import Strict

from .records import Slot

ITEM_FIELDS = {"name", "path", "layout", "slots"}

# The server's own table is not public. This is the union of darwin-py's two tables; where they
# disagree on .nii, the one written after the server's schema is taken.
TYPES_BY_SUFFIX = {
    "image": ".jpg .jpeg .jfif .png .bmp .gif .tif .tiff .qtiff .webp .svs .mrxs",
    "video": ".mp4 .avi .mov .wmv .mkv .hevc .bpm .ndpi .rvg",
    "dicom": ".dcm .nii .nii.gz",
    "pdf": ".pdf",
}
TYPE_OF = {suffix: kind for kind, suffixes in TYPES_BY_SUFFIX.items() for suffix in suffixes.split()}


def infer_type(names: Iterable[str]) -> str | None:
    """Tell the type from the first file name whose ending is known."""
    for name in names:
        for suffix, kind in TYPE_OF.items():
            if name.lower().endswith(suffix):
                return kind
    return None


def build_slots(item: Strict) -> tuple[Slot, ...]:
    """Make the slots of an item; a flat item has one, called "0", whose file is named as the item."""
    fields = item.model_dump(mode="json", exclude_unset=True)
    if "slots" in fields:
        return tuple(_build_slot(slot, slot["slot_name"], slot["file_name"]) for slot in fields["slots"])
    flat = {name: value for name, value in fields.items() if name not in ITEM_FIELDS}
    # Item and slot tags are one thing on a flat item: the item keeps them.
    flat.pop("tags", None)
    return (_build_slot(flat, "0", fields["name"]),)


def _build_slot(fields: dict[str, Any], slot_name: str, file_name: str) -> Slot:
    named = (fields.get("file_name", file_name), fields["storage_key"], file_name)
    kind = fields.get("type") or infer_type(named)
    if kind is None:
        raise invalid("type", f"cannot be told from {PurePosixPath(named[0]).name!r}: send it")
    sections = fields.get("sections") or [{}]
    return Slot(
        slot_name=slot_name,
        file_name=file_name,
        type=kind,
        storage_key=fields["storage_key"],
        as_frames=bool(fields.get("as_frames")),
        extract_views=bool(fields.get("extract_views")),
        size_bytes=fields.get("size_bytes") or 0,
        fps=fields.get("fps"),
        width=fields.get("width", sections[0].get("width")),
        height=fields.get("height", sections[0].get("height")),
        thumbnail_key=fields.get("storage_thumbnail_key"),
        total_sections=fields.get("visible_frames", len(sections)),
        tags=tuple(fields.get("tags") or ()),
        fields=fields,
    )


def slot_echo(slot: Slot, reason: str | None = None) -> dict[str, Any]:
    """Say a slot back as registration does; flags are booleans whatever was sent."""
    echo: dict[str, Any] = {
        "slot_name": slot.slot_name,
        "file_name": slot.file_name,
        "type": slot.type,
        "as_frames": slot.as_frames,
        "extract_views": slot.extract_views,
        "size_bytes": slot.size_bytes,
        "upload_id": slot.upload_id,
    }
    if slot.fields.get("metadata") is not None:
        echo["metadata"] = slot.fields["metadata"]
    if reason is not None:
        echo["reason"] = reason
    return echo
