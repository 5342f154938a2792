"""Which items go into a request together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from beagle.domain.keys import derive_likeness

if TYPE_CHECKING:
    from collections.abc import Sequence

    from beagle.domain.items import Item
    from beagle.ports import Destination


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


def require_fit(destination: Destination, items: Sequence[Item]) -> None:
    """Return if one request may hold the items.

    Raises:
        ValueError: Two have one path and name, or such as Darwin may take for one; or one goes elsewhere.

    """
    places = {derive_likeness(item.id.path, item.id.name) for item in items}
    if len(places) < len(items):
        raise ValueError("Two items have one path and name: Darwin's answers could not tell them apart")
    for item in items:
        theirs = (item.id.team, item.id.dataset, item.storage, item.access)
        if theirs != (destination.team, destination.dataset, destination.storage, destination.access):
            raise ValueError(f"The item {item.id.name!r} is for another destination")
