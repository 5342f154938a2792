"""What attempts at a message left behind that nobody could report on: the process died of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Trace:
    """What a stage has written down of its attempts at one message."""

    unended: int = 0
    """How many of them, the last in a row, began and never ended."""
    delivery: int = 0
    """Which delivery was written down last, as the queue counts them."""


class Attempts(Protocol):
    """The traces of one stage's messages, by name: a message that is sent again, or replayed, starts anew."""

    def read(self, names: Sequence[str]) -> list[Trace]:
        """Return each message's trace, in order; a blank one where nothing was written down.

        Raises:
            LedgerUnavailableError: They cannot be told.

        """

    def write(self, traces: Sequence[tuple[str, Trace]]) -> None:
        """Write down the traces of messages, durably before this returns.

        Raises:
            LedgerUnavailableError: Not all of them were.

        """
