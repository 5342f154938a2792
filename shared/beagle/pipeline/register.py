"""Register: from waiting items to items that stand in Darwin, in as few requests as allowed.

The ledger is written before Darwin is asked and after it has answered. Whatever is lost between the two, a
redelivery finds the intent and knows that a name Darwin calls taken may have been taken by us.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cmp_to_key
from typing import TYPE_CHECKING

from beagle.domain.errors import BeagleError, BugError, DarwinNotAskedError, ServiceError
from beagle.domain.keys import derive_likeness
from beagle.messages import load_item
from beagle.pipeline.account import Account
from beagle.pipeline.bugs import bugs_told
from beagle.pipeline.claiming import claim
from beagle.pipeline.endings import Endings, Subject
from beagle.pipeline.limits import SPARE, require_time
from beagle.pipeline.passing import unpack
from beagle.pipeline.settling import settle
from beagle.pipeline.work import Round, Work
from beagle.ports import Destination, Journal, Ledger, Parcels, Registrar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from beagle.domain.events import ObjectRef
    from beagle.domain.items import ItemId
    from beagle.ports import Deadline, Received, Report


LONGEST_IDLE = 10.0
"""Seconds that an invocation sits and waits for Darwin; what must wait longer waits in the queue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """Registers the items of a batch, once each, whatever is delivered twice, late or out of order."""

    registrar: Registrar
    ledger: Ledger
    parcels: Parcels
    endings: Endings
    journal: Journal

    def run(self, batch: Sequence[Received], deadline: Deadline) -> Report:
        """Register every item of a batch; no message is acknowledged before its outcome is durable."""
        account = Account("register", batch, self.journal)
        waiting = _newest_first(self._read(batch, account))
        while waiting:
            # Names are unique within a round, and so within a request: answers name items by nothing else.
            now: dict[ItemId, Work] = {}
            later = [work for work in waiting if now.setdefault(_likeness(work), work) is not work]
            waiting = [*self._round(list(now.values()), account, deadline), *later]
        return account.close()

    def _read(self, batch: Sequence[Received], account: Account) -> list[Work]:
        works = []
        for message in batch:
            account.announce(message, 1)
            try:
                with bugs_told("register", self.journal):
                    ready = load_item(unpack(message.body, self.parcels))
            except BeagleError as error:
                account.end(message, self.endings.end(Subject(message=message), error))
            else:
                works.append(Work(message, ready))
        return works

    def _round(self, works: list[Work], account: Account, deadline: Deadline) -> list[Work]:
        """Take items of different names through; return those that want another name."""
        this = Round(
            registrar=self.registrar,
            ledger=self.ledger,
            endings=self.endings,
            journal=self.journal,
            account=account,
            deadline=deadline,
        )
        for destination, wanted in _by_destination(works):
            try:
                require_time(deadline)
                self._require_turn(destination, deadline)
            except ServiceError as error:
                for work in wanted:
                    this.end(work, error)
                continue
            try:
                with bugs_told("register", self.journal):
                    claimed = claim(wanted, this)
                    items = [work.ready.item for work, _ in claimed]
                    settle(claimed, self.registrar.register(destination, items, deadline), this)
            except BugError as error:
                # What has no outcome yet comes again; an intent that was written stands.
                going_on = {work.message.id for work in this.renamed}
                for work in wanted:
                    if not account.has_ended(work.message) and work.message.id not in going_on:
                        this.end(work, error)
        return this.renamed

    def _require_turn(self, destination: Destination, deadline: Deadline) -> None:
        """Return if Darwin may be asked soon: waiting for long is cheaper in the queue than in here.

        Raises:
            DarwinNotAskedError: It may not; the messages come again, and the ledger is left alone.

        """
        wait = self.registrar.seconds_to_wait(destination)
        if wait > min(LONGEST_IDLE, deadline.remaining() - SPARE):
            raise DarwinNotAskedError("Darwin is left alone for a while.", retry_after=wait)


def _likeness(work: Work) -> ItemId:
    """Return the place of an item, alike for all that Darwin may take for one."""
    item = work.ready.item.id
    path, name = derive_likeness(item.path, item.name)
    return replace(item, path=path, name=name)


def _newest_first(works: list[Work]) -> list[Work]:
    """Put the contents of one object in order, the newest first; leave different objects as they came."""

    def order(left: Work, right: Work) -> int:
        older = left.ready.claimant.is_older_than(right.ready.claimant.sequencer)
        return 0 if older is None else 1 if older else -1

    by_object: dict[ObjectRef, list[Work]] = {}
    for work in works:
        by_object.setdefault(work.ready.claimant.ref, []).append(work)
    return [work for group in by_object.values() for work in sorted(group, key=cmp_to_key(order))]


def _by_destination(works: list[Work]) -> list[tuple[Destination, list[Work]]]:
    """Return works by what one request has in common, in the order in which they came."""
    groups: dict[Destination, list[Work]] = {}
    for work in works:
        item = work.ready.item
        destination = Destination(
            team=item.id.team,
            dataset=item.id.dataset,
            storage=item.storage,
            access=item.access,
            ignore_dicom_layout=item.ignore_dicom_layout,
        )
        groups.setdefault(destination, []).append(work)
    return list(groups.items())
