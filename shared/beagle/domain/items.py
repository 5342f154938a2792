"""What Darwin is told: items, their slots, and the artifacts that read-only storage needs."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Any, Literal

from beagle.domain.events import ObjectCreated
from beagle.domain.keys import derive_new_name, derive_object_key
from beagle.domain.making import Making
from beagle.domain.media import MediaKind

Access = Literal["read_write", "read_only"]
OverwritePolicy = Literal["ignore", "dead_letter", "new_name"]
CollisionPolicy = Literal["dead_letter", "new_name"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageArtifacts:
    """What a read-only image needs: a thumbnail and the exact size, in pixels, as the browser shows it."""

    thumbnail_key: str
    width: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One visible frame, stored as an image of its own; sizes in pixels."""

    width: int
    height: int
    high_key: str
    low_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionsArtifacts:
    """A read-only video as the documentation has it: every visible frame listed, in order."""

    thumbnail_key: str
    sections: tuple[Section, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HlsStream:
    """One quality of a video: the whole text of its playlist, whose segment lines are storage keys."""

    index: str
    bitrate: float | None
    """Bits a second; None where it could not be measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HlsArtifacts:
    """A read-only video as V7's own extractor registers it: segments to play, frames below a prefix."""

    thumbnail_key: str
    width: int
    height: int
    native_fps: float
    visible_frames: int
    total_frames: int
    high: HlsStream
    low: HlsStream
    sections_prefix: str
    sections_extension: str
    low_sections_prefix: str | None
    frames_manifest_key: str
    audio_peaks_key: str | None


Artifacts = ImageArtifacts | SectionsArtifacts | HlsArtifacts


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One file of an item.

    Files may share a slot's name only as the slices of one DICOM series. Darwin takes those on read-write
    storage; on read-only storage they become one slot when they are drawn.
    """

    name: str
    file_name: str
    storage_key: str
    media_type: MediaKind | None
    """What Darwin is told; None leaves it to Darwin."""
    size: int | None = None
    """Bytes of the object."""
    content: str = ""
    """Which content of the object: its artifacts belong to that."""
    fps: float | Literal["native"] | None = None
    """Video only: the rate at which Darwin samples frames."""
    as_frames: bool | None = None
    extract_views: bool = False
    """DICOM only: show axial, sagittal and coronal views."""
    tags: tuple[str, ...] = ()
    artifacts: Artifacts | None = None
    """None on read-write storage, where Darwin makes them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How slots stand beside each other: version 1 and 2 by a word, version 3 by columns, rows, channels."""

    version: Literal[1, 2, 3]
    kind: Literal["grid", "horizontal", "vertical", "simple"] = "grid"
    slots: tuple[str, ...] = ()
    shape: tuple[int, ...] = ()
    """Version 2 only: how many slots each row holds."""
    grid: tuple[tuple[tuple[str, ...], ...], ...] = ()
    """Version 3 only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemId:
    """What Darwin keeps unique: a name at a path in a dataset."""

    team: str
    dataset: str
    path: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One item, whole, as it shall stand in a dataset."""

    id: ItemId
    storage: str
    access: Access
    slots: tuple[Slot, ...]
    layout: Layout | None = None
    tags: tuple[str, ...] = ()
    ignore_dicom_layout: bool = False
    """Series only: the order of the slots wins over the order that the files' headers tell."""
    azure_container: bool | None = None
    """Azure only: storage keys start with the container; None where an older version did not say."""

    @property
    def is_series(self) -> bool:
        """Say whether its slots are the slices of one series."""
        return len(self.slots) > 1 and len({slot.name for slot in self.slots}) == 1

    def renamed(self, distinction: str) -> Item:
        """Return the item under another name, always the same for the same distinction."""
        return replace(self, id=replace(self.id, name=derive_new_name(self.id.name, distinction)))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyItem:
    """An item that waits for registration: what prepare and extract pass on to register."""

    event: ObjectCreated
    """The object whose message this is."""
    item: Item
    route: str
    on_overwrite: OverwritePolicy = "ignore"
    on_name_collision: CollisionPolicy = "dead_letter"
    replayed: int = 0
    """How often its event was replayed from the dead letters."""
    making: Making | None = None
    """None on read-write storage."""
    group: ObjectCreated | None = None
    """What stands for all objects of a grouped item: its key is the group's name, its content made of all."""

    def renewed(self, key: str, content: str, size: int) -> ReadyItem:
        """Return the item with other content of one of its objects."""
        slots = (
            replace(slot, content=content, size=size) if self.key_of(slot) == key else slot
            for slot in self.item.slots
        )
        event = replace(self.event, content=content, size=size) if self.event.ref.key == key else self.event
        now = replace(self, event=event, item=replace(self.item, slots=tuple(slots)))
        return replace(now, group=replace(self.group, content=now.contents)) if self.group else now

    def key_of(self, slot: Slot) -> str:
        """Return the key of the object in a slot."""
        return derive_object_key(
            slot.storage_key, self.event.ref.bucket, azure_container=self.azure_container
        )

    @property
    def contents(self) -> str:
        """Return what tells the contents of all its objects from any others."""
        told = "\0".join(f"{self.key_of(slot)}\0{slot.content}" for slot in self.item.slots)
        return hashlib.sha256(told.encode(errors="surrogatepass")).hexdigest()

    @property
    def claimant(self) -> ObjectCreated:
        """Return the object, with its content, that claims the item's name in the ledger."""
        return self.group or self.event

    @property
    def asked(self) -> str:
        """Return what the route asks of artifacts beyond the defaults: other wishes, other artifacts."""
        return self.making.identity if self.making else ""

    @property
    def azure_container(self) -> bool:
        """Say whether storage keys start with the container; where the item does not, the first one tells."""
        if self.item.azure_container is not None or self.event.ref.provider != "azure":
            return bool(self.item.azure_container)
        return self.item.slots[0].storage_key.startswith(f"{self.event.ref.bucket}/")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyPart:
    """One part of an item's video, that waits for extraction."""

    ready: ReadyItem
    slot: int
    """Which of the item's slots."""
    part: dict[str, Any]
    """As its maker wants it back."""
    plan: str = ""
    """The same for all parts into which the video was cut at once, and for no others."""
