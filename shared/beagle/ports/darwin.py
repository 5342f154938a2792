"""Darwin, as far as registration is concerned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from beagle.domain.items import Access, ItemId

if TYPE_CHECKING:
    from collections.abc import Sequence

    from beagle.domain.answers import Answer, Standing
    from beagle.domain.items import Item
    from beagle.ports.clock import Deadline


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """What one registration request has in common; its items must agree on all of it."""

    team: str
    dataset: str
    storage: str
    access: Access
    ignore_dicom_layout: bool = False


class Registrar(Protocol):
    """Darwin, as far as registration is concerned."""

    def register(self, destination: Destination, items: Sequence[Item], deadline: Deadline) -> list[Answer]:
        """Register items, in as few requests as allowed; return one answer for each, in order.

        Names at their paths must be unique among the items. Never raises for what Darwin answers or
        fails to: what has no verdict is `Postponed`.
        """

    def seconds_to_wait(self, destination: Destination) -> float:
        """Return how long nothing may be sent there: 0 when a request may go now."""

    def find(self, item: ItemId, deadline: Deadline) -> Standing | None:
        """Return what stands in Darwin under the item's path and name.

        Raises:
            DarwinError: It cannot be told: no answer, no time, or the key may not list items.

        """

    def find_many(self, items: Sequence[ItemId], deadline: Deadline) -> tuple[int, dict[ItemId, Standing]]:
        """Look once at the first of some items of one dataset: at how many, and what it shows of them.

        Of those that it does not show it tells nothing.

        Raises:
            DarwinError: It shows nothing.

        """
