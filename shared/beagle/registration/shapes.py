"""What a registration request says, strictly: a model for every shape that Darwin documents.

The two endpoints take different fields, and either refuses a request with one it does not know. Read-write:
https://docs.v7labs.com/docs/registering-items-from-external-storage. Read-only videos whose segments are
played are described by V7's SDK alone (darwin-py, darwin/dataset/remote_dataset_v2.py, from 3.4.3 on).
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from beagle.domain.media import MediaKind

Key = Annotated[str, StringConstraints(min_length=1, pattern=r"^[^/]")]
Text = Annotated[str, StringConstraints(min_length=1)]
Pixels = Annotated[int, Field(gt=0)]


class Shape(BaseModel):
    """Base of all shapes: an unknown field is a mistake. A field that has its default is not sent."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


# --- layouts -----------------------------------------------------------------------------------------


class WordLayout(Shape):
    """Slots beside each other, as one word says."""

    version: Literal[1]
    type: Literal["grid", "horizontal", "vertical", "simple"]
    slots: tuple[Text, ...] = Field(min_length=1)


class ShapedLayout(Shape):
    """As version 1, with the number of slots in each row."""

    version: Literal[2]
    type: Literal["grid", "horizontal", "vertical", "simple"]
    slots: tuple[Text, ...] = Field(min_length=1)
    layout_shape: tuple[int, ...] = Field(min_length=1)


class GridLayout(Shape):
    """Columns of rows of channels; several names in the innermost list are channels of one viewport."""

    version: Literal[3]
    slots_grid: tuple[tuple[tuple[Text, ...], ...], ...] = Field(min_length=1)


AnyLayout = WordLayout | ShapedLayout | GridLayout


# --- files -------------------------------------------------------------------------------------------


class ReadWriteFile(Shape):
    """A file that Darwin itself processes. Without `type`, Darwin infers it from the file name."""

    storage_key: Key
    type: MediaKind | None = None
    fps: Annotated[float, Field(ge=0)] | Literal["native"] | None = None
    as_frames: bool | None = None
    extract_views: Literal["true"] | None = None
    """Text, as documented: `"extract_views": "true"`."""

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        if (self.fps is not None or self.as_frames is not None) and self.type not in ("video", None):
            raise ValueError(f"fps and as_frames are for videos, and this is {self.type}")
        if self.extract_views and self.type not in ("dicom", None):
            raise ValueError(f"extract_views is for dicom, and this is {self.type}")
        return self


class ReadOnlyImage(Shape):
    """A read-only image: its thumbnail and its exact size are ours to tell."""

    type: Literal["image"]
    storage_key: Key
    storage_thumbnail_key: Key
    width: Pixels
    height: Pixels


class SectionShape(Shape):
    """One visible frame; the first has index 1."""

    section_index: Annotated[int, Field(ge=1)]
    width: Pixels
    height: Pixels
    storage_hq_key: Key
    storage_lq_key: Key | None = None


class ReadOnlySections(Shape):
    """A read-only video as a list of frames. `fps` and `as_frames` have no place here."""

    type: Literal["video"]
    storage_key: Key
    storage_thumbnail_key: Key
    sections: tuple[SectionShape, ...] = Field(min_length=1)


class StreamShape(Shape):
    """One quality: the playlist's text, and bits a second, null where it could not be measured."""

    index: Text
    bitrate: float | None


class SegmentsShape(Shape):
    """Both qualities of a video."""

    high_quality: StreamShape
    low_quality: StreamShape


# --- slots -------------------------------------------------------------------------------------------


class InSlot(Shape):
    """What a file's slot adds. `file_name` is the last part of the storage key."""

    slot_name: Text
    file_name: Text


class ReadWriteSlot(ReadWriteFile, InSlot):
    """A file in a slot, on read-write storage."""

    tags: tuple[Text, ...] = ()

    @model_validator(mode="after")
    def _views_need_slot_0(self) -> Self:
        if self.extract_views and self.slot_name != "0":
            raise ValueError('extract_views needs the slot named "0"')
        return self


class ReadOnlyImageSlot(ReadOnlyImage, InSlot):
    """An image in a slot, on read-only storage."""


class ReadOnlySectionsSlot(ReadOnlySections, InSlot):
    """A video as a list of frames in a slot, on read-only storage."""


class ReadOnlyHlsSlot(InSlot):
    """A video to be played from segments: always in a slot, and `fps` or `as_frames` get it refused."""

    type: Literal["video"]
    storage_key: Key
    width: Pixels
    height: Pixels
    native_fps: Annotated[float, Field(gt=0)]
    visible_frames: Annotated[int, Field(ge=1)]
    total_frames: Annotated[int, Field(ge=1)]
    hls_segments: SegmentsShape
    storage_sections_key_prefix: Key
    storage_sections_key_extension: Text
    storage_low_quality_sections_key_prefix: Key | None = None
    storage_frames_manifest_key: Key
    storage_thumbnail_key: Key
    storage_audio_peaks_key: Key | None = None
    size_bytes: Annotated[int, Field(ge=0)] | None = None


# --- items -------------------------------------------------------------------------------------------


class Named(Shape):
    """Where the item shall stand."""

    path: Annotated[str, StringConstraints(pattern=r"^/")]
    name: Annotated[str, StringConstraints(pattern=r"^[^/]+$")]
    tags: tuple[Text, ...] = ()


class ReadWriteFlat(ReadWriteFile, Named):
    """One file is the item: Darwin puts it into a slot named "0"."""

    type: MediaKind


class ReadOnlyImageFlat(ReadOnlyImage, Named):
    """One image is the item, on read-only storage."""


class ReadOnlySectionsFlat(ReadOnlySections, Named):
    """One video, as a list of frames, is the item, on read-only storage."""


class ReadWriteSlotted(Named):
    """Several files in slots. Files share a slot's name only as the slices of one DICOM series."""

    slots: tuple[ReadWriteSlot, ...] = Field(min_length=1)
    layout: AnyLayout | None = None

    @model_validator(mode="after")
    def _series_share_a_name(self) -> Self:
        seen: dict[str, MediaKind | None] = {}
        for slot in self.slots:
            if slot.slot_name in seen and not seen[slot.slot_name] == slot.type == "dicom":
                raise ValueError(f"two files share the slot {slot.slot_name!r}, and are no DICOM series")
            seen[slot.slot_name] = slot.type
        return self


class ReadOnlySlotted(Named):
    """Several files in slots, on read-only storage: each in a slot of its own."""

    slots: tuple[ReadOnlyImageSlot | ReadOnlySectionsSlot | ReadOnlyHlsSlot, ...] = Field(min_length=1)
    layout: AnyLayout | None = None

    @model_validator(mode="after")
    def _one_file_a_slot(self) -> Self:
        names = [slot.slot_name for slot in self.slots]
        if len(set(names)) < len(names):
            raise ValueError("two files share a slot, which read-only storage does not allow")
        return self


ReadWriteItem = ReadWriteFlat | ReadWriteSlotted
ReadOnlyItem = ReadOnlyImageFlat | ReadOnlySectionsFlat | ReadOnlySlotted


# --- requests ----------------------------------------------------------------------------------------


class Options(Shape):
    """`ignore_dicom_layout`: the order of the request wins over the order that the files' headers tell."""

    ignore_dicom_layout: Literal[True]


class Envelope(Shape):
    """What surrounds the items. `storage_slug` is the name of the storage in Darwin's settings."""

    dataset_slug: Text
    storage_slug: Text
    options: Options | None = None
