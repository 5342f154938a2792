"""Both stages as they are deployed, but for their queues: messages in, messages out, in this process."""

from __future__ import annotations

import json
import logging
import os
from contextlib import redirect_stdout
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics
from obstore.store import MemoryStore
from pydantic import SecretStr

from beagle.bootstrap.stages import World, build_prepare, build_register
from beagle.emulator import DEFAULT_KEY, DEFAULT_TEAM
from beagle.messages import MESSAGE_LIMIT
from beagle.providers.aws.notifications import parse_notification
from beagle.providers.aws.queue import SqsSource
from beagle.providers.aws.worker import CloudWatchJournal, Worker
from beagle.providers.letters import QueueDeadLetters
from beagle.providers.local.clock import SystemClock
from beagle.providers.objects import Objects
from beagle.settings import Settings, routes_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from obstore.store import ObjectStore

BUCKET = "acme-uploads"
PREPARE_BATCH = 10
SETTINGS = {
    "team": DEFAULT_TEAM,
    "dataset": "incoming",
    "storage": "acme-uploads",
    "bucket": BUCKET,
    "requests_per_minute": 1000,
}


class Outbox:
    """The next stage's queue, as a list."""

    most_bytes = MESSAGE_LIMIT

    def __init__(self) -> None:
        self.bodies: list[str] = []

    def send(self, bodies: Sequence[str]) -> list[int]:
        """Keep all."""
        self.bodies += bodies
        return []


class Context:
    """Lambda's context with a minute left."""

    def get_remaining_time_in_millis(self) -> int:
        """Return a minute."""
        return 60_000


@cache
def _journal() -> CloudWatchJournal:
    """Return the deployed journal, which writes every line, but to nowhere; loggers are kept for ever."""
    nowhere = Path(os.devnull).open("w")  # noqa: SIM115 - open as long as its logger
    logger = Logger(service="benchmark", logger_handler=logging.StreamHandler(nowhere))
    return CloudWatchJournal(logger, EphemeralMetrics(namespace="Beagle", service="benchmark"))


def announcements(objects: int, folder: str) -> list[str]:
    """Return what EventBridge sends for so many objects."""
    return [
        json.dumps(
            {
                "version": "0",
                "id": f"17793124-05d4-b198-2fde-{number:012d}",
                "detail-type": "Object Created",
                "source": "aws.s3",
                "account": "111122223333",
                "time": "2026-11-20T10:11:12Z",
                "region": "eu-west-1",
                "resources": [f"arn:aws:s3:::{BUCKET}"],
                "detail": {
                    "version": "0",
                    "bucket": {"name": BUCKET},
                    "object": {
                        "key": f"{folder}/{number:06d} of many.jpg",
                        "size": 123456,
                        "etag": f"{number:032x}",
                        "sequencer": f"{number:018X}",
                    },
                    "request-id": "C3D13FE58DE4C810",
                    "requester": "111122223333",
                    "source-ip-address": "127.0.0.1",
                    "reason": "PutObject",
                },
            }
        )
        for number in range(objects)
    ]


def events(bodies: Sequence[str], size: int) -> list[dict[str, Any]]:
    """Return the events that SQS makes of messages, so many in a batch."""
    records = [
        {
            "messageId": f"message-{number}",
            "receiptHandle": f"receipt-{number}",
            "body": body,
            "attributes": {"ApproximateReceiveCount": "1"},
        }
        for number, body in enumerate(bodies)
    ]
    return [{"Records": records[start : start + size]} for start in range(0, len(records), size)]


def _world(settings: Settings, state: ObjectStore) -> World:
    return World(
        settings=settings,
        state=state,
        dead_letters=QueueDeadLetters(Outbox()),
        journal=_journal(),
        clock=SystemClock(),
    )


def _never_opened(_: object) -> NoReturn:
    raise RuntimeError("Nothing reads an object on read-write storage.")


def prepare_all(batches: Sequence[dict[str, Any]]) -> list[str]:
    """Take batches through prepare; return the items it passes on."""
    settings, items = Settings(**SETTINGS), Outbox()
    stage = build_prepare(
        _world(settings, MemoryStore()),
        routes_of(settings, Path()),
        parse=parse_notification,
        items=items,
        videos=None,
        objects=Objects(store_of=_never_opened, open_odd=_never_opened, artifact_prefix=".beagle/"),
    )
    _run(Worker(stage, SqsSource(None, ""), _journal()), batches)
    return items.bodies


def register_all(
    batches: Sequence[dict[str, Any]], *, url: str, state: ObjectStore, items_per_request: int
) -> None:
    """Take batches of items through register."""
    settings = Settings(**SETTINGS, darwin_url=url, items_per_request=items_per_request)
    stage = build_register(_world(settings, state), api_key=lambda: SecretStr(DEFAULT_KEY))
    _run(Worker(stage, SqsSource(None, ""), _journal()), batches)


def _run(worker: Worker, batches: Sequence[dict[str, Any]]) -> None:
    # Metrics go to standard output, as Lambda wants them.
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
        for event in batches:
            answer = worker.answer(event, Context())
            if answer["batchItemFailures"]:
                raise RuntimeError(f"{len(answer['batchItemFailures'])} messages would have to come again.")
