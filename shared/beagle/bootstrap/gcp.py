"""The stages on Google Cloud. Everything is built at the first call: importing needs no environment."""

from __future__ import annotations

import sys
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from obstore.store import GCSStore

from beagle.bootstrap.once import once
from beagle.bootstrap.stages import World, build_extract, build_prepare, build_register
from beagle.domain.waiting import bound_waits
from beagle.providers.gather import Gather
from beagle.providers.gcp import LONGEST_WAIT_HOURS
from beagle.providers.gcp.queue import PubSubOutbox
from beagle.providers.gcp.rest import Google
from beagle.providers.gcp.worker import Alone, Worker
from beagle.providers.journal import LogJournal
from beagle.providers.letters import QueueDeadLetters
from beagle.providers.local.clock import SystemClock
from beagle.providers.objects import Objects
from beagle.providers.patience import Patience, large, small
from beagle.settings import Settings, StageName, read_settings, routes_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from obstore.store import GCSCredential

    from beagle.ports import Clock
    from beagle.providers.gcp.worker import Taking


@once
def worker(stage: StageName, folder: Path | None = None) -> Worker:
    """Return the one worker of this instance; `folder` is where the routes file lies, if there is one.

    Raises:
        ConfigurationError: The environment or the routes do not hold together.

    """
    settings = read_settings()
    settings.require("uploads_queue", "items_queue", "dead_letters_queue", "state_bucket")
    clock = SystemClock()
    pubsub = Google(settings.pubsub_emulator_host, pause=clock.sleep)
    world = World(
        settings=settings,
        state=_bucket(settings, small, settings.state_bucket),
        dead_letters=QueueDeadLetters(PubSubOutbox(pubsub, settings.dead_letters_queue)),
        journal=LogJournal(settings.deployment, _write),
        clock=clock,
    )
    items = PubSubOutbox(pubsub, settings.items_queue)
    videos = PubSubOutbox(pubsub, settings.videos_queue) if settings.videos_queue else None
    taking: Taking
    match stage:
        case "prepare":
            from beagle.providers.gcp.notifications import parse_notification  # noqa: PLC0415 - only here

            routes = bound_waits(routes_of(settings, folder or Path.cwd()), LONGEST_WAIT_HOURS)
            objects = _objects(settings, clock)
            taking = Alone(
                build_prepare(
                    world, routes, parse=parse_notification, items=items, videos=videos, objects=objects
                )
            )
        case "extract":
            settings.require("videos_queue")
            own = PubSubOutbox(pubsub, settings.videos_queue)
            taking = Alone(build_extract(world, items=items, videos=own, objects=_objects(settings, clock)))
        case "register":
            from beagle.providers.gcp.secrets import SecretManagerKey  # noqa: PLC0415 - only here

            settings.require("api_key_secret")
            google = Google(settings.secrets_emulator_host, pause=clock.sleep)
            key = SecretManagerKey(google, settings.api_key_secret)
            taking = Gather(
                build_register(world, api_key=key),
                clock,
                most=settings.items_per_request,
                window=settings.gather_seconds,
            )
    return Worker(taking, clock, settings.invocation_seconds)


def _write(_severity: str, line: str) -> None:
    """Write a line of the log; Cloud Logging reads its severity from it."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _objects(settings: Settings, clock: Clock) -> Objects:
    from beagle.providers.gcp.objects import open_odd  # noqa: PLC0415 - only what reads objects

    google = Google(settings.storage_emulator_host, pause=clock.sleep)
    return Objects(
        store_of=lru_cache(partial(_bucket, settings, large, as_kept=True)),
        written_of=lru_cache(partial(_bucket, settings, large)),
        open_odd=partial(open_odd, google),
        artifact_prefix=settings.artifact_prefix,
    )


def _bucket(
    settings: Settings, patience: Callable[..., Patience], name: str, *, as_kept: bool = False
) -> GCSStore:
    """Return a bucket; credentials are the function's own account's.

    Objects come `as_kept` to who says that gzip is taken: for others Cloud Storage unpacks it. But it may
    then pack its own words, too, such as a list, and obstore does not unpack them.
    """
    options = patience(allow_http=settings.storage_emulator_host.startswith("http://"))
    if as_kept:
        options["client_options"]["default_headers"] = {"Accept-Encoding": "gzip"}
    if not settings.storage_emulator_host:
        return GCSStore(name, **options)
    return GCSStore(
        name,
        base_url=settings.storage_emulator_host,
        credential_provider=_nobody,  # obstore asks for credentials before it writes, wherever it writes
        **options,
    )


def _nobody() -> GCSCredential:
    return {"token": "none", "expires_at": None}
