"""What the tests of the command share: how it is run, its queues, and letters to put into them."""

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from beagle.domain.events import ObjectCreated, ObjectRef
from beagle.domain.letters import DeadLetter, derive_letter_id
from beagle.messages import dump_letter
from beagle.providers.aws.queue import SqsLetterBox, SqsOutbox

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-c", "from beagle.cli.main import app; app(prog_name='beagle')")
# A clean slate: whoever runs the tests may have a deployment of their own.
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith(("BEAGLE_", "AWS_"))},  # noqa: TID251 - passed on
    "PYTHONPATH": str(ROOT / "shared"),
    "PYTHONUNBUFFERED": "1",
}


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def records(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


Beagle = Callable[..., Ran]


@dataclass(frozen=True, slots=True)
class Queues:
    """A dead-letter queue and an uploads queue of one test."""

    client: Any
    letters: str
    uploads: str

    def keep(self, *bodies: str) -> None:
        """Put messages among the dead letters."""
        assert not SqsOutbox(self.client, self.letters).send(bodies)

    def box(self) -> SqsLetterBox:
        return SqsLetterBox(self.client, self.letters, "0")

    def left(self) -> list[str]:
        """Return the bodies among the dead letters, and leave them there."""
        return self._bodies(self.letters, hide=0)

    def sent(self) -> list[str]:
        """Take what was sent to the uploads queue."""
        return self._bodies(self.uploads, hide=600)

    def _bodies(self, url: str, *, hide: int) -> list[str]:
        found: dict[str, str] = {}
        while True:
            answer = self.client.receive_message(
                QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=hide or 600
            )
            messages = answer.get("Messages", ())
            if not messages:
                break
            found |= {message["ReceiptHandle"]: message["Body"] for message in messages}
        for receipt in found if not hide else ():
            self.client.change_message_visibility(QueueUrl=url, ReceiptHandle=receipt, VisibilityTimeout=0)
        return sorted(found.values())


def letter(
    key: str,
    code: str = "name_collision",
    *,
    reason: str = "Somebody has that name.",
    at: datetime = datetime(2026, 11, 20, 9, tzinfo=UTC),
) -> DeadLetter:
    """Return a dead letter about an object."""
    event = ObjectCreated(
        ref=ObjectRef(provider="aws", bucket="acme-uploads", key=key),
        content="b1946ac9",
        size=7,
        occurred_at=at,
    )
    return DeadLetter(
        id=derive_letter_id(code, event, ""),
        code=code,
        reason=reason,
        stage="register",
        event=event,
        raw="{}",
        item=None,
        route="cars",
        attempts=1,
        replayed=0,
        first_at=at,
        last_at=at,
        version="0.1.0",
    )


def kept(*letters: DeadLetter) -> list[str]:
    """Return letters as their queue holds them."""
    return [dump_letter(one) for one in letters]
