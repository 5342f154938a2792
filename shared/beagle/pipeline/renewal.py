"""What an event announced may be gone before it is read, and nobody announce what stands there instead.

Of two writes at the same time to one key without versions, S3 may announce only one, and not say the newer;
Azure announces no change of a blob's metadata, which changes what it is known by.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from beagle.domain.errors import SupersededError

if TYPE_CHECKING:
    from collections.abc import Callable

    from beagle.domain.items import ReadyItem

MADE = TypeVar("MADE")

_CHANGES = 3
"""How often an object may change while it is read; of a group each may have changed once before."""


def with_newest_content(make: Callable[[ReadyItem], MADE], ready: ReadyItem) -> tuple[ReadyItem, MADE]:
    """Call `make` with the item, and again with what stands there now where that may be all that ever comes.

    If it was announced after all, that event finds its content registered.

    Raises:
        SupersededError: It changed, and every version has an event of its own; or it changes all the time.

    """
    for _ in range(_CHANGES + len(ready.item.slots) - 1):
        try:
            return ready, make(ready)
        except SupersededError as error:
            ready = renewed(ready, error)
    return ready, make(ready)


def renewed(ready: ReadyItem, error: SupersededError) -> ReadyItem:
    """Return the item as it stands now; raise the error where that has an event of its own."""
    if "content" not in error.context:
        raise error
    now = error.context
    return ready.renewed(str(now["key"]), str(now["content"]), int(now["size"]))
