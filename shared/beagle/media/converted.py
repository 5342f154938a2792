"""What Darwin cannot show from read-only storage, turned into what it can."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from beagle.domain.items import ImageArtifacts, Section, SectionsArtifacts
from beagle.media.stills import THUMBNAIL

if TYPE_CHECKING:
    from beagle.ports import ArtifactSink

IMAGE = "image.png"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversionLimits:
    """Bounds on volumes and documents."""

    frames: int = 10_000
    """Frames of a series, or pages."""
    pixels: int = 64_000_000
    """Of one frame or page."""
    pixels_in_all: int = 3_000_000_000
    """Drawing and compressing them takes an invocation of prepare (two minutes on AWS and Google Cloud) even
    where each second does 25 million, and 8 to 22 were measured: what asks for more is told so at once.
    """
    bytes_in_all: int = 4 * 1024**3
    """Of the files of a series. They are read where they lie, and never on this machine's disk."""
    seconds: float = 840.0
    """Where no invocation ends it sooner: on a person's own machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Converted:
    """The artifacts, and which of them takes the object's place."""

    artifacts: ImageArtifacts | SectionsArtifacts
    storage_name: str | None = None
    """The artifact whose key Darwin is told as the storage key; None keeps the object's own."""
    order: tuple[str, ...] = ()
    """Of a series: the names of its files, in the order in which their frames stand."""


def build_converted(drawn: dict[str, Any], sink: ArtifactSink) -> Converted:
    """Return what was drawn, at the sink's keys."""
    order = tuple(drawn.get("order", ()))
    if "single" in drawn:
        width, height = drawn["single"]
        image = ImageArtifacts(thumbnail_key=sink.key(THUMBNAIL), width=width, height=height)
        return Converted(artifacts=image, storage_name=IMAGE, order=order)
    sections = tuple(
        Section(
            width=width,
            height=height,
            high_key=sink.key(f"sections/high/{index:09d}.png"),
            low_key=sink.key(f"sections/low/{index:09d}.jpg"),
        )
        for index, (width, height) in enumerate(drawn["sections"])
    )
    return Converted(
        artifacts=SectionsArtifacts(thumbnail_key=sink.key(THUMBNAIL), sections=sections), order=order
    )
