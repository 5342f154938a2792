"""The bodies `register_existing_readonly` takes: images, sections, and HLS videos.

Darwin processes nothing here, so every shape names the artifacts its caller made. Docs call the
thumbnail and the size of an image mandatory; darwin-py calls them optional. The stricter wins.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from .schemas import (
    Count,
    Envelope,
    Flag,
    FrameRate,
    ItemFields,
    NonEmpty,
    Pixels,
    SlotNames,
    StorageKey,
    Strict,
    Tags,
)


class ReadOnlyImageFields(Strict):
    """A still: its own pixels are shown, so its size must be told."""

    type: Literal["image"]
    storage_key: StorageKey
    storage_thumbnail_key: StorageKey
    width: Pixels
    height: Pixels
    size_bytes: Count | None = None


class ReadOnlyImageSlot(ReadOnlyImageFields, SlotNames):
    """A still in a slot."""


class ReadOnlyImageFlat(ReadOnlyImageFields, ItemFields):
    """A still that is an item."""

    file_name: NonEmpty | None = None


class Section(Strict):
    """One visible frame, or one page."""

    section_index: Annotated[int, Field(ge=1)]
    width: Pixels
    height: Pixels
    storage_hq_key: StorageKey
    storage_lq_key: StorageKey | None = None
    size_bytes: Count | None = None
    type: Literal["image"] | None = None


class SectionsFields(Strict):
    """A video, a document or a volume as one picture a section."""

    type: Literal["video", "pdf", "dicom"]
    storage_key: StorageKey
    storage_thumbnail_key: StorageKey
    sections: Annotated[list[Section], Field(min_length=1)]
    fps: FrameRate | None = None
    as_frames: Flag | None = None
    extract_views: Flag | None = None
    size_bytes: Count | None = None
    metadata: dict[str, Any] | None = None


class SectionsSlot(SectionsFields, SlotNames):
    """Sections in a slot."""

    tags: Tags | None = None


class SectionsFlat(SectionsFields, ItemFields):
    """Sections that are an item."""

    file_name: NonEmpty | None = None


class HlsQuality(Strict):
    """One rendition: the whole playlist, whose segment lines are storage keys."""

    index: NonEmpty
    bitrate: float | None


class HlsSegments(Strict):
    """Both renditions."""

    high_quality: HlsQuality
    low_quality: HlsQuality


class HlsSlot(SlotNames):
    """A video as darwin-py 3.4.3 and later sends it. `fps` and `as_frames` are no fields of it."""

    type: Literal["video"]
    storage_key: StorageKey
    width: Pixels
    height: Pixels
    native_fps: Annotated[float, Field(gt=0)]
    visible_frames: Count
    total_frames: Count
    hls_segments: HlsSegments
    storage_sections_key_prefix: StorageKey
    storage_sections_key_extension: Literal["png", "jpg"] | None = None
    storage_low_quality_sections_key_prefix: StorageKey | None = None
    storage_frames_manifest_key: StorageKey
    storage_thumbnail_key: StorageKey
    storage_audio_peaks_key: StorageKey | None = None
    size_bytes: Count | None = None


def _fields(value: object) -> object:
    # Pydantic asks for the form twice: of what was sent, and of the model when it is written out.
    return vars(value) if isinstance(value, Strict) else value


def _slot_form(value: object) -> str:
    value = _fields(value)
    if isinstance(value, dict):
        if "hls_segments" in value:
            return "hls"
        if "sections" in value or value.get("type") in {"pdf", "dicom"}:
            return "sections"
        if value.get("type") == "video":
            return "hls"
    return "image"


ReadOnlySlot = Annotated[
    Annotated[ReadOnlyImageSlot, Tag("image")]
    | Annotated[SectionsSlot, Tag("sections")]
    | Annotated[HlsSlot, Tag("hls")],
    Discriminator(_slot_form),
]


class ReadOnlySlots(ItemFields):
    """Several files, one item; no two of them in one slot."""

    slots: Annotated[list[ReadOnlySlot], Field(min_length=1)]


def _item_form(value: object) -> str:
    value = _fields(value)
    if isinstance(value, dict):
        if "slots" in value:
            return "slots"
        # HLS has no flat form that anyone has seen work: it fails on its missing sections.
        if "sections" in value or "hls_segments" in value or value.get("type") in {"video", "pdf", "dicom"}:
            return "sections"
    return "image"


ReadOnlyItem = Annotated[
    Annotated[ReadOnlyImageFlat, Tag("image")]
    | Annotated[SectionsFlat, Tag("sections")]
    | Annotated[ReadOnlySlots, Tag("slots")],
    Discriminator(_item_form),
]


class ReadOnlyBody(Envelope):
    """`POST /v2/teams/{team}/items/register_existing_readonly`."""

    items: Annotated[list[ReadOnlyItem], Field(min_length=1)]
