"""From one stage to the next: items are sent before the messages they come from are acknowledged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from beagle.domain.errors import LedgerUnavailableError, QueueUnavailableError
from beagle.domain.outcomes import Ending
from beagle.messages import dump_claim, dump_item, load_claim
from beagle.ports import Outbox, Parcels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from beagle.domain.events import ObjectCreated
    from beagle.domain.items import ReadyItem
    from beagle.pipeline.account import Account
    from beagle.pipeline.endings import Endings, Subject


@dataclass(frozen=True, slots=True)
class Onward:
    """The way to the next stage: its queue, and where lies what is too large for that."""

    outbox: Outbox
    parcels: Parcels

    def body(self, ready: ReadyItem) -> str:
        """Return the message for an item.

        Raises:
            LedgerUnavailableError: It is too large for the queue, and was not kept elsewhere.

        """
        return self.fit(ready.event, dump_item(ready))

    def fit(self, event: ObjectCreated, body: str) -> str:
        """Return a message, or the claim of one that is too large for a queue; raises as `body` does."""
        return body if len(body) <= self.outbox.most_bytes else dump_claim(event, self.parcels.keep(body))

    def unpacked(self, body: str) -> str:
        """Return the message that a claim stands for; every other message is its own."""
        return unpack(body, self.parcels)


def unpack(body: str, parcels: Parcels) -> str:
    """Return the message that a claim stands for; every other message is its own."""
    key = load_claim(body)
    return parcels.fetch(key) if key else body


def pass_on(
    onward: Onward, items: Sequence[tuple[Subject, ReadyItem]], account: Account, endings: Endings
) -> None:
    """Send items to the next stage's queue; what it does not take comes again."""
    sending: list[tuple[Subject, str]] = []
    for subject, ready in items:
        try:
            sending.append((subject, onward.body(ready)))
        except LedgerUnavailableError as error:
            account.end(subject.message, endings.again(subject, error))
    trouble = QueueUnavailableError("The queue did not take the message.")
    try:
        refused = set(onward.outbox.send([body for _, body in sending])) if sending else set()
    except QueueUnavailableError as error:
        refused, trouble = set(range(len(sending))), error
    for index, (subject, _) in enumerate(sending):
        if index in refused:
            account.end(subject.message, endings.again(subject, trouble))
        else:
            account.end(subject.message, endings.good(Ending.PASSED_ON, subject))
