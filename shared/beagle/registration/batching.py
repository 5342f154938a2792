"""Which items go into a request together."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def fitting(sizes: Sequence[int], start: int, *, most_items: int, most_bytes: int) -> int:
    """Return how many items, from `start` on, one request takes: at least one, however large it is.

    `sizes` are the items' bytes; between two lies a comma.
    """
    count, total = 0, 0
    for size in sizes[start : start + most_items]:
        total += size + bool(count)
        if count and total > most_bytes:
            break
        count += 1
    return count
