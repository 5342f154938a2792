"""The stages on Azure. Everything is built at the first call, so that importing needs no environment."""

from __future__ import annotations

import logging
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from beagle.bootstrap.once import once
from beagle.bootstrap.stages import World, build_extract, build_prepare, build_register
from beagle.providers.azure.account import Account
from beagle.providers.azure.worker import GatheringWorker, Invocations, Worker
from beagle.providers.gather import Gather
from beagle.providers.journal import LogJournal
from beagle.providers.letters import QueueDeadLetters
from beagle.providers.local.clock import SystemClock
from beagle.providers.objects import Objects
from beagle.providers.patience import small
from beagle.settings import Settings, read_settings, routes_of

if TYPE_CHECKING:
    from azure.storage.queue import QueueServiceClient

    from beagle.providers.azure.queue import StorageOutbox

FOR_EVER = -1
"""Seconds that dead letters are kept."""
_TALKATIVE = ("azure.core", "azure.identity")
"""Loggers of Azure's SDKs, which tell every request and every token."""
_logger = logging.getLogger("beagle")


@once
def prepare(folder: Path | None = None) -> Worker:
    """Return this instance's prepare; `folder` is where the routes file lies, if there is one.

    Raises:
        ConfigurationError: The environment or the routes do not hold together.

    """
    from beagle.providers.azure.notifications import parse_notification  # noqa: PLC0415 - only here

    settings = _settings()
    stage = build_prepare(
        _world(settings),
        routes_of(settings, folder or Path.cwd()),
        parse=parse_notification,
        items=_outbox(settings, settings.items_queue),
        videos=_outbox(settings, settings.videos_queue) if settings.videos_queue else None,
        objects=_objects(settings),
    )
    return Worker(stage, _invocations(settings))


@once
def extract(_folder: Path | None = None) -> Worker:
    """Return this instance's extract; raises as `prepare` does."""
    settings = _settings("videos_queue")
    stage = build_extract(
        _world(settings),
        items=_outbox(settings, settings.items_queue),
        videos=_outbox(settings, settings.videos_queue),
        objects=_objects(settings),
    )
    return Worker(stage, _invocations(settings))


@once
def register(_folder: Path | None = None) -> GatheringWorker:
    """Return this instance's register; raises as `prepare` does."""
    from beagle.providers.azure.secrets import KeyVaultKey  # noqa: PLC0415 - only here

    settings = _settings("api_key_secret")
    key = KeyVaultKey(settings.api_key_secret, _state_account(settings).vault_token)
    gather = Gather(
        build_register(_world(settings), api_key=key),
        SystemClock(),
        most=settings.items_per_request,
        window=settings.gather_seconds,
    )
    return GatheringWorker(gather, _invocations(settings))


def _settings(*names: str) -> Settings:
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    settings = read_settings()
    settings.require("uploads_queue", "items_queue", "dead_letters_queue", "state_bucket", *names)
    return settings


def _invocations(settings: Settings) -> Invocations:
    return Invocations(SystemClock(), settings.invocation_seconds)


@lru_cache
def _state_account(settings: Settings) -> Account:
    return Account(settings.state_url, settings.queues)


def _world(settings: Settings) -> World:
    return World(
        settings=settings,
        state=_state_account(settings).container(settings.state_bucket, small),
        dead_letters=QueueDeadLetters(_outbox(settings, settings.dead_letters_queue, FOR_EVER)),
        journal=LogJournal(settings.deployment, _write),
        clock=SystemClock(),
    )


def _outbox(settings: Settings, name: str, life: int | None = None) -> StorageOutbox:
    from beagle.providers.azure.queue import StorageOutbox  # noqa: PLC0415 - its SDK is slow to import

    client = _queues(settings).get_queue_client(name)
    return StorageOutbox(client) if life is None else StorageOutbox(client, life)


@lru_cache
def _queues(settings: Settings) -> QueueServiceClient:
    return Account(settings.queues_url, settings.queues).queues()


def _objects(settings: Settings) -> Objects:
    from beagle.providers.azure.objects import open_odd  # noqa: PLC0415 - only what reads objects

    account = Account(settings.account_url, settings.queues)
    blobs = lru_cache(account.blobs)
    return Objects(
        store_of=lru_cache(account.container),
        open_odd=lambda event: open_odd(blobs(), event),
        artifact_prefix=settings.artifact_prefix,
    )


def _write(severity: str, line: str) -> None:
    """Write a line of the log; Application Insights takes what Python logs."""
    _logger.log(logging.getLevelNamesMapping()[severity], "%s", line)
