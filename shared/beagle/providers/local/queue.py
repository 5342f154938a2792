"""A queue in this process that delivers at least once, on any clock."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from beagle.domain.errors import QueueUnavailableError
from beagle.messages import MESSAGE_LIMIT, load_letter
from beagle.ports import Clock, KeptLetter, Received

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from beagle.ports import Report


@dataclass(slots=True)
class _Message:
    id: str
    body: str
    sent_at: datetime
    visible_at: float
    attempts: int = 0


@dataclass(slots=True)
class LocalQueue:
    """Messages wait, hidden while they are worked on, until they are acknowledged."""

    most_bytes: ClassVar[int] = MESSAGE_LIMIT
    clock: Clock
    visibility: float = 720.0
    """Seconds that a delivered message stays hidden unless it is acknowledged or given back."""
    down: bool = False
    """Set it to see what becomes of a stage whose queue does not answer."""
    _messages: dict[str, _Message] = field(default_factory=dict)
    _count: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def send(self, bodies: Sequence[str]) -> list[int]:
        """Take each body as a message; a queue that is down takes none."""
        if self.down:
            raise QueueUnavailableError("The queue is down.")
        with self._lock:
            for body in bodies:
                self._count += 1
                name = f"m{self._count}"
                self._messages[name] = _Message(name, body, self.clock.now(), self.clock.monotonic())
        return []

    def receive(self, most: int) -> list[Received]:
        """Deliver visible messages, oldest first, and hide them."""
        with self._lock:
            now = self.clock.monotonic()
            visible = [m for m in self._messages.values() if m.visible_at <= now][:most]
            for message in visible:
                message.visible_at = now + self.visibility
                message.attempts += 1
            return [
                Received(id=m.id, body=m.body, attempts=m.attempts, name=m.id, sent_at=m.sent_at)
                for m in visible
            ]

    def answer(self, batch: Sequence[Received], report: Report) -> None:
        """Acknowledge what has ended; give the rest back for when its stage wants it."""
        with self._lock:
            for received in batch:
                if received.id not in report.again:
                    self._messages.pop(received.id, None)
                elif (wait := report.again[received.id]) is not None and received.id in self._messages:
                    self._messages[received.id].visible_at = self.clock.monotonic() + wait

    def remove(self, message_id: str) -> None:
        """Take a message away."""
        with self._lock:
            self._messages.pop(message_id, None)

    def bodies(self) -> list[str]:
        """Return what waits, visible or hidden."""
        return [message.body for message in self._messages.values()]

    def next_visible_in(self) -> float | None:
        """Return seconds until a message can be delivered; None where none waits."""
        waiting = [message.visible_at for message in self._messages.values()]
        return max(0.0, min(waiting) - self.clock.monotonic()) if waiting else None

    def __len__(self) -> int:
        """Return how many messages wait."""
        return len(self._messages)


@dataclass(frozen=True, slots=True)
class LocalLetterBox:
    """The dead letters of a local queue, as an operator reads them."""

    queue: LocalQueue
    version: str

    def list_letters(self) -> Iterator[KeptLetter]:
        """Yield every letter, oldest first."""
        for message in list(self.queue._messages.values()):  # noqa: SLF001 - its own queue's reader
            letter = load_letter(
                message.body,
                attempts=message.attempts,
                sent_at=message.sent_at,
                version=self.version,
            )
            yield KeptLetter(letter, message.id)

    def remove(self, kept: KeptLetter) -> None:
        """Take one letter away."""
        self.queue.remove(str(kept.receipt))

    def release(self) -> None:
        """Nothing was hidden."""
