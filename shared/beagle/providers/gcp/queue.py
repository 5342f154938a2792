"""Pub/Sub: pushed messages in, messages to the next stage, dead letters for the operator. All by REST."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from beagle.domain.errors import QueueUnavailableError, UnparsableMessageError
from beagle.messages import MESSAGE_LIMIT, load_letter
from beagle.ports import KeptLetter, Received
from beagle.providers.chunks import chunks
from beagle.providers.gcp.notifications import parse_notification
from beagle.providers.gcp.rest import Google, GoogleError
from beagle.providers.wire import decode_base64, find, load_json, text_at, time_at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_MOST = 1000
"""Messages that Pub/Sub takes, and gives, in one call."""
_CALL_BYTES = 5_000_000
"""Bytes of bodies in one call, well below Pub/Sub's 10 MB even in base64."""
_SILENCES, _PAUSE = 4, 0.4
"""Empty answers in a row, so many seconds apart, after which a subscription holds no more.

One alone does not tell: Pub/Sub answers at once with what it has at hand, which may be nothing. To let it
wait instead would leave messages with whoever stopped waiting.
"""
_READING = 300
"""Seconds that letters stay hidden while an operator's command reads them."""


@dataclass(frozen=True, slots=True)
class PubSubOutbox:
    """A topic to write to, as `projects/P/topics/T`."""

    most_bytes: ClassVar[int] = MESSAGE_LIMIT
    """Pub/Sub takes 10 MB; what is large is cheaper in the state bucket."""
    google: Google
    topic: str

    def send(self, bodies: Sequence[str]) -> list[int]:
        """Publish each body as a message; return the indices of those that Pub/Sub did not take."""
        refused: list[int] = []
        for chunk in chunks(bodies, most=_MOST, most_bytes=_CALL_BYTES):
            messages = [{"data": b64encode(bodies[index].encode()).decode()} for index in chunk]
            url = self.google.url("pubsub", f"v1/{self.topic}:publish")
            try:
                self.google.ask("POST", url, json={"messages": messages})
            except GoogleError as error:
                if not refused and chunk[0] == 0:
                    raise QueueUnavailableError(f"Pub/Sub did not take messages: {error}.") from error
                refused.extend(chunk)
        return refused


def read_push(header: Callable[[str], str | None], body: str, name: str) -> Received:
    """Return the message of one HTTP request: a push of Pub/Sub, or an event that Eventarc delivers.

    What Cloud Storage announces stays whole, because it stands in the attributes too; what Beagle itself
    sent is unwrapped. Anything else stays as it is, and the stage says what is wrong with it.
    https://cloud.google.com/pubsub/docs/push#receive_push
    """
    try:
        wire = load_json(body)
        if kind := header("ce-type"):
            # An event in HTTP's binary form has its attributes in headers.
            # https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md
            wire = {"specversion": header("ce-specversion") or "1.0", "type": kind, "data": wire}
            body = json.dumps(wire)
    except (UnparsableMessageError, RecursionError):
        return Received(id=name, body=body)
    message = find(wire, "message") or find(wire, "data", "message")
    return Received(
        id=name,
        body=_sent_by_us(message) or body,
        attempts=_attempts(find(wire, "deliveryAttempt")),
        name=_text(find(message, "messageId")),
    )


def _sent_by_us(message: object) -> str:
    """Return what Beagle put into a message; nothing of what Cloud Storage announces, or nobody can read."""
    data = _text(find(message, "data"))
    if find(message, "attributes", "eventType") is not None:
        return ""
    try:
        return decode_base64(data)
    except UnparsableMessageError:
        return ""


def _attempts(told: object) -> int:
    """Return how often a message was delivered; Pub/Sub counts where there is a dead-letter policy."""
    number = int(told) if isinstance(told, str) and told.isascii() and told.isdecimal() else told
    return max(1, number) if isinstance(number, int) else 1


def _text(value: object) -> str:
    """Return a text as it is, empty where there is none that could be written down."""
    return value if isinstance(value, str) and value.isprintable() else ""


@dataclass(slots=True)
class PubSubLetterBox:
    """The subscription of the dead letters, as an operator reads it: `projects/P/subscriptions/S`."""

    google: Google
    subscription: str
    version: str
    _listed: dict[str, str] = field(default_factory=dict)
    """Message id to what acknowledges its newest delivery."""

    def list_letters(self) -> Iterator[KeptLetter]:
        """Yield every letter that no other reader holds, and hide it from them for five minutes."""
        silences = 0
        while silences < _SILENCES:
            received = {text_at(one, "message", "messageId"): one for one in self._pull()}
            fresh = [one for name, one in received.items() if name not in self._listed]
            handles = {name: text_at(one, "ackId") for name, one in received.items()}
            self._listed |= handles
            self._hide(_READING, list(handles.values()))
            yield from (self._kept(one) for one in fresh)
            silences = 0 if fresh else silences + 1
            if not fresh:
                self.google.pause(_PAUSE)

    def _pull(self) -> list[object]:
        return self._ask("pull", {"maxMessages": _MOST, "returnImmediately": True}).get(
            "receivedMessages", []
        )

    def _kept(self, one: object) -> KeptLetter:
        message = find(one, "message")
        letter = load_letter(
            _sent_by_us(message) or json.dumps({"message": message}),
            attempts=_attempts(find(message, "attributes", "CloudPubSubDeadLetterSourceDeliveryCount")),
            sent_at=time_at(message, "publishTime"),
            version=self.version,
            parse=parse_notification,
        )
        return KeptLetter(letter, text_at(message, "messageId"))

    def remove(self, kept: KeptLetter) -> None:
        """Take one letter away."""
        self._ask("acknowledge", {"ackIds": [self._listed[str(kept.receipt)]]})
        del self._listed[str(kept.receipt)]

    def release(self) -> None:
        """Make the letters that were listed visible again for the next reader."""
        try:
            self._hide(0, list(self._listed.values()))
        except QueueUnavailableError:
            return  # they come back by themselves
        self._listed.clear()

    def _hide(self, seconds: int, ack_ids: list[str]) -> None:
        for start in range(0, len(ack_ids), _MOST):
            ids = ack_ids[start : start + _MOST]
            self._ask("modifyAckDeadline", {"ackIds": ids, "ackDeadlineSeconds": seconds})

    def _ask(self, verb: str, wanted: dict[str, object]) -> dict[str, list[object]]:
        url = self.google.url("pubsub", f"v1/{self.subscription}:{verb}")
        try:
            answer: dict[str, list[object]] = self.google.ask("POST", url, json=wanted).json()
        except GoogleError as error:
            raise QueueUnavailableError(f"Pub/Sub did not {verb}: {error}.") from error
        return answer
