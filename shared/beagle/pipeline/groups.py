"""Grouped objects wait for each other: the last one to arrive makes the item whole."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from beagle.domain.errors import GroupIncompleteError, GroupWaitingError, NameCollisionError
from beagle.pipeline.endings import LONGEST_WAIT
from beagle.ports import Clock, GroupMembers

if TYPE_CHECKING:
    from beagle.domain.items import ReadyItem
    from beagle.domain.routes import Group

LOOKS = 100
"""How often, about, an object may look for the others: queues deliver a message 200 times."""


@dataclass(frozen=True, slots=True)
class Groups:
    """Gathers the objects of a group. Until it is whole, each object's message waits in its queue.

    When it is whole, every waiting message passes the same item on, and the ledger registers it once.
    """

    members: GroupMembers
    clock: Clock

    def gather(self, group: Group, name: str, ready: ReadyItem) -> ReadyItem:
        """Return the whole item of the group of that name.

        Raises:
            GroupWaitingError: Others have still to come.
            GroupIncompleteError: They did not come in time.
            NameCollisionError: Another object of the group has the object's slot.

        """
        self.members.add(name, ready)
        found = {member.event.ref.key: member for member in self.members.members(name, ready.item.id)}
        found.setdefault(ready.event.ref.key, ready)
        in_order = [found[key] for key in sorted(found)]
        if group.slots:
            members = self._slots(group, name, ready, in_order)
        else:
            members = in_order
            self._settle(group, ready, members)
            if ready.on_overwrite == "ignore":
                # Here a new content may be a slice that came too late: it must not go unseen.
                ready = replace(ready, on_overwrite="dead_letter")
        return _whole(name, members, ready)

    def _slots(self, group: Group, name: str, ready: ReadyItem, found: list[ReadyItem]) -> list[ReadyItem]:
        """Return the objects in the order of the slots; of two for one slot, the first by its key."""
        slots: dict[str, ReadyItem] = {}
        for member in found:
            slots.setdefault(member.item.slots[0].file_name, member)
        mine = ready.item.slots[0].file_name
        if slots[mine].event.ref.key != ready.event.ref.key:
            raise NameCollisionError(
                f"{ready.event.ref} wants to be {mine} of {name}, and {slots[mine].event.ref} is it."
            )
        if missing := [slot for slot in group.slots if slot not in slots]:
            self._wait(group, ready, f"{', '.join(missing)} of {ready.item.id.name}")
        return [slots[slot] for slot in group.slots]

    def _wait(self, group: Group, ready: ReadyItem, missing: str) -> None:
        # Never added to a time: one at the end of the calendar would overflow.
        if self.clock.now() - ready.event.occurred_at > timedelta(hours=group.wait_hours):
            raise GroupIncompleteError(f"After {group.wait_hours:g} hours there is still no {missing}.")
        # Whoever completes the group passes the item on: the others are in no hurry.
        slowly = group.wait_hours * 3600 / LOOKS
        raise GroupWaitingError(
            f"There is no {missing} yet.", retry_after=slowly if slowly > LONGEST_WAIT else None
        )

    def _settle(self, group: Group, ready: ReadyItem, found: list[ReadyItem]) -> None:
        quiet = self.clock.now() - max(member.event.occurred_at for member in found)
        settled = timedelta(minutes=group.settle_minutes)
        if quiet < settled:
            raise GroupWaitingError(
                f"The series {ready.item.id.name} is still growing.",
                retry_after=min(settled - quiet, settled).total_seconds(),
            )


def _whole(name: str, members: list[ReadyItem], ready: ReadyItem) -> ReadyItem:
    first, slots = members[0].event, tuple(member.item.slots[0] for member in members)
    whole = replace(ready, item=replace(ready.item, slots=slots))
    claimant = replace(first, ref=replace(first.ref, key=name), content=whole.contents, sequencer="")
    return replace(whole, group=claimant)
