"""Which files Darwin takes, told by the end of their names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

MediaKind = Literal["image", "video", "pdf", "dicom"]


@dataclass(frozen=True, slots=True)
class MediaType:
    """What a suffix says.

    `kind` is how we treat the file. `declared` says whether Darwin is told: V7 publishes two tables of
    suffixes (darwin-py's registration table and its newer item model), and where one names another type than
    the other, or only one knows the suffix, the `type` is left out and Darwin's own inference decides.
    """

    kind: MediaKind
    declared: bool = True


_BOTH_TABLES_AGREE: dict[MediaKind, tuple[str, ...]] = {
    "image": ("png", "jpeg", "jpg", "bmp"),
    "video": ("avi", "mov", "mp4", "mkv"),
    "pdf": ("pdf",),
    "dicom": ("dcm",),
}
_TABLES_DISAGREE: dict[MediaKind, tuple[str, ...]] = {
    "image": ("jfif", "tif", "tiff", "qtiff", "svs", "webp", "gif"),
    "video": ("hevc", "bpm", "wmv", "ndpi", "rvg"),
    "dicom": ("nii", "nii.gz"),
}

MEDIA_TYPES: dict[str, MediaType] = {
    f".{suffix}": MediaType(kind, declared)
    for table, declared in ((_BOTH_TABLES_AGREE, True), (_TABLES_DISAGREE, False))
    for kind, suffixes in table.items()
    for suffix in suffixes
}
"""Every suffix that one of V7's tables knows, in lower case with its dot."""

_LONGEST_FIRST = sorted(MEDIA_TYPES, key=len, reverse=True)


def suffix_of(file_name: str) -> str:
    """Return the suffix as written, with its dot: `.nii.gz` whole, else what follows the last dot.

    A name that is nothing but a dot and letters (`.jpg`) has none.
    """
    lowered = file_name.lower()
    for suffix in _LONGEST_FIRST:
        if lowered.endswith(suffix) and len(file_name) > len(suffix):
            return file_name[-len(suffix) :]
    stem, dot, rest = file_name.rpartition(".")
    return dot + rest if stem and rest else ""


def media_type_of(file_name: str) -> MediaType | None:
    """Return what the name's suffix says, in any case of letters; None for a file Darwin does not know."""
    return MEDIA_TYPES.get(suffix_of(file_name).lower())
