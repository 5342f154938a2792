"""Dead letters in a queue of their own, on any provider."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from beagle.domain.errors import QueueUnavailableError
from beagle.messages import dump_letter
from beagle.ports import Outbox

if TYPE_CHECKING:
    from beagle.domain.letters import DeadLetter


@dataclass(frozen=True, slots=True)
class QueueDeadLetters:
    """Sends each letter to the dead-letter queue."""

    queue: Outbox

    def record(self, letter: DeadLetter) -> None:
        """Keep the letter, durably before this returns."""
        if self.queue.send([dump_letter(letter, self.queue.most_bytes)]):
            raise QueueUnavailableError("The dead-letter queue did not take the letter.")
