"""The stages on AWS. Everything is built at the first call, so that importing needs no environment."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from obstore.store import S3Store

from beagle.bootstrap.stages import World, build_extract, build_prepare, build_register
from beagle.providers.aws.queue import SqsOutbox, SqsSource
from beagle.providers.aws.worker import CloudWatchJournal, Worker
from beagle.providers.letters import QueueDeadLetters
from beagle.providers.local.clock import SystemClock
from beagle.providers.objects import Objects
from beagle.providers.patience import SMALL, TRIES, Patience, large, small
from beagle.settings import Settings, StageName, read_settings, routes_of

if TYPE_CHECKING:
    from collections.abc import Callable


@lru_cache
def worker(stage: StageName, folder: Path | None = None) -> Worker:
    """Return the one worker of this instance; `folder` is where the routes file lies, if there is one.

    Raises:
        ConfigurationError: The environment or the routes do not hold together.

    """
    import boto3  # noqa: PLC0415 - in Lambda's runtime, and slow: only what runs imports it
    from botocore.config import Config  # noqa: PLC0415

    settings = read_settings()
    settings.require("uploads_queue", "items_queue", "dead_letters_queue", "state_bucket")
    patience = Config(
        connect_timeout=5, read_timeout=SMALL, retries={"mode": "standard", "total_max_attempts": TRIES}
    )
    sqs = boto3.client("sqs", config=patience)
    journal = CloudWatchJournal.of(stage, settings.deployment)
    segment = _tracer(stage) if settings.tracing else nullcontext
    world = World(
        settings=settings,
        state=_bucket(settings, small, settings.state_bucket),
        dead_letters=QueueDeadLetters(SqsOutbox(sqs, settings.dead_letters_queue)),
        journal=journal,
        clock=SystemClock(),
    )
    items = SqsOutbox(sqs, settings.items_queue)
    videos = SqsOutbox(sqs, settings.videos_queue) if settings.videos_queue else None
    match stage:
        case "prepare":
            from beagle.providers.aws.notifications import parse_notification  # noqa: PLC0415 - only here

            routes = routes_of(settings, folder or Path.cwd())
            return Worker(
                build_prepare(
                    world,
                    routes,
                    parse=parse_notification,
                    items=items,
                    videos=videos,
                    objects=_objects(settings, boto3),
                ),
                SqsSource(sqs, settings.uploads_queue),
                journal,
                segment,
            )
        case "extract":
            settings.require("videos_queue")
            return Worker(
                build_extract(
                    world,
                    items=items,
                    videos=SqsOutbox(sqs, settings.videos_queue),
                    objects=_objects(settings, boto3),
                ),
                SqsSource(sqs, settings.videos_queue),
                journal,
                segment,
            )
        case "register":
            from beagle.providers.aws.secrets import SecretsManagerKey  # noqa: PLC0415 - only here

            settings.require("api_key_secret")
            key = SecretsManagerKey(boto3.client("secretsmanager", config=patience), settings.api_key_secret)
            return Worker(
                build_register(world, api_key=key), SqsSource(sqs, settings.items_queue), journal, segment
            )


def _tracer(stage: StageName) -> Callable[[], AbstractContextManager[object]]:
    """Return what opens a stage's part of the trace; half a second of imports, so only where asked for."""
    from aws_lambda_powertools import Tracer  # noqa: PLC0415

    tracer = Tracer(service=stage, patch_modules=("botocore", "requests"))
    return partial(tracer.provider.in_subsegment, name=f"## {stage}")


def _objects(settings: Settings, boto3: Any) -> Objects:  # noqa: ANN401 - a module
    from beagle.providers.aws.objects import open_odd  # noqa: PLC0415 - only what reads objects

    @lru_cache
    def odd_client() -> Any:  # noqa: ANN401 - boto3's client
        return boto3.client("s3")

    return Objects(
        store_of=lru_cache(partial(_bucket, settings, large)),
        open_odd=lambda event: open_odd(odd_client(), event),
        artifact_prefix=settings.artifact_prefix,
    )


def _bucket(settings: Settings, patience: Callable[..., Patience], name: str) -> S3Store:
    """Return a bucket; credentials and region are Lambda's own."""
    endpoint = settings.aws_endpoint_url
    if not endpoint:
        return S3Store(name, **patience())
    local = patience(allow_http=endpoint.startswith("http://"))
    return S3Store(name, endpoint=endpoint, virtual_hosted_style_request=False, **local)
