"""Storage Queues: messages to the next stage, dead letters and poison queues for the operator."""

from __future__ import annotations

import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError

from beagle.domain.errors import QueueUnavailableError
from beagle.messages import load_letter
from beagle.ports import KeptLetter
from beagle.providers.azure.notifications import parse_notification

if TYPE_CHECKING:
    from collections.abc import Iterator

FOR_EVER = -1
"""As the seconds that a message is kept: by default it would be gone after a week, without a trace."""
_READING = 300
"""Seconds that letters stay hidden while an operator's command reads them, at least."""
_LONGEST_HIDING = 7 * 24 * 3600
"""Seconds: Storage Queues hide no message for longer."""
_PAGE = 32
"""Storage Queues hand out as many messages in one call."""


@dataclass(frozen=True, slots=True)
class StorageOutbox:
    """A queue to write to; messages lie in it in base64, as Event Grid and the Functions host have them."""

    most_bytes: ClassVar[int] = 48_000
    """A message holds 64 KiB, and base64 makes four bytes of three."""
    client: Any  # azure.storage.queue's QueueClient: its SDK is imported where clients are made

    def send(self, bodies: Sequence[str]) -> list[int]:
        """Send each body as a message; return the indices of those that the queue did not take."""
        refused: list[int] = []
        for index, body in enumerate(bodies):
            try:
                self.client.send_message(b64encode(body.encode()).decode(), time_to_live=FOR_EVER)
            except AzureError as error:
                if index == 0:
                    raise QueueUnavailableError(
                        f"The queue {self.client.queue_name} did not take messages: {_code(error)}."
                    ) from error
                refused.append(index)
        return refused


def text_of(content: str) -> str:
    """Return what a message says: Event Grid and the host write base64, people may not."""
    try:
        return b64decode(content, validate=True).decode()
    except ValueError:
        return content


@dataclass(slots=True)
class StorageLetterBox:
    """The dead letters, and what the host itself gave up, as an operator reads them."""

    clients: Sequence[Any]
    """The dead letters' queue, and the poison queues; one that does not exist holds nothing."""
    version: str
    monotonic: Callable[[], float] = time.monotonic
    _listed: dict[tuple[int, str], str] = field(default_factory=dict)
    """Queue and message id to what changes the message."""

    def list_letters(self) -> Iterator[KeptLetter]:
        """Yield every letter that no other reader holds, and hide it from them for five minutes at least.

        For longer the longer it takes: of many, the first are visible again before the last is read.
        """
        begun = self.monotonic()
        for number, client in enumerate(self.clients):
            while True:
                hidden = min(_READING + 2 * int(self.monotonic() - begun), _LONGEST_HIDING)
                try:
                    page = list(
                        client.receive_messages(
                            messages_per_page=_PAGE, max_messages=_PAGE, visibility_timeout=hidden
                        )
                    )
                except ResourceNotFoundError:
                    break  # the host makes a poison queue when it first needs one
                except AzureError as error:
                    raise QueueUnavailableError(
                        f"The queue {client.queue_name} did not give its messages: {_code(error)}."
                    ) from error
                if not page:
                    break
                fresh = [message for message in page if (number, message.id) not in self._listed]
                # All of the page are hidden by now, whether the reader comes to them or not.
                self._listed |= {(number, message.id): message.pop_receipt for message in page}
                for message in fresh:
                    letter = load_letter(
                        text_of(message.content),
                        attempts=int(message.dequeue_count),
                        sent_at=message.inserted_on,
                        version=self.version,
                        parse=parse_notification,
                    )
                    yield KeptLetter(letter, (number, message.id))

    def remove(self, kept: KeptLetter) -> None:
        """Take one letter away."""
        place: tuple[int, str] = kept.receipt  # type: ignore[assignment]  # what `list_letters` made
        try:
            self.clients[place[0]].delete_message(place[1], self._listed[place])
        except AzureError as error:
            raise QueueUnavailableError(f"The queue did not remove a letter: {_code(error)}.") from error
        del self._listed[place]

    def release(self) -> None:
        """Make the letters that were listed visible again for the next reader."""
        for (number, name), receipt in self._listed.items():
            try:
                self.clients[number].update_message(name, receipt, visibility_timeout=0)
            except AzureError:
                continue  # it comes back by itself
        self._listed.clear()


def _code(error: AzureError) -> str:
    """Return Azure's code for what went wrong: the message may hold more than a log should."""
    code = getattr(error, "error_code", None)
    if code is None and isinstance(error, HttpResponseError) and error.status_code is not None:
        code = error.status_code
    return str(code or type(error).__name__)
