"""Items to register, and a registrar with whom to do it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pydantic import SecretStr

from beagle.domain.items import (
    HlsArtifacts,
    HlsStream,
    ImageArtifacts,
    Item,
    ItemId,
    Section,
    SectionsArtifacts,
    Slot,
)
from beagle.emulator import DEFAULT_KEY
from beagle.ports import Destination
from beagle.providers.local.clock import FakeClock
from beagle.registration.client import DarwinClient
from beagle.registration.pacing import Pacer
from beagle.registration.registrar import DarwinRegistrar

if TYPE_CHECKING:
    from collections.abc import Callable

TEAM, DATASET = "acme", "incoming"
UPLOADS, ARCHIVE = "acme-uploads", "acme-archive"
TO_UPLOADS = Destination(team=TEAM, dataset=DATASET, storage=UPLOADS, access="read_write")
TO_ARCHIVE = Destination(team=TEAM, dataset=DATASET, storage=ARCHIVE, access="read_only")

THUMBNAIL = "thumbs/1.jpg"
IMAGE = ImageArtifacts(thumbnail_key=THUMBNAIL, width=1920, height=1080)
SECTIONS = SectionsArtifacts(
    thumbnail_key=THUMBNAIL,
    sections=(
        Section(width=640, height=360, high_key="f/0.png", low_key="f/0.jpg"),
        Section(width=640, height=360, high_key="f/1.png"),
    ),
)
HLS = HlsArtifacts(
    thumbnail_key=THUMBNAIL,
    width=640,
    height=360,
    native_fps=29.97,
    visible_frames=2,
    total_frames=12,
    high=HlsStream(index="#EXTM3U\nsegments/high/0.ts\n", bitrate=1_000.5),
    low=HlsStream(index="#EXTM3U\nsegments/low/0.ts\n", bitrate=None),
    sections_prefix="sections/high",
    sections_extension="png",
    low_sections_prefix=None,
    frames_manifest_key="frames_manifest.txt",
    audio_peaks_key=None,
)


def slot(file_name: str = "a.jpg", **changes: object) -> Slot:
    """Return a slot of an image, changed."""
    plain = Slot(name="0", file_name=file_name, storage_key=f"in/{file_name}", media_type="image", size=10)
    return replace(plain, **changes)


def item(name: str = "a.jpg", *slots: Slot, path: str = "/cars", **changes: object) -> Item:
    """Return an item for read-write storage; without slots, of one image."""
    plain = Item(
        id=ItemId(team=TEAM, dataset=DATASET, path=path, name=name),
        storage=UPLOADS,
        access="read_write",
        slots=slots or (slot(name),),
    )
    return replace(plain, **changes)


def archived(name: str, *slots: Slot, **changes: object) -> Item:
    """Return an item for read-only storage."""
    return item(name, *slots, storage=ARCHIVE, access="read_only", **changes)


def images(count: int) -> list[Item]:
    """Return that many items, all different."""
    return [item(f"{number:03}.jpg") for number in range(count)]


class Left:
    """A deadline that does not move, or moves with a clock."""

    def __init__(self, seconds: float, clock: FakeClock | None = None) -> None:
        self._end = seconds + (clock.monotonic() if clock else 0)
        self._clock = clock

    def remaining(self) -> float:
        return self._end - (self._clock.monotonic() if self._clock else 0)


def client_of(url: str, key: str | Callable[[], SecretStr] = DEFAULT_KEY, **options: object) -> DarwinClient:
    """Return a client that waits on a clock which jumps."""
    fetch = (lambda: SecretStr(key)) if isinstance(key, str) else key
    return DarwinClient(url, fetch, **{"clock": FakeClock(), **options})


def registrar_of(client: DarwinClient, clock: FakeClock | None = None, **options: object) -> DarwinRegistrar:
    """Return a registrar that hardly paces itself."""
    clock = clock or FakeClock()
    return DarwinRegistrar(client, Pacer(clock, 60_000, burst=1_000), clock=clock, **options)


MINUTE = Left(60)
