"""How a route wants the artifacts of read-only storage made."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal

from beagle.domain.errors import UnsupportedMediaError
from beagle.domain.media import MediaKind


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoOptions:
    """How a video's frames are chosen and stored, and what is made besides."""

    fps: float | Literal["native"] = "native"
    """Frames a second that become visible."""
    frames: str = "png"
    """`png`, without loss, or `jpeg:N` with N from 2 (best) to 31."""
    preview_frames: bool = True
    shape: Literal["hls", "sections"] = "hls"
    profile: Literal["fast", "equal"] = "fast"
    """`fast` encodes segments with about x264's preset veryfast, on a fixed grid of key frames: what a camera
    saw comes out as small as darwin-py's, and as like to the source; of what was drawn, the small stream is a
    sixth larger. `equal` asks of x264 what darwin-py does: medium, and a key frame where the scene changes.
    """

    @property
    def jpeg_quality(self) -> int | None:
        """Return the quality of the primary frames, None where they are PNG."""
        kind, _, quality = self.frames.partition(":")
        return int(quality) if kind == "jpeg" else None

    @property
    def extension(self) -> str:
        """Return what the names of primary frames end in."""
        return "png" if self.jpeg_quality is None else "jpg"

    def step(self, native_fps: float) -> float:
        """Return how many frames of the source stand for one visible frame."""
        return 1.0 if self.fps == "native" else round(max(native_fps / self.fps, 1.0), 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Making(VideoOptions):
    """What a route says of all kinds of files; of videos, what stands above."""

    size: Literal["shown", "stored"] = "shown"
    """Of images: as browsers show them, or before their EXIF orientation."""
    converts: tuple[MediaKind, ...] = ()
    """Kinds that read-only storage does not know, and that are drawn as images all the same."""

    def require_known(self, kind: MediaKind | None) -> None:
        """Check that there are artifacts for a kind of file.

        Raises:
            UnsupportedMediaError: Nobody knows what it is, or read-only storage does not, and no conversion
                was asked for.

        """
        if kind is None:
            raise UnsupportedMediaError("Its name does not tell what it is; the route's `type` can.")
        if kind not in {"image", "video", *self.converts}:
            raise UnsupportedMediaError(
                f"Read-only storage holds no {kind}; the route can ask for its conversion: "
                f"`{kind}: {{convert: true}}`."
            )

    @property
    def identity(self) -> str:
        """Return what was asked beyond the defaults: a later version, which knows more, says the same."""
        asked = ((field.name, getattr(self, field.name), field.default) for field in fields(self))
        return ",".join(f"{name}={value}" for name, value, default in asked if value != default)
