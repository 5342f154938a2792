"""Objects that are read once, though their header and their decoder both need them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from beagle.ports import Deadline, ObjectReader


@dataclass(frozen=True, slots=True)
class Held:
    """A small object, read whole."""

    data: bytes

    @property
    def size(self) -> int:
        """Return bytes."""
        return len(self.data)

    def read(self, start: int, length: int) -> bytes:
        """Return a range; shorter only at the object's end."""
        return self.data[start : start + length]

    def download(self, to: Path, _deadline: Deadline | None = None) -> None:
        """Write the whole object into a new file."""
        to.write_bytes(self.data)


class Remembering:
    """A reader that keeps what was first read from the object's start, up to a bound."""

    def __init__(self, reader: ObjectReader) -> None:
        self.size = reader.size
        self._reader = reader
        self._start = b""

    def read(self, start: int, length: int) -> bytes:
        """Return a range, asking only for what is not known."""
        known = self._start[start : start + length]
        if len(known) == length or (known and start + len(known) == self.size):
            return known
        rest = self._reader.read(start + len(known), length - len(known))
        if start == 0 and not known:
            self._start = rest if len(rest) <= 128 * 1024 else b""
        return known + rest if known else rest

    def download(self, to: Path, deadline: Deadline | None = None) -> None:
        """Write the whole object into a new file."""
        self._reader.download(to, deadline)
