"""What read-only storage needs besides the objects, and how it is made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from beagle.domain.items import Item, ReadyItem, ReadyPart
    from beagle.ports.clock import Deadline


class ObjectReader(Protocol):
    """One object of the watched bucket, with the content that its event announced."""

    @property
    def size(self) -> int:
        """Bytes."""

    def read(self, start: int, length: int) -> bytes:
        """Return a range; shorter only at the object's end.

        Raises:
            ObjectGoneError: It is not there any more, or has other content by now.
            ServiceError: Not now.

        """

    def download(self, to: Path, deadline: Deadline | None = None) -> None:
        """Write the whole object into a new file, which may be unfinished after an error.

        Raises:
            ObjectGoneError: It is not there any more, or has other content by now.
            MediaTooLargeError: The disk has no room for it.
            DecoderStoppedError: The disk became full.
            ServiceError: Not now; or the deadline passed.

        """


class ArtifactSink(Protocol):
    """Where the artifacts of one content of one object go, always at the same keys. Safe for threads."""

    def put(self, name: str, data: bytes, content_type: str, content_encoding: str = "") -> None:
        """Keep one artifact, durably before this returns; the same name again overwrites.

        `name` is relative and plain, such as `thumbnail.jpg` or `sections/high/000000000.png`.

        Raises:
            ServiceError: It was not kept.

        """

    def key(self, name: str) -> str:
        """Return the storage key that Darwin is told for an artifact."""


@dataclass(frozen=True, slots=True)
class Split:
    """A video that does not fit into one invocation: its parts, as its maker wants them back."""

    slot: int
    """Which of the item's slots."""
    parts: tuple[dict[str, Any], ...]


class StillMaker(Protocol):
    """What read-only storage needs besides all that is no video."""

    def make_stills(self, ready: ReadyItem, deadline: Deadline) -> Item:
        """Return the item with the artifacts of every slot that is no video. Raises as `ArtifactMaker.make`.

        The slices of a series become one slot.
        """


class ArtifactMaker(StillMaker, Protocol):
    """What read-only storage needs besides the object: thumbnails, frames, manifests."""

    def make(self, ready: ReadyItem, deadline: Deadline) -> Item | Split:
        """Return the item with every slot's artifacts, durable at deterministic keys; or how to split it.

        What a slot has already is not made again.

        Raises:
            VerdictError: The object can never have them.
            SupersededError: It has other content by now.
            ServiceError: Not now.

        """

    def make_part(self, part: ReadyPart, deadline: Deadline) -> dict[str, Any]:
        """Make the artifacts of one part; return what `join` needs of it. Raises as `make`."""

    def join(
        self, ready: ReadyItem, slot: int, results: Sequence[dict[str, Any]], deadline: Deadline
    ) -> Item:
        """Return the item once all parts of a slot are made. Raises as `make`."""


class PartResults(Protocol):
    """What is known of the parts of a video that was split."""

    def keep(self, video: Sequence[str], number: int, result: dict[str, Any]) -> None:
        """Remember one part's result; the same again replaces itself.

        Raises:
            LedgerUnavailableError: It was not remembered.

        """

    def kept(self, video: Sequence[str]) -> list[dict[str, Any]]:
        """Return the results that are there. Raises as `keep`."""
