"""What the emulated Darwin remembers, as values: nothing here changes in place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import uuid4

# "Add data to datasets" is the permission V7's troubleshooting page names. What reading and
# managing are called there is not public; these two stand in for them.
ADD_DATA = "Add data to datasets"
VIEW_DATA = "View datasets"
MANAGE_DATA = "Manage datasets"
ALL_PERMISSIONS = frozenset({ADD_DATA, VIEW_DATA, MANAGE_DATA})

Provider = Literal["aws", "gcp", "azure"]
Access = Literal["read_write", "read_only"]
ItemState = Literal["processing", "complete", "error"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key opens one team, as far as its permissions reach."""

    secret: str
    team: str
    permissions: frozenset[str] = ALL_PERMISSIONS


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """Where items live; the slug is what requests name, the id what filters name."""

    id: int
    name: str
    slug: str
    team: str
    archived: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """A storage integration: its name is the `storage_slug` of requests."""

    name: str
    provider: Provider
    bucket: str
    prefix: str
    readonly: bool
    region: str | None
    team: str
    default: bool = False

    def locate(self, storage_key: str) -> tuple[str, str]:
        """Return the bucket and the key in it; Azure's storage keys begin with their container."""
        if self.provider == "azure":
            container, _, blob = storage_key.partition("/")
            return container, blob
        return self.bucket, storage_key


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A file of an item. `fields` is the slot as it was received."""

    slot_name: str
    file_name: str
    type: str
    storage_key: str
    as_frames: bool = False
    extract_views: bool = False
    size_bytes: int = 0
    fps: float | str | None = None
    width: int | None = None
    height: int | None = None
    thumbnail_key: str | None = None
    total_sections: int = 1
    tags: tuple[str, ...] = ()
    fields: Mapping[str, Any] = field(default_factory=dict)
    id: str = field(default_factory=lambda: str(uuid4()))
    upload_id: str = field(default_factory=lambda: str(uuid4()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A registered item. `payload` is the item as it was received.

    `problems` are what its artifacts would get wrong in Darwin: they are recorded, not refused,
    since Darwin accepts such an item and shows a broken one.
    """

    id: str
    seq: int
    dataset: str
    dataset_id: int
    team: str
    name: str
    path: str
    storage: str
    access: Access
    slots: tuple[Slot, ...]
    layout: Mapping[str, Any]
    tags: tuple[str, ...] = ()
    payload: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    status: ItemState = "complete"
    archived: bool = False
    problems: tuple[str, ...] = ()
    processing_error: Mapping[str, Any] | None = None
    accepted_at: float = 0.0
    inserted_at: float = 0.0
    updated_at: float = 0.0

    @property
    def shown_status(self) -> str:
        """The item's `status` as lists tell it; a complete item without a workflow is new."""
        if self.archived:
            return "archived"
        return "new" if self.status == "complete" else self.status

    @property
    def storage_keys(self) -> tuple[str, ...]:
        """The keys of its files, in slot order."""
        return tuple(slot.storage_key for slot in self.slots)


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocked:
    """An item refused in a successful reply, with a reason for each slot."""

    seq: int
    at: float
    dataset: str
    name: str
    path: str
    storage_keys: tuple[str, ...]
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """One request that was answered, or deliberately was not."""

    seq: int
    at: float
    method: str
    path: str
    status: int
    items: int
    registered: int
    blocked: int
    duration: float
    fault: str | None


def slugify(name: str) -> str:
    """Derive a dataset slug as darwin-py describes it: `Bird Species!` becomes `bird-species`."""
    return re.sub(r"[^a-z0-9_.-]", "", re.sub(r"\s+", "-", name.strip().lower()))


def normalise_path(path: str) -> str:
    """Give a folder its leading slash and take away a trailing one: `a/b/` becomes `/a/b`."""
    return "/" + path.strip("/")
