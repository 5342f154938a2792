"""All artifacts of an item, whatever its files are: the one door to this package for the pipeline."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from beagle.domain.errors import UnsupportedMediaError
from beagle.domain.events import ObjectCreated, ObjectRef
from beagle.domain.items import ImageArtifacts, Item, ReadyItem, ReadyPart, Slot
from beagle.domain.making import Making
from beagle.media.child import Children
from beagle.media.remember import Held
from beagle.media.room import lent_folder, processors
from beagle.media.timely import TimelyReader, TimelySink, in_time
from beagle.ports import ArtifactSink, ObjectReader, Split

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from beagle.domain.media import MediaKind
    from beagle.ports import Deadline

PART_OF_THE_TIME = 0.6
"""How much of an invocation a part is planned to take: the rest is for the download, and for a slow day."""

ASKED_AT_ONCE = 16
"""Slices of a series for which their store is asked at once."""
HELD = 256 * 1024 * 1024
"""Bytes of a series that is read once, many slices at a time; those of a larger one are read as needed."""


def _tell_nobody(_done: int, _total: int) -> None:
    """Let progress be nobody's concern."""


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes artifacts with the libraries of this package, which are imported when they are needed.

    `open_object` returns the reader of exactly the content that an event announces, `sink_of` where its
    artifacts go. `invocation_seconds` is how long an invocation may take: longer videos are split.
    """

    open_object: Callable[[ObjectCreated], ObjectReader]
    sink_of: Callable[[ObjectCreated, ReadyItem], ArtifactSink]
    invocation_seconds: float
    children: Children = field(default_factory=Children)
    progress: Callable[[int, int], None] = _tell_nobody
    """Told how many frames of a video have been decoded, and of how many."""
    memory: int | None = None
    """Bytes that all processes may hold together; None where nobody bounds them."""
    files_in_memory: bool = False
    """Whether what is downloaded lies in memory, too, as on Google Cloud."""

    def make(self, ready: ReadyItem, deadline: Deadline) -> Item | Split:
        """Return the item with every slot's artifacts, or how to split its first long video."""
        slots = list(self.make_stills(ready, deadline).slots)
        for index, slot in enumerate(slots):
            if slot.artifacts is None:
                made = self._video(ready, index, slot, deadline)
                if isinstance(made, Split):
                    return made
                slots[index] = made
        return replace(ready.item, slots=tuple(slots))

    def make_stills(self, ready: ReadyItem, deadline: Deadline) -> Item:
        """Return the item with the artifacts of every slot that is no video; a series becomes one slot."""
        if ready.item.is_series:
            return self._series(ready, deadline)
        slots = (
            slot
            if slot.artifacts is not None or slot.media_type == "video"
            else self._still(ready, slot, deadline)
            for slot in ready.item.slots
        )
        return replace(ready.item, slots=tuple(slots))

    def make_part(self, part: ReadyPart, deadline: Deadline) -> dict[str, Any]:
        """Make the artifacts of one part of a video; return what `join` needs of it."""
        from beagle.media.video.cuts import Part  # noqa: PLC0415 - what only videos need
        from beagle.media.video.ffmpeg import find_ffmpeg  # noqa: PLC0415
        from beagle.media.video.parts import extract_part  # noqa: PLC0415
        from beagle.media.video.probe import probe  # noqa: PLC0415

        ready, slot = part.ready, part.ready.item.slots[part.slot]
        event = _event_of(ready, slot)
        ffmpeg = find_ffmpeg()
        with self._downloaded(event, deadline) as path:
            result = extract_part(
                path,
                probe(path, ffmpeg, deadline),
                Part.from_json(part.part),
                TimelySink(self.sink_of(event, ready), deadline),
                _making(ready),
                deadline,
                ffmpeg=ffmpeg,
                progress=self.progress,
            )
        return result.to_json()

    def join(
        self, ready: ReadyItem, slot: int, results: Sequence[dict[str, Any]], deadline: Deadline
    ) -> Item:
        """Return the item with the artifacts of a slot whose parts are all made."""
        from beagle.media.video.parts import PartResult, join_parts  # noqa: PLC0415

        slots = list(ready.item.slots)
        sink = TimelySink(self.sink_of(_event_of(ready, slots[slot]), ready), deadline)
        parts = [PartResult.from_json(result) for result in results]
        slots[slot] = replace(slots[slot], artifacts=join_parts(parts, sink, _making(ready)))
        return replace(ready.item, slots=tuple(slots))

    def _still(self, ready: ReadyItem, slot: Slot, deadline: Deadline) -> Slot:
        event, making = _event_of(ready, slot), _making(ready)
        making.require_known(slot.media_type)
        sink = TimelySink(self.sink_of(event, ready), deadline)
        reader = self._open(event, deadline)
        if slot.media_type == "image":
            from beagle.media.stills import make_still  # noqa: PLC0415

            still = make_still(reader, sink, children=self.children, size=making.size, deadline=deadline)
            return replace(slot, artifacts=still)
        if slot.media_type == "dicom":
            from beagle.media.dicom import convert_dicom  # noqa: PLC0415

            converted = convert_dicom(reader, sink, children=self.children, deadline=deadline)
        else:
            from beagle.media.pdf import convert_pdf  # noqa: PLC0415

            converted = convert_pdf(reader, sink, children=self.children, deadline=deadline)
        storage_key = sink.key(converted.storage_name) if converted.storage_name else slot.storage_key
        kind: MediaKind = "image" if isinstance(converted.artifacts, ImageArtifacts) else "video"
        return replace(slot, artifacts=converted.artifacts, storage_key=storage_key, media_type=kind)

    def _series(self, ready: ReadyItem, deadline: Deadline) -> Item:
        """Return the item with one slot, whose frames are those of all slices."""
        from beagle.media.dicom import convert_series  # noqa: PLC0415

        slots = ready.item.slots
        for slot in slots:
            if slot.media_type not in {"dicom", None}:
                raise UnsupportedMediaError(
                    f"{slot.storage_key} is {slot.media_type}, and stands among the slices of a series."
                )
        with ThreadPoolExecutor(ASKED_AT_ONCE) as pool:
            readers = list(pool.map(lambda slot: self._open(_event_of(ready, slot), deadline), slots))
            if sum(reader.size for reader in readers) <= HELD:
                readers = list(pool.map(lambda reader: Held(reader.read(0, reader.size)), readers))
        converted = convert_series(
            list(zip([slot.storage_key for slot in slots], readers, strict=True)),
            TimelySink(self.sink_of(ready.claimant, ready), deadline),
            children=self.children,
            in_given_order=ready.item.ignore_dicom_layout,
            deadline=deadline,
        )
        # Darwin wants the key of an object that is there: the first slice's stands for all.
        series = replace(slots[0], artifacts=converted.artifacts, media_type="video")
        return replace(ready.item, slots=(series,))

    def _video(self, ready: ReadyItem, index: int, slot: Slot, deadline: Deadline) -> Slot | Split:
        from beagle.media.video.cuts import (  # noqa: PLC0415 - what only videos need
            decoded_a_second,
            frames_a_second,
            plan_parts,
        )
        from beagle.media.video.ffmpeg import find_ffmpeg  # noqa: PLC0415
        from beagle.media.video.memory import require_memory  # noqa: PLC0415
        from beagle.media.video.parts import extract_part, join_parts  # noqa: PLC0415
        from beagle.media.video.probe import probe  # noqa: PLC0415

        event, options, ffmpeg = _event_of(ready, slot), _making(ready), find_ffmpeg()
        with self._downloaded(event, deadline) as path:
            facts = probe(path, ffmpeg, deadline)
            require_memory(facts, options, processors(), self._memory_beside(path.stat().st_size))
            speed = frames_a_second(facts, options, processors())
            decoding = decoded_a_second(facts, processors())
            parts = plan_parts(facts, self.invocation_seconds * PART_OF_THE_TIME, speed, decoding)
            if len(parts) > 1:
                return Split(index, tuple(part.to_json() for part in parts))
            sink = TimelySink(self.sink_of(event, ready), deadline)
            result = extract_part(
                path, facts, parts[0], sink, options, deadline, ffmpeg=ffmpeg, progress=self.progress
            )
        return replace(slot, artifacts=join_parts([result], sink, options))

    def _open(self, event: ObjectCreated, deadline: Deadline) -> ObjectReader:
        return TimelyReader(in_time(lambda: self.open_object(event), deadline), deadline)

    def _memory_beside(self, size: int) -> int | None:
        """Return how many bytes a file of so many leaves, where they are bounded."""
        from beagle.media.video.memory import memory_beside  # noqa: PLC0415 - what only videos need

        return memory_beside(size, self.memory) if self.memory and self.files_in_memory else self.memory

    @contextmanager
    def _downloaded(self, event: ObjectCreated, deadline: Deadline) -> Iterator[Path]:
        """Lend the object as a file of a constant name, in a folder that nobody else may read."""
        reader = self._open(event, deadline)
        self._memory_beside(reader.size)
        with lent_folder() as folder:
            path = folder / "source"
            reader.download(path, deadline)
            yield path


def _event_of(ready: ReadyItem, slot: Slot) -> ObjectCreated:
    """Return the announcement of a slot's own object: of a grouped item each slot has another."""
    ref = ready.event.ref
    return replace(
        ready.event,
        ref=ObjectRef(provider=ref.provider, bucket=ref.bucket, key=ready.key_of(slot)),
        content=slot.content,
        size=slot.size,
    )


def _making(ready: ReadyItem) -> Making:
    return ready.making or Making()
