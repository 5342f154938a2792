"""Calls that take several messages, so many and so long at most."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def chunks(bodies: Sequence[str], *, most: int, most_bytes: int) -> Iterator[list[int]]:
    """Yield the indices of the bodies that go together, in order; one that is too long goes alone."""
    chunk: list[int] = []
    size = 0
    for index, body in enumerate(bodies):
        length = len(body.encode())
        if chunk and (len(chunk) == most or size + length > most_bytes):
            yield chunk
            chunk, size = [], 0
        chunk.append(index)
        size += length
    if chunk:
        yield chunk
