"""What an event announced may be gone before it is read, and nobody announce what stands there instead.

Of two writes at the same time to one key without versions, S3 may announce only one, and not say the newer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from beagle.domain.errors import SupersededError

if TYPE_CHECKING:
    from collections.abc import Callable

    from beagle.domain.items import ReadyItem

MADE = TypeVar("MADE")

_CHANGES = 3
"""How often an object may change while it is read."""


def with_newest_content(make: Callable[[ReadyItem], MADE], ready: ReadyItem) -> tuple[ReadyItem, MADE]:
    """Call `make` with the item, and again with what stands there now where that may be all that ever comes.

    If it was announced after all, that event finds its content registered. Objects of a group are made anew
    by events of their own: their group is another then.

    Raises:
        SupersededError: It changed, and every version has an event of its own; or it changes all the time.

    """
    for _ in range(_CHANGES):
        try:
            return ready, make(ready)
        except SupersededError as error:
            now = error.context.get("content")
            if not now or ready.group:
                raise
            ready = ready.renewed(str(now), int(error.context["size"]))
    return ready, make(ready)
