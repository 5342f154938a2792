"""Darwin as the pipeline knows it: items in, one answer for each out, whatever Darwin does."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from beagle.domain.answers import Answer, Postponed, Refused
from beagle.domain.errors import (
    DarwinAmbiguousError,
    DarwinError,
    DarwinNotAskedError,
    InvalidRequestError,
    RequestTooLargeError,
)
from beagle.registration.batching import fitting, require_fit
from beagle.registration.client import SHORT_RETRIES, DarwinClient
from beagle.registration.lookup import Lookup, quoted
from beagle.registration.payloads import encode_item, join_request
from beagle.registration.protocol import Answered, RefusedWhole, Trouble, understand

if TYPE_CHECKING:
    from collections.abc import Sequence

    from beagle.domain.items import Item
    from beagle.ports import Clock, Deadline, Destination
    from beagle.registration.pacing import Pacer

MOST_ITEMS = 500
"""Items a request (https://docs.v7labs.com/docs/external-storage-troubleshooting).

V7's API reference says 100 of them, and 100 requests a minute: https://docs.v7labs.com/reference/imports.
"""

ENDPOINTS = {"read_write": "register_existing", "read_only": "register_existing_readonly"}

logger = logging.getLogger(__name__)


class DarwinRegistrar:
    """Registers items in as few requests as Darwin takes. Safe for threads."""

    def __init__(
        self,
        client: DarwinClient,
        pacer: Pacer,
        *,
        clock: Clock,
        items_per_request: int = 100,
        bytes_per_request: int = 4_000_000,
    ) -> None:
        if not 1 <= items_per_request <= MOST_ITEMS or bytes_per_request < 1:
            raise ValueError(f"items_per_request must be from 1 to {MOST_ITEMS}, and some bytes to hold them")
        self.client = client
        self.pacer = pacer
        lookup = Lookup(client, pacer, clock)
        self.find, self.find_many = lookup.find, lookup.find_many
        self._caps = threading.Lock()
        self._most_items = items_per_request
        self._most_bytes = bytes_per_request

    def register(self, destination: Destination, items: Sequence[Item], deadline: Deadline) -> list[Answer]:
        """Register items; return one answer for each, in order.

        Raises:
            ValueError: Two items have one path and name, or alike ones; or one is for another destination.

        """
        require_fit(destination, items)
        run = _Run(self, destination, items, deadline)
        while waiting := run.waiting():
            sizes = [len(run.encoded[index]) for index in waiting[: self._most_items]]
            count = fitting(sizes, 0, most_items=self._most_items, most_bytes=self._most_bytes)
            run.settle(waiting[:count])
        return run.finish()

    def seconds_to_wait(self, destination: Destination) -> float:
        """Return how long nothing may be sent there; 0 when a request may go now."""
        return self.pacer.seconds_to_wait(_lane(destination))

    def shrink(self, *, most_items: int | None = None, most_bytes: int | None = None) -> None:
        """Remember that Darwin takes less than it was sent."""
        with self._caps:
            self._most_items = min(self._most_items, max(1, most_items or self._most_items))
            self._most_bytes = min(self._most_bytes, max(1, most_bytes or self._most_bytes))
            caps = {"most_items": self._most_items, "most_bytes": self._most_bytes}
        logger.warning("requests made smaller", extra=caps)


class _Run:
    """One call's items on their way to an answer each."""

    def __init__(
        self, registrar: DarwinRegistrar, destination: Destination, items: Sequence[Item], deadline: Deadline
    ) -> None:
        self._registrar = registrar
        self._pacer = registrar.pacer
        self._destination = destination
        self._lane = _lane(destination)
        self._items = items
        self._deadline = deadline
        self._answers: dict[int, Answer] = {}
        self._unsure: set[int] = set()  # an earlier request of this call may have registered them
        self._alone: set[int] = set()  # Darwin answered under names that none of them has
        self._stopped: DarwinError | None = None
        self.encoded: list[bytes] = [self._encode(index) for index in range(len(items))]

    def _encode(self, index: int) -> bytes:
        try:
            return encode_item(self._items[index])
        except InvalidRequestError as error:
            self._answers[index] = Refused(error)
            return b""

    def waiting(self) -> list[int]:
        """Return the items without an answer that are still worth a request, and may share it."""
        if self._stopped is not None:
            return []
        waiting = [index for index in range(len(self._items)) if index not in self._answers]
        return [index for index in waiting if index not in self._alone] or waiting[:1]

    def finish(self) -> list[Answer]:
        """Return all answers; what was never sent after trouble is postponed by it."""
        everyone = range(len(self._items))
        return [self._answers.get(index) or Postponed(self._left_over(index)) for index in everyone]

    def _left_over(self, index: int) -> DarwinError:
        stopped = self._stopped or DarwinNotAskedError("Nothing was sent.")
        if index in self._unsure:
            return _ambiguous(stopped)
        if stopped.committed:
            return DarwinNotAskedError(
                f"Nothing was sent after Darwin failed ({stopped.code}).", retry_after=stopped.retry_after
            )
        return stopped

    def settle(self, part: list[int]) -> None:
        """Send a part; split what is refused whole until the fault stands alone."""
        refused = self._send(part)
        if refused is not None:
            self._split(part, refused)

    def _split(self, part: list[int], refused: RefusedWhole, *, asked: bool = True) -> None:
        """Part what was refused whole; not `asked` is a part that must hold the fault of a larger one."""
        if len(part) == 1:
            self._answers[part[0]] = Refused(refused.error, after_ambiguity=part[0] in self._unsure)
            return
        too_large = isinstance(refused.error, RequestTooLargeError)
        if too_large:
            self._registrar.shrink(most_bytes=sum(len(self.encoded[index]) for index in part) // 2)
        left, right = part[: len(part) // 2], part[len(part) // 2 :]
        left_refused = self._send(left)
        if left_refused is not None:
            self._split(left, left_refused)
        if self._stopped is not None:
            return
        if left_refused is None and not too_large and len(right) > 1:
            # The fault is not in the left half, so it is in the right one: asking would tell no more.
            self._split(right, refused, asked=False)
        else:
            self.settle(right)
        if asked and not too_large and not self._stopped and not any(map(self._is_invalid, part)):
            # Every item was taken once the request was smaller: Darwin had refused its length.
            self._registrar.shrink(most_items=len(left))

    def _is_invalid(self, index: int) -> bool:
        answer = self._answers.get(index)
        return isinstance(answer, Refused) and isinstance(answer.error, InvalidRequestError)

    def _send(self, part: list[int]) -> RefusedWhole | None:
        """Send one request and note its answers; return its refusal, if it was refused whole."""
        wait = self._pacer.wait_turn(self._deadline, self._lane)
        if wait is not None:
            self._stopped = DarwinNotAskedError("No turn comes before the invocation ends.", retry_after=wait)
            return None
        sent = [self._items[index].id for index in part]
        unsure = part[0] in self._unsure
        try:
            reply = self._registrar.client.post(
                f"/api/v2/teams/{quoted(self._destination.team)}/items/{ENDPOINTS[self._destination.access]}",
                join_request(self._destination, [self.encoded[index] for index in part]),
                self._deadline,
                # While Darwin is in trouble one request at a time shall find out, not three.
                retries=SHORT_RETRIES if self._pacer.calm else 0,
            )
        except DarwinError as error:
            self._stop(part, error)
            return None
        self._pacer.spend(reply.tries - 1)
        if reply.after_ambiguity:
            self._unsure.update(part)
        match understand(reply, sent, after_ambiguity=unsure):
            case Trouble(trouble):
                self._stop(part, trouble)
                return None
            case RefusedWhole() as refused:
                self._pacer.went_well(self._lane)
                return refused
            case Answered(answers, strangers, registered, left_out):
                self._pacer.went_well(self._lane)
                self._answers.update(zip(part, answers, strict=True))
                if strangers:
                    logger.warning("items answered that were not sent", extra={"items": strangers})
                    self._send_alone([part[index] for index in left_out], unsure=registered > 0)
                return None

    def _send_alone(self, items: list[int], *, unsure: bool) -> None:
        """Have items sent once more, each by itself: Darwin may know them by names of its own making."""
        for index in items:
            if index not in self._alone:
                self._alone.add(index)
                if unsure:
                    self._unsure.add(index)
                del self._answers[index]

    def _stop(self, part: list[int], error: DarwinError) -> None:
        self._stopped = error
        self._pacer.went_wrong(error, self._lane)
        for index in part:
            unsure = index in self._unsure
            self._answers[index] = Postponed(_ambiguous(error) if unsure else error)


def _lane(destination: Destination) -> str:
    return f"{destination.team}/{destination.dataset}/{destination.storage}"


def _ambiguous(error: DarwinError) -> DarwinError:
    """Return the error as one after which items may be registered: an earlier try may have done it."""
    if error.committed:
        return error
    ambiguous = DarwinAmbiguousError(
        f"An earlier try may have registered it. {error}", retry_after=error.retry_after
    )
    ambiguous.__cause__ = error
    return ambiguous
