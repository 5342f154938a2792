"""From one stage to the next: items are sent before the messages they come from are acknowledged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from beagle.domain.errors import MessageTooLargeError, QueueUnavailableError
from beagle.domain.outcomes import Ending
from beagle.messages import MESSAGE_LIMIT, dump_item

if TYPE_CHECKING:
    from collections.abc import Sequence

    from beagle.domain.items import ReadyItem
    from beagle.pipeline.account import Account
    from beagle.pipeline.endings import Endings, Subject
    from beagle.ports import Outbox


def pass_on(
    outbox: Outbox, items: Sequence[tuple[Subject, ReadyItem]], account: Account, endings: Endings
) -> None:
    """Send items to the next stage's queue; what it does not take comes again."""
    sending: list[tuple[Subject, str]] = []
    for subject, ready in items:
        body = dump_item(ready)
        if len(body) > MESSAGE_LIMIT:
            error = MessageTooLargeError(f"The item takes {len(body)} bytes, more than a message may.")
            account.end(subject.message, endings.bury(subject, error))
        else:
            sending.append((subject, body))
    trouble = QueueUnavailableError("The queue did not take the message.")
    try:
        refused = set(outbox.send([body for _, body in sending])) if sending else set()
    except QueueUnavailableError as error:
        refused, trouble = set(range(len(sending))), error
    for index, (subject, _) in enumerate(sending):
        if index in refused:
            account.end(subject.message, endings.again(subject, trouble))
        else:
            account.end(subject.message, endings.good(Ending.PASSED_ON, subject))
