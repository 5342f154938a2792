"""What Darwin finds when it opens an item: files that are missing, and manifests that do not add up.

An HLS video (the slot darwin-py 3.4.3 and later registers) promises numbers and files. Here they
are held against the bucket, which the real Darwin does only when someone opens the item.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from math import isfinite
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .records import Item

OpenObject = Callable[[str, str], bytes | None]
ObjectExists = Callable[[str, str], bool]

GZIP_MAGIC = b"\x1f\x8b"


class Bucket:
    """The storage of one item, read through the hooks."""

    def __init__(
        self,
        locate: Callable[[str], tuple[str, str]],
        open_object: OpenObject | None,
        object_exists: ObjectExists | None,
    ) -> None:
        self._locate = locate
        self._open = open_object
        self._exists = object_exists

    def read(self, key: str) -> bytes | None:
        """Return an object's bytes, or nothing when it is not there."""
        return self._open(*self._locate(key)) if self._open else None

    def has(self, key: str) -> bool:
        """Whether the object is there."""
        if self._exists is not None:
            return self._exists(*self._locate(key))
        return self.read(key) is not None


def problems_of(item: Item, bucket: Bucket) -> Iterator[str]:
    """Yield, in sentences, what a viewer of this read-only item would miss."""
    for slot in item.slots:
        yield from (f"slot {slot.slot_name}: {problem}" for problem in _slot_problems(slot.fields, bucket))


def _slot_problems(fields: Mapping[str, Any], bucket: Bucket) -> Iterator[str]:
    for role in ("storage_key", "storage_thumbnail_key"):
        if role in fields and not bucket.has(fields[role]):
            yield f"{role} {fields[role]} does not exist"
    for section in fields.get("sections", ()):
        for role in ("storage_hq_key", "storage_lq_key"):
            if section.get(role) and not bucket.has(section[role]):
                yield f"section {section['section_index']}: {role} {section[role]} does not exist"
    if "hls_segments" in fields:
        yield from _manifest_problems(fields, bucket)
        yield from _section_problems(fields, bucket)
        yield from _playlist_problems(fields, bucket)
        yield from _audio_problems(fields, bucket)


def _manifest_problems(fields: Mapping[str, Any], bucket: Bucket) -> Iterator[str]:
    manifest = bucket.read(fields["storage_frames_manifest_key"])
    if manifest is None:
        yield f"frames manifest {fields['storage_frames_manifest_key']} does not exist"
        return
    # One line a frame, `frame_in_segment:segment:visible:seconds`, no blank line: the reader of
    # darwin-py splits at the colons and fails on anything else.
    lines = manifest.decode("utf-8", "replace").split("\n")
    visible = 0
    for number, line in enumerate(lines):
        try:
            frame, segment, shown, seconds = line.split(":")
            int(frame), int(segment), float(seconds)
            visible += int(shown)
        except ValueError:
            yield f"frames manifest line {number + 1} is not frame:segment:visible:seconds: {line[:60]!r}"
            return
    if len(lines) != fields["total_frames"]:
        yield f"frames manifest has {len(lines)} lines, total_frames says {fields['total_frames']}"
    if visible != fields["visible_frames"]:
        yield f"frames manifest shows {visible} frames, visible_frames says {fields['visible_frames']}"


def visible_times(manifest: bytes) -> list[float] | None:
    """Return when each visible frame is shown, in seconds; None of a manifest that cannot be read."""
    try:
        rows = [line.split(":") for line in manifest.decode().split("\n")]
        times = [float(seconds) for _, _, shown, seconds in rows if shown == "1"]
    except ValueError:
        return None
    return times if all(map(isfinite, times)) else None


def _section_problems(fields: Mapping[str, Any], bucket: Bucket) -> Iterator[str]:
    prefixes = [
        (fields["storage_sections_key_prefix"], fields.get("storage_sections_key_extension") or "png")
    ]
    if fields.get("storage_low_quality_sections_key_prefix"):
        prefixes.append((fields["storage_low_quality_sections_key_prefix"], "jpg"))
    for prefix, extension in prefixes:
        keys = (f"{prefix.rstrip('/')}/{n:09d}.{extension}" for n in range(fields["visible_frames"]))
        missing = [key for key in keys if not bucket.has(key)]
        if missing:
            yield f"{len(missing)} of {fields['visible_frames']} frames are missing, first {missing[0]}"
        beyond = f"{prefix.rstrip('/')}/{fields['visible_frames']:09d}.{extension}"
        if bucket.has(beyond):
            yield f"there are more frames than visible_frames says: {beyond}"


def _playlist_problems(fields: Mapping[str, Any], bucket: Bucket) -> Iterator[str]:
    for quality, rendition in fields["hls_segments"].items():
        lines = rendition["index"].splitlines()
        if not lines or lines[0] != "#EXTM3U":
            yield f"{quality} index is no playlist"
        segments = [line for line in lines if line and not line.startswith("#")]
        if not segments:
            yield f"{quality} index names no segment"
        missing = [key for key in segments if not bucket.has(key)]
        if missing:
            yield f"{len(missing)} of {len(segments)} {quality} segments are missing, first {missing[0]}"


def _audio_problems(fields: Mapping[str, Any], bucket: Bucket) -> Iterator[str]:
    key = fields.get("storage_audio_peaks_key")
    if not key:
        return
    peaks = bucket.read(key)
    if peaks is None:
        yield f"audio peaks {key} do not exist"
    elif not peaks.startswith(GZIP_MAGIC):
        yield f"audio peaks {key} are not gzip"
