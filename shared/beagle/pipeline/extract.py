"""Extract: the artifacts of read-only objects, made where there is time and memory for it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from beagle.domain.errors import BeagleError
from beagle.messages import load_item
from beagle.pipeline.account import Account
from beagle.pipeline.bugs import bugs_told
from beagle.pipeline.endings import Endings, Subject
from beagle.pipeline.limits import require_time
from beagle.pipeline.passing import pass_on
from beagle.ports import ArtifactMaker, Journal, Outbox

if TYPE_CHECKING:
    from collections.abc import Sequence

    from beagle.ports import Deadline, Received, Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Extract:
    """Makes what read-only storage needs for each item of a batch, and passes the items on."""

    artifacts: ArtifactMaker
    items: Outbox
    endings: Endings
    journal: Journal

    def run(self, batch: Sequence[Received], deadline: Deadline) -> Report:
        """Extract every item; no message is acknowledged before its artifacts and its item are durable."""
        account = Account("extract", batch, self.journal)
        done = []
        for message in batch:
            account.announce(message, 1)
            subject = Subject(message=message)
            try:
                with bugs_told("extract", self.journal):
                    ready = load_item(message.body)
                    subject = replace(
                        subject,
                        event=ready.event,
                        item=ready.item,
                        route=ready.route,
                        replayed=ready.replayed,
                    )
                    require_time(deadline)
                    item = self.artifacts.make(ready.event, ready.item, deadline)
            except BeagleError as error:
                account.end(message, self.endings.end(subject, error))
            else:
                done.append((replace(subject, item=item), replace(ready, item=item)))
        pass_on(self.items, done, account, self.endings)
        return account.close()
