"""The books of one batch: the one place where the conservation law is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from beagle.domain.outcomes import Ending, Outcome
from beagle.ports import Report

if TYPE_CHECKING:
    from collections.abc import Sequence

    from beagle.ports import Journal, Received


class ConservationError(AssertionError):
    """A stage lost or doubled an object: a bug. Nothing of the batch is acknowledged."""


class Account:
    """Counts what a batch announced and what became of it.

    A message may announce several objects; it is acknowledged when all of them have ended. One that must
    come again brings all of them again, which is harmless, because every step is.
    """

    def __init__(self, stage: str, batch: Sequence[Received], journal: Journal) -> None:
        self._stage = stage
        self._batch = {message.id: message for message in batch}
        if len(self._batch) != len(batch):
            raise ConservationError("Two messages of a batch have one id.")
        self._announced: dict[str, int] = {}
        self._ended: dict[str, list[Outcome]] = {message_id: [] for message_id in self._batch}
        self._journal = journal

    def announce(self, message: Received, objects: int) -> None:
        """Open the books for the objects of a message."""
        self._announced[message.id] = objects

    def end(self, message: Received, outcome: Outcome) -> None:
        """Write down what became of one object of a message; its outcome is durable by now."""
        self._ended[message.id].append(outcome)
        self._journal.note(self._stage, outcome)

    def comes_again(self, message: Received) -> bool:
        """Say whether an object of a message is known by now to come again, and with it the others."""
        return any(outcome.ending is Ending.AGAIN for outcome in self._ended[message.id])

    def has_ended(self, message: Received) -> bool:
        """Say whether all objects of a message have their outcomes."""
        return len(self._ended[message.id]) == self._announced.get(message.id)

    def close(self) -> Report:
        """Return the report.

        Raises:
            ConservationError: An announced object has no outcome, or two.

        """
        for message_id, outcomes in self._ended.items():
            if len(outcomes) != self._announced.get(message_id):
                raise ConservationError(
                    f"{self._stage}: {self._announced.get(message_id)} objects were announced, "
                    f"{len(outcomes)} ended."
                )
        return Report(
            again={
                message_id: _soonest(outcomes)
                for message_id, outcomes in self._ended.items()
                if any(outcome.ending is Ending.AGAIN for outcome in outcomes)
            },
            outcomes=tuple(outcome for outcomes in self._ended.values() for outcome in outcomes),
        )


def _soonest(outcomes: Sequence[Outcome]) -> float | None:
    waits = [o.retry_in for o in outcomes if o.ending is Ending.AGAIN and o.retry_in is not None]
    return min(waits, default=None)
