"""The stages on AWS. Everything is built at the first call, so that importing needs no environment."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Literal

from aws_lambda_powertools import Logger, Metrics
from obstore.store import S3Store

from beagle.bootstrap.stages import build_prepare, build_register
from beagle.providers.aws.notifications import parse_notification
from beagle.providers.aws.queue import SqsOutbox, SqsSource
from beagle.providers.aws.secrets import SecretsManagerKey
from beagle.providers.aws.worker import CloudWatchJournal, Worker
from beagle.providers.letters import QueueDeadLetters
from beagle.providers.local.clock import SystemClock
from beagle.settings import Settings, read_settings, routes_of


@lru_cache
def worker(stage: Literal["prepare", "register"], folder: Path | None = None) -> Worker:
    """Return the one worker of this instance; `folder` is where the routes file lies, if there is one.

    Raises:
        ConfigurationError: The environment or the routes do not hold together.

    """
    import boto3  # noqa: PLC0415 - in Lambda's runtime, and slow: only what runs imports it

    settings = read_settings()
    settings.require("uploads_queue", "items_queue", "dead_letters_queue", "state_bucket")
    sqs = boto3.client("sqs")
    journal = CloudWatchJournal(Logger(service=stage), Metrics(namespace="Beagle", service=stage))
    dead_letters = QueueDeadLetters(SqsOutbox(sqs, settings.dead_letters_queue))
    clock = SystemClock()
    if stage == "prepare":
        return Worker(
            build_prepare(
                settings,
                routes_of(settings, folder or Path.cwd()),
                parse=parse_notification,
                items=SqsOutbox(sqs, settings.items_queue),
                state=_state(settings),
                dead_letters=dead_letters,
                journal=journal,
                clock=clock,
            ),
            SqsSource(sqs, settings.uploads_queue),
            journal,
        )
    settings.require("api_key_secret")
    return Worker(
        build_register(
            settings,
            api_key=SecretsManagerKey(boto3.client("secretsmanager"), settings.api_key_secret),
            state=_state(settings),
            dead_letters=dead_letters,
            journal=journal,
            clock=clock,
        ),
        SqsSource(sqs, settings.items_queue),
        journal,
    )


def _state(settings: Settings) -> S3Store:
    """Return the state bucket; credentials and region are Lambda's own."""
    if not settings.aws_endpoint_url:
        return S3Store(settings.state_bucket)
    return S3Store(
        settings.state_bucket,
        endpoint=settings.aws_endpoint_url,
        virtual_hosted_style_request=False,
        client_options={"allow_http": settings.aws_endpoint_url.startswith("http://")},
    )
