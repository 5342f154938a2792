"""The stages on Azure. Everything is built at the first call, so that importing needs no environment."""

from __future__ import annotations

import json
import logging
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from beagle.bootstrap.once import once
from beagle.bootstrap.stages import World, build_extract, build_prepare, build_register
from beagle.domain.waiting import bound_waits
from beagle.providers.azure import LONGEST_WAIT_HOURS
from beagle.providers.azure.account import Account
from beagle.providers.azure.worker import (
    GatheringWorker,
    HeldLines,
    Invocations,
    LastDelivery,
    Worker,
)
from beagle.providers.gather import Gather
from beagle.providers.journal import LogJournal
from beagle.providers.letters import QueueDeadLetters
from beagle.providers.local.clock import SystemClock
from beagle.providers.objects import Objects
from beagle.providers.patience import small
from beagle.settings import Settings, read_settings, routes_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from azure.storage.queue import QueueServiceClient

    from beagle.providers.azure.queue import StorageOutbox

_TALKATIVE = {"azure.core": "WARNING", "azure.identity": "WARNING", "urllib3.connectionpool": "ERROR"}
"""Loggers below Azure's SDKs, which tell every request, every token, and every connection that is one more
than are kept."""
_logger = logging.getLogger("beagle")


@once
def prepare(folder: Path | None = None) -> Worker:
    """Return this instance's prepare; `folder` is where host.json lies, and the routes file if there is one.

    Raises:
        ConfigurationError: The environment or the routes do not hold together.

    """
    from beagle.providers.azure.notifications import parse_notification  # noqa: PLC0415 - only here

    settings, folder = _settings(), folder or Path.cwd()
    world = _world(settings)
    stage = build_prepare(
        world,
        bound_waits(routes_of(settings, folder), LONGEST_WAIT_HOURS),
        parse=parse_notification,
        items=_outbox(settings, settings.items_queue),
        videos=_outbox(settings, settings.videos_queue) if settings.videos_queue else None,
        objects=_objects(settings),
    )
    return Worker(stage, _invocations(settings), _last("prepare", world, folder))


@once
def extract(folder: Path | None = None) -> Worker:
    """Return this instance's extract; raises as `prepare` does."""
    settings = _settings("videos_queue")
    world = _world(settings)
    stage = build_extract(
        world,
        items=_outbox(settings, settings.items_queue),
        videos=_outbox(settings, settings.videos_queue),
        objects=_objects(settings),
    )
    return Worker(stage, _invocations(settings), _last("extract", world, folder or Path.cwd()))


@once
def register(folder: Path | None = None) -> GatheringWorker:
    """Return this instance's register; raises as `prepare` does."""
    from beagle.providers.azure.secrets import KeyVaultKey  # noqa: PLC0415 - only here

    settings = _settings("api_key_secret")
    key = KeyVaultKey(settings.api_key_secret, _state_account(settings).vault_token)
    lines = HeldLines(_write)
    gather = Gather(
        build_register(_world(settings, lines.hold), api_key=key),
        SystemClock(),
        most=settings.items_per_request,
        window=settings.gather_seconds,
    )
    last = _last("register", _world(settings), folder or Path.cwd())
    return GatheringWorker(gather, lines, _invocations(settings), last)


def _write(severity: str, line: str) -> None:
    """Write a line of the log; Application Insights takes what Python logs."""
    _logger.log(logging.getLevelNamesMapping()[severity], "%s", line)


def _settings(*names: str) -> Settings:
    for name, level in _TALKATIVE.items():
        logging.getLogger(name).setLevel(level)
    settings = read_settings()
    settings.require("uploads_queue", "items_queue", "dead_letters_queue", "state_bucket", *names)
    return settings


def _invocations(settings: Settings) -> Invocations:
    return Invocations(SystemClock(), settings.invocation_seconds)


def _last(stage: str, world: World, folder: Path) -> LastDelivery:
    host = json.loads((folder / "host.json").read_text())
    return LastDelivery(
        stage=stage,
        deliveries=host["extensions"]["queues"]["maxDequeueCount"],
        dead_letters=world.dead_letters,
        journal=world.journal,
        clock=world.clock,
    )


@lru_cache
def _state_account(settings: Settings) -> Account:
    return Account(settings.state_url, settings.queues)


def _world(settings: Settings, write: Callable[[str, str], None] = _write) -> World:
    return World(
        settings=settings,
        state=_state_account(settings).container(settings.state_bucket, small),
        dead_letters=QueueDeadLetters(_outbox(settings, settings.dead_letters_queue)),
        journal=LogJournal(settings.deployment, write),
        clock=SystemClock(),
    )


def _outbox(settings: Settings, name: str) -> StorageOutbox:
    from beagle.providers.azure.queue import StorageOutbox  # noqa: PLC0415 - its SDK is slow to import

    return StorageOutbox(_queues(settings).get_queue_client(name))


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
