"""Grouped objects wait for each other: the last one to arrive makes the item whole."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from beagle.domain.errors import GroupIncompleteError, GroupWaitingError
from beagle.ports import Clock, GroupMembers

if TYPE_CHECKING:
    from beagle.domain.items import ReadyItem
    from beagle.domain.routes import Group


@dataclass(frozen=True, slots=True)
class Groups:
    """Gathers the objects of a group. Until it is whole, each object's message waits in its queue.

    When it is whole, every waiting message passes the same item on, and the ledger registers it once.
    """

    members: GroupMembers
    clock: Clock

    def gather(self, group: Group, ready: ReadyItem) -> ReadyItem:
        """Return the whole item.

        Raises:
            GroupWaitingError: Others have still to come.
            GroupIncompleteError: They did not come in time.

        """
        self.members.add(ready)
        found = {member.item.slots[0].file_name: member for member in self.members.members(ready.item.id)}
        found.setdefault(ready.item.slots[0].file_name, ready)
        if group.slots:
            order = [name for name in group.slots if name in found]
            if missing := [name for name in group.slots if name not in found]:
                self._wait(group, ready, f"{', '.join(missing)} of {ready.item.id.name}")
        else:
            order = sorted(found)
            newest = max(member.event.occurred_at for member in found.values())
            if self.clock.now() < newest + timedelta(minutes=group.settle_minutes):
                raise GroupWaitingError(f"The series {ready.item.id.name} is still growing.")
        return _whole([found[name] for name in order], ready)

    def _wait(self, group: Group, ready: ReadyItem, missing: str) -> None:
        if self.clock.now() > ready.event.occurred_at + timedelta(hours=group.wait_hours):
            raise GroupIncompleteError(f"After {group.wait_hours:g} hours there is still no {missing}.")
        raise GroupWaitingError(f"There is no {missing} yet.")


def _whole(members: list[ReadyItem], ready: ReadyItem) -> ReadyItem:
    first = members[0].event
    contents = "\0".join(f"{member.event.ref.key}\0{member.event.content}" for member in members)
    claimant = replace(
        first, content=hashlib.sha256(contents.encode(errors="surrogatepass")).hexdigest(), sequencer=""
    )
    slots = tuple(member.item.slots[0] for member in members)
    return replace(ready, item=replace(ready.item, slots=slots), group=claimant)
