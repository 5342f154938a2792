"""From domain values to the bytes of a request: one item's dictionary, and the request around many."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from beagle.domain.errors import InvalidRequestError
from beagle.domain.items import HlsArtifacts, ImageArtifacts, SectionsArtifacts
from beagle.domain.keys import normalise_path
from beagle.registration import shapes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from beagle.domain.items import HlsStream, Item, Layout, Slot
    from beagle.ports import Destination

FLAT_SLOT = "0"
"""The name Darwin gives the slot of an item that is sent without slots."""


def build_item(item: Item) -> dict[str, Any]:
    """Return the item as the request says it.

    Raises:
        InvalidRequestError: The item's parts contradict each other, or Darwin's rules.

    """
    try:
        shape = _read_write(item) if item.access == "read_write" else _read_only(item)
    except ValidationError as error:
        raise InvalidRequestError(_describe(error), name=item.id.name, path=item.id.path) from error
    # A field at its default is not sent: the endpoints refuse what a shape does not have, even null.
    return shape.model_dump(mode="json", exclude_defaults=True)


def encode_item(item: Item) -> bytes:
    """Return the item as the bytes that the request holds."""
    return _encode(build_item(item))


def join_request(destination: Destination, encoded: Sequence[bytes]) -> bytes:
    """Return the request whose items are encoded already."""
    # The read-only endpoint has no options, and reads no DICOM.
    in_given_order = destination.ignore_dicom_layout and destination.access == "read_write"
    envelope = shapes.Envelope(
        dataset_slug=destination.dataset,
        storage_slug=destination.storage,
        options=shapes.Options(ignore_dicom_layout=True) if in_given_order else None,
    )
    rest = _encode(envelope.model_dump(mode="json", exclude_defaults=True))
    return b'{"items":[' + b",".join(encoded) + b"]," + rest[1:]


def build_request(destination: Destination, items: Sequence[Item]) -> bytes:
    """Return the body of the request that registers the items; raises as `build_item` does."""
    return join_request(destination, [encode_item(item) for item in items])


def _encode(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _describe(error: ValidationError) -> str:
    problems = error.errors(include_url=False, include_input=False, include_context=False)
    said = (
        f"{'.'.join(map(str, p['loc'])) or 'item'}: {p['msg'].removeprefix('Value error, ')}"
        for p in problems
    )
    return f"The item cannot be registered as it is: {'; '.join(said)}"[:2000]


# --- read-write --------------------------------------------------------------------------------------


def _read_write(item: Item) -> shapes.ReadWriteItem:
    if any(slot.artifacts is not None for slot in item.slots):
        raise InvalidRequestError("On read-write storage Darwin makes the artifacts: send none.")
    if _is_flat(item):
        [slot] = item.slots
        if slot.media_type is not None and not slot.extract_views:
            return shapes.ReadWriteFlat(
                **_file(slot), path=normalise_path(item.id.path), name=item.id.name, tags=_all_tags(item)
            )
    return shapes.ReadWriteSlotted(
        **_named(item),
        slots=tuple(
            shapes.ReadWriteSlot(**_file(slot), slot_name=slot.name, file_name=slot.file_name, tags=slot.tags)
            for slot in item.slots
        ),
    )


def _is_flat(item: Item) -> bool:
    """Say whether the short form says all: it has no place for a layout or another slot's name."""
    return len(item.slots) == 1 and item.layout is None and item.slots[0].name == FLAT_SLOT


def _file(slot: Slot) -> dict[str, Any]:
    return {
        "storage_key": slot.storage_key,
        "type": slot.media_type,
        "fps": slot.fps,
        "as_frames": slot.as_frames,
        "extract_views": "true" if slot.extract_views else None,
    }


# --- read-only ---------------------------------------------------------------------------------------


def _read_only(item: Item) -> shapes.ReadOnlyItem:
    if any(slot.extract_views for slot in item.slots):
        raise InvalidRequestError("On read-only storage Darwin reads no DICOM, so it extracts no views.")
    if len(item.slots) > 1 and any(slot.tags for slot in item.slots):
        raise InvalidRequestError("On read-only storage tags are the item's, not a slot's.")
    place: dict[str, Any] = {
        "path": normalise_path(item.id.path),
        "name": item.id.name,
        "tags": _all_tags(item),
    }
    if _is_flat(item):
        [slot] = item.slots
        match slot.artifacts:
            case ImageArtifacts() as image:
                return shapes.ReadOnlyImageFlat(**_image(slot, image), **place)
            case SectionsArtifacts() as video:
                return shapes.ReadOnlySectionsFlat(**_sections(slot, video), **place)
    return shapes.ReadOnlySlotted(
        **{**_named(item), "tags": place["tags"]}, slots=tuple(_read_only_slot(slot) for slot in item.slots)
    )


