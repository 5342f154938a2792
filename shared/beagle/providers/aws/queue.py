"""SQS: batches in, partial answers out, messages to the next stage, dead letters for the operator."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from botocore.exceptions import BotoCoreError, ClientError

from beagle.domain.errors import QueueUnavailableError
from beagle.domain.letters import GIVEN_UP
from beagle.messages import MESSAGE_LIMIT, load_letter
from beagle.ports import KeptLetter, Received
from beagle.providers.aws.notifications import parse_notification
from beagle.providers.chunks import chunks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from beagle.ports import Report

_ENTRIES = 10
"""SQS takes ten entries in one call."""
_CALL_BYTES = 250_000
"""Bytes of bodies in one call, below the smallest limit of SQS's history."""
_LONGEST_HIDING = 42_000
"""Seconds: SQS refuses to hide a message for longer than twelve hours after it was received.

An invocation may have had it for a quarter of an hour by then.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html
"""
_READING = 300
"""Seconds that letters stay hidden while an operator's command reads them, at least."""


@dataclass(frozen=True, slots=True)
class SqsOutbox:
    """A queue to write to."""

    most_bytes: ClassVar[int] = MESSAGE_LIMIT
    client: Any  # boto3's clients are made at run time and have no types of their own
    url: str

    def send(self, bodies: Sequence[str]) -> list[int]:
        """Send each body as a message; return the indices of those that SQS did not take."""
        refused: list[int] = []
        for chunk in chunks(bodies, most=_ENTRIES, most_bytes=_CALL_BYTES):
            entries = [{"Id": str(index), "MessageBody": bodies[index]} for index in chunk]
            try:
                answer = self.client.send_message_batch(QueueUrl=self.url, Entries=entries)
            except (BotoCoreError, ClientError) as error:
                if not refused and chunk[0] == 0:
                    raise QueueUnavailableError(f"SQS did not take messages: {_code(error)}.") from error
                refused.extend(chunk)
            else:
                refused.extend(int(failure["Id"]) for failure in answer.get("Failed", ()))
        return refused


@dataclass(frozen=True, slots=True)
class SqsSource:
    """The queue whose batches Lambda hands to a function."""

    client: Any
    url: str

    @staticmethod
    def batch(event: dict[str, Any]) -> list[Received]:
        """Return the messages of a Lambda event."""
        return [
            Received(
                id=record["messageId"],
                body=record["body"],
                attempts=int(record.get("attributes", {}).get("ApproximateReceiveCount", 1)),
                name=record["messageId"],
                sent_at=_sent_at(record.get("attributes", {})),
            )
            for record in event["Records"]
        ]

    def answer(self, event: dict[str, Any], report: Report) -> dict[str, list[dict[str, str]]]:
        """Return the partial batch response: what it does not name, SQS deletes.

        What must come again is hidden for as long as its stage asked; where that fails, the queue's own
        visibility time-out decides.
        https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
        """
        receipts = {record["messageId"]: record["receiptHandle"] for record in event["Records"]}
        waits = [(receipts[name], wait) for name, wait in report.again.items() if wait is not None]
        for start in range(0, len(waits), _ENTRIES):
            entries = [
                {
                    "Id": str(index),
                    "ReceiptHandle": receipt,
                    "VisibilityTimeout": min(int(wait) + 1, _LONGEST_HIDING),
                }
                for index, (receipt, wait) in enumerate(waits[start : start + _ENTRIES])
            ]
            try:
                self.client.change_message_visibility_batch(QueueUrl=self.url, Entries=entries)
            except (BotoCoreError, ClientError):
                break
        return {"batchItemFailures": [{"itemIdentifier": name} for name in report.again]}


@dataclass(slots=True)
class SqsLetterBox:
    """The dead-letter queue, as an operator reads it."""

    client: Any
    url: str
    version: str
    monotonic: Callable[[], float] = time.monotonic
    _listed: dict[str, str] = field(default_factory=dict)
    """Message id to the receipt of its newest delivery: no other removes it."""

    def list_letters(self) -> Iterator[KeptLetter]:
        """Yield every letter that no other reader holds, and hide it from them for five minutes at least.

        In a large queue the first are visible again before the last is read. Hidden for longer the longer
        it takes, each comes a few times and not for ever.
        """
        begun = self.monotonic()
        while True:
            hidden = _READING + 2 * int(self.monotonic() - begun)
            try:
                answer = self.client.receive_message(
                    QueueUrl=self.url,
                    MaxNumberOfMessages=_ENTRIES,
                    VisibilityTimeout=min(hidden, _LONGEST_HIDING),
                    WaitTimeSeconds=1,
                    MessageSystemAttributeNames=["All"],
                )
            except (BotoCoreError, ClientError) as error:
                raise QueueUnavailableError(f"SQS did not give its messages: {_code(error)}.") from error
            messages = answer.get("Messages", ())
            if not messages:
                return
            fresh = [message for message in messages if message["MessageId"] not in self._listed]
            # All of the batch are hidden by now, whether the reader comes to them or not.
            self._listed |= {message["MessageId"]: message["ReceiptHandle"] for message in messages}
            yield from map(self._kept, fresh)

    def _kept(self, message: dict[str, Any]) -> KeptLetter:
        attributes = message.get("Attributes", {})
        sent_at = _sent_at(attributes) or datetime.fromtimestamp(0, UTC)
        letter = load_letter(
            message["Body"],
            attempts=int(attributes.get("ApproximateReceiveCount", 1)),
            sent_at=sent_at,
            version=self.version,
            parse=parse_notification,
        )
        return KeptLetter(letter, message["MessageId"], is_dated=letter.stage != GIVEN_UP)

    def remove(self, kept: KeptLetter) -> None:
        """Take one letter away."""
        name = str(kept.receipt)
        try:
            self.client.delete_message(QueueUrl=self.url, ReceiptHandle=self._listed[name])
        except (BotoCoreError, ClientError) as error:
            raise QueueUnavailableError(f"SQS did not remove a letter: {_code(error)}.") from error
        del self._listed[name]

    def release(self) -> None:
        """Make the letters that were listed visible again for the next reader."""
        receipts = list(self._listed.values())
        for start in range(0, len(receipts), _ENTRIES):
            entries = [
                {"Id": str(index), "ReceiptHandle": receipt, "VisibilityTimeout": 0}
                for index, receipt in enumerate(receipts[start : start + _ENTRIES])
            ]
            try:
                self.client.change_message_visibility_batch(QueueUrl=self.url, Entries=entries)
            except (BotoCoreError, ClientError):
                return  # they come back by themselves
        self._listed.clear()


def _sent_at(attributes: dict[str, str]) -> datetime | None:
    """Return when SQS took a message; it says so in milliseconds."""
    sent = attributes.get("SentTimestamp")
    return datetime.fromtimestamp(int(sent) / 1000, UTC) if sent else None


def _code(error: BotoCoreError | ClientError) -> str:
    """Return AWS's code for what went wrong: the message may hold more than a log should."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", "unknown"))
    return type(error).__name__
