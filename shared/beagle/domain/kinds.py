"""What a route says of each kind of file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def _one_or_many(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Many = Annotated[tuple[str, ...], BeforeValidator(_one_or_many, json_schema_input_type=str | tuple[str, ...])]


class Strict(BaseModel):
    """A part of the routes file: a field that it does not know is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Image(Strict):
    """How images are registered on read-only storage."""

    size: Literal["shown", "stored"] = Field(
        "shown", description="Read-only: width and height as browsers show it, or before EXIF orientation."
    )


class Video(Strict):
    """How videos are sampled and, on read-only storage, extracted."""

    fps: Annotated[float, Field(gt=0, allow_inf_nan=False)] | Literal["native"] | None = Field(
        None, description="Frames a second that become visible; by default Darwin's own choice (native)."
    )
    as_frames: bool | None = Field(None, description="Read-write only: Darwin stores the frames one by one.")
    frames: str = Field(
        "png",
        pattern=r"^(png|jpeg:([2-9]|[12]\d|3[01]))$",
        description="Read-only: frames as `png` (lossless) or `jpeg:N`, N from 2 (best) to 31.",
    )
    preview_frames: bool = Field(True, description="Read-only: small frames besides, for quick looks.")
    shape: Literal["hls", "sections"] = Field(
        "hls", description="Read-only: register segments to play, or every frame."
    )
    profile: Literal["fast", "equal"] = Field(
        "fast", description="Read-only: encode segments fast, or with darwin-py's own settings."
    )


class Dicom(Strict):
    """How DICOM is shown."""

    extract_views: bool = Field(False, description="Axial, sagittal and coronal views of a volume.")
    ignore_layout: bool = Field(False, description="Series: the order of keys wins over the files' headers.")
    convert: bool = Field(
        False,
        description="Read-only: draw slices as images, volumes and series as the frames of a video. V7's "
        "documentation knows no read-only DICOM.",
    )


class Pdf(Strict):
    """How documents are registered on read-only storage."""

    convert: bool = Field(
        False, description="Read-only: draw pages as frames. V7's documentation shows no read-only PDF."
    )


_MADE_BY_BEAGLE = {
    "image": ("size",),
    "video": ("frames", "preview_frames", "shape", "profile"),
    "dicom": ("convert",),
    "pdf": ("convert",),
}


def wishes_for_artifacts(**kinds: Strict) -> list[str]:
    """Return the fields that say, beyond the defaults, how artifacts shall be made."""
    return [
        f"{kind}.{name}"
        for kind, names in _MADE_BY_BEAGLE.items()
        for name in names
        if getattr(kinds[kind], name) != type(kinds[kind]).model_fields[name].default
    ]