def _read_only_slot(
    slot: Slot,
) -> shapes.ReadOnlyImageSlot | shapes.ReadOnlySectionsSlot | shapes.ReadOnlyHlsSlot:
    names: dict[str, Any] = {"slot_name": slot.name, "file_name": slot.file_name}
    match slot.artifacts:
        case ImageArtifacts() as image:
            return shapes.ReadOnlyImageSlot(**_image(slot, image), **names)
        case SectionsArtifacts() as video:
            return shapes.ReadOnlySectionsSlot(**_sections(slot, video), **names)
        case HlsArtifacts() as video:
            return shapes.ReadOnlyHlsSlot(**_hls(slot, video), **names)
        case None:
            raise InvalidRequestError(
                f"The slot {slot.name!r} has no artifacts: read-only storage needs its thumbnail and size."
            )


def _image(slot: Slot, image: ImageArtifacts) -> dict[str, Any]:
    return {
        **_told(slot, "image"),
        "storage_thumbnail_key": image.thumbnail_key,
        "width": image.width,
        "height": image.height,
    }


def _sections(slot: Slot, video: SectionsArtifacts) -> dict[str, Any]:
    return {
        **_told(slot, "video"),
        "storage_thumbnail_key": video.thumbnail_key,
        "sections": tuple(
            shapes.SectionShape(
                section_index=index,
                width=section.width,
                height=section.height,
                storage_hq_key=section.high_key,
                storage_lq_key=section.low_key,
            )
            for index, section in enumerate(video.sections, start=1)
        ),
    }


def _hls(slot: Slot, video: HlsArtifacts) -> dict[str, Any]:
    return {
        **_told(slot, "video"),
        "width": video.width,
        "height": video.height,
        "native_fps": video.native_fps,
        "visible_frames": video.visible_frames,
        "total_frames": video.total_frames,
        "hls_segments": shapes.SegmentsShape(
            high_quality=_stream(video.high), low_quality=_stream(video.low)
        ),
        "storage_sections_key_prefix": video.sections_prefix,
        "storage_sections_key_extension": video.sections_extension,
        "storage_low_quality_sections_key_prefix": video.low_sections_prefix,
        "storage_frames_manifest_key": video.frames_manifest_key,
        "storage_thumbnail_key": video.thumbnail_key,
        "storage_audio_peaks_key": video.audio_peaks_key,
        "size_bytes": slot.size,
    }


def _stream(stream: HlsStream) -> shapes.StreamShape:
    return shapes.StreamShape(index=stream.index, bitrate=stream.bitrate)


def _told(slot: Slot, kind: str) -> dict[str, Any]:
    """Return the type that the artifacts make of the file: DICOM slices are an image or a video here.

    The slot's `fps` was for making them; Darwin, which samples nothing here, is not told.
    """
    if slot.media_type not in (kind, "dicom", None):
        raise InvalidRequestError(
            f"The slot {slot.name!r} is {slot.media_type}, its artifacts are of {kind}."
        )
    return {"type": kind, "storage_key": slot.storage_key}


# --- both --------------------------------------------------------------------------------------------


def _named(item: Item) -> dict[str, Any]:
    return {
        "path": normalise_path(item.id.path),
        "name": item.id.name,
        "tags": item.tags,
        "layout": None if item.layout is None else _layout(item.layout, {slot.name for slot in item.slots}),
    }


def _all_tags(item: Item) -> tuple[str, ...]:
    """Return each tag once: an item of one file does not tell its own from its slot's."""
    return tuple(dict.fromkeys((*item.tags, *(tag for slot in item.slots for tag in slot.tags))))


def _layout(layout: Layout, names: set[str]) -> shapes.AnyLayout:
    spoken_of = {name for column in layout.grid for row in column for name in row} | set(layout.slots)
    if not spoken_of <= names:
        raise InvalidRequestError(
            f"The layout speaks of slots that are not there: {sorted(spoken_of - names)}"
        )
    match layout.version:
        case 1:
            return shapes.WordLayout(version=1, type=layout.kind, slots=layout.slots)
        case 2:
            return shapes.ShapedLayout(
                version=2, type=layout.kind, slots=layout.slots, layout_shape=layout.shape
            )
        case 3:
            return shapes.GridLayout(version=3, slots_grid=layout.grid)
