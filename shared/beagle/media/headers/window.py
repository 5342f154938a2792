"""Few and growing ranged reads, so that parsing a header costs one request, and never more than sixteen."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from beagle.ports import ObjectReader

FIRST_READ = 64 * 1024
LONGEST_READ = 1024 * 1024
MOST_READS = 16
MOST_STEPS = 4096
"""Markers, chunks, boxes or tags that a header may have."""


class DamagedHeaderError(Exception):
    """The bytes are no header of their format; never leaves this package."""


class Window:
    """An object's bytes at any offset, as long as the header stays within bounds."""

    def __init__(self, reader: ObjectReader) -> None:
        self.size = reader.size
        self._reader = reader
        self._blocks: list[tuple[int, bytes]] = []
        self._steps = 0

    def at(self, offset: int, length: int) -> bytes:
        """Return exactly these bytes.

        Raises:
            DamagedHeaderError: The object ends before, or the header is scattered beyond all measure.

        """
        if offset < 0 or length > LONGEST_READ or offset + length > self.size:
            raise DamagedHeaderError
        for start, block in self._blocks:
            if start <= offset and offset + length <= start + len(block):
                return block[offset - start : offset - start + length]
        if len(self._blocks) == MOST_READS:
            raise DamagedHeaderError
        planned = min(FIRST_READ << len(self._blocks), LONGEST_READ)
        block = self._reader.read(offset, min(max(planned, length), self.size - offset))
        if len(block) < length:
            raise DamagedHeaderError
        self._blocks.append((offset, block))
        return block[:length]

    def big(self, offset: int, length: int) -> int:
        """Return a big-endian number."""
        return int.from_bytes(self.at(offset, length), "big")

    def little(self, offset: int, length: int) -> int:
        """Return a little-endian number."""
        return int.from_bytes(self.at(offset, length), "little")

    def step(self) -> None:
        """Count one marker, chunk, box or tag.

        Raises:
            DamagedHeaderError: There were too many.

        """
        self._steps += 1
        if self._steps > MOST_STEPS:
            raise DamagedHeaderError


class _Held:
    """Bytes in memory, read like an object."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.size = len(data)

    def read(self, start: int, length: int) -> bytes:
        return self._data[start : start + length]

    def download(self, to: object, _deadline: object = None) -> None:
        raise NotImplementedError(f"A header is not copied to {to}.")


def window_on(data: bytes) -> Window:
    """Return a window on bytes that were read already, such as a JPEG's EXIF segment."""
    return Window(_Held(data))
