"""The stages, assembled from what a provider brings.

What only one stage needs is imported where it is built: prepare does not pay for an HTTP client that it
never uses.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from obstore.store import ObjectStore

from beagle import __version__
from beagle.domain.errors import ConfigurationError
from beagle.pipeline.crashes import CrashGuard
from beagle.pipeline.endings import Endings
from beagle.pipeline.limits import Tries
from beagle.pipeline.passing import Onward
from beagle.ports import Clock, DeadLetters, Journal, Stage
from beagle.providers.attempts import StoreAttempts
from beagle.providers.parcels import StoreParcels
from beagle.settings import Settings, read_memory

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import SecretStr

    from beagle.domain.routes import Routes
    from beagle.media.maker import Maker
    from beagle.pipeline.groups import Groups
    from beagle.pipeline.series import SeriesOnce
    from beagle.ports import Outbox, Parse
    from beagle.providers.objects import Objects


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What a provider brings to every stage."""

    settings: Settings
    state: ObjectStore
    dead_letters: DeadLetters
    journal: Journal
    clock: Clock

    def endings(self, stage: str) -> Endings:
        """Return how a stage ends what goes no further."""
        return Endings(stage, self.dead_letters, self.clock, __version__)

    def onward(self, queue: Outbox) -> Onward:
        """Return the way into a queue."""
        return Onward(queue, StoreParcels(self.state))

    def tries(self, stage: str) -> Tries:
        """Return how often a stage tries work that comes to no end."""
        return Tries(StoreAttempts(self.state, f"{stage}/stopped"))

    def guard(self, name: str, stage: Stage, parse: Parse | None = None) -> CrashGuard:
        """Return a stage that gives up on messages that kill its process."""
        return CrashGuard(
            stage=stage,
            attempts=StoreAttempts(self.state, name),
            endings=self.endings(name),
            journal=self.journal,
            parse=parse,
        )


def build_prepare(  # noqa: PLR0913 - what a provider brings
    world: World,
    routes: Routes,
    *,
    parse: Parse,
    items: Outbox,
    videos: Outbox | None,
    objects: Objects,
) -> Stage:
    """Return the prepare stage.

    Raises:
        ConfigurationError: A route asks for what this deployment cannot do.

    """
    from beagle.pipeline.prepare import Prepare  # noqa: PLC0415 - see the module's docstring

    read_only = [route.name for route in routes.routes if route.access == "read_only"]
    if read_only and videos is None:
        raise ConfigurationError(
            f"Route {read_only[0]} is read_only, which needs the extract stage and its queue: "
            "deploy with read-only access."
        )
    stage = Prepare(
        parse=parse,
        routes=routes,
        artifact_prefix=world.settings.artifact_prefix,
        items=world.onward(items),
        videos=world.onward(videos) if videos is not None else None,
        artifacts=_stills(world, objects) if read_only else None,
        groups=_groups(world) if any(route.group for route in routes.routes) else None,
        tries=world.tries("prepare"),
        endings=world.endings("prepare"),
        journal=world.journal,
    )
    return world.guard("prepare", stage, parse)


def build_extract(world: World, *, items: Outbox, videos: Outbox, objects: Objects) -> Stage:
    """Return the extract stage."""
    from beagle.pipeline.extract import Extract  # noqa: PLC0415 - see the module's docstring
    from beagle.providers.parcels import StorePartResults  # noqa: PLC0415
    from beagle.providers.state import StoreLedger  # noqa: PLC0415

    stage = Extract(
        artifacts=_maker(world, objects),
        results=StorePartResults(world.state),
        ledger=StoreLedger(world.state, threads=1),
        items=world.onward(items),
        videos=videos,
        tries=world.tries("extract"),
        endings=world.endings("extract"),
        journal=world.journal,
    )
    return world.guard("extract", stage)


def build_register(world: World, *, api_key: Callable[[], SecretStr]) -> Stage:
    """Return the register stage."""
    from beagle.pipeline.register import Register  # noqa: PLC0415 - see the module's docstring
    from beagle.providers.state import StoreLedger  # noqa: PLC0415
    from beagle.registration.client import DarwinClient  # noqa: PLC0415
    from beagle.registration.pacing import Pacer  # noqa: PLC0415
    from beagle.registration.registrar import DarwinRegistrar  # noqa: PLC0415

    settings = world.settings
    stage = Register(
        registrar=DarwinRegistrar(
            DarwinClient(settings.darwin_url, api_key, clock=world.clock),
            Pacer(world.clock, settings.requests_per_minute),
            clock=world.clock,
            items_per_request=settings.items_per_request,
        ),
        ledger=StoreLedger(world.state),
        parcels=StoreParcels(world.state),
        endings=world.endings("register"),
        journal=world.journal,
    )
    return world.guard("register", stage)


def _maker(world: World, objects: Objects) -> Maker:
    from beagle.media.maker import Maker  # noqa: PLC0415 - only read-only storage needs artifacts
    from beagle.media.room import memory_bound  # noqa: PLC0415

    with_files = world.settings.memory_megabytes << 20
    return Maker(
        objects.open,
        objects.sink,
        world.settings.invocation_seconds,
        memory=with_files or read_memory() or memory_bound(),
        files_in_memory=bool(with_files),
    )


def _stills(world: World, objects: Objects) -> SeriesOnce:
    from beagle.pipeline.series import SeriesOnce  # noqa: PLC0415 - only read-only storage needs artifacts
    from beagle.providers.parcels import StorePartResults  # noqa: PLC0415

    # Prepare may write below `groups/`, where the members of groups lie, too.
    return SeriesOnce(_maker(world, objects), StorePartResults(world.state, "groups"), world.clock)


def _groups(world: World) -> Groups:
    from beagle.pipeline.groups import Groups  # noqa: PLC0415 - few routes group
    from beagle.providers.state import StoreGroupMembers  # noqa: PLC0415

    return Groups(StoreGroupMembers(world.state), world.clock)
