"""The stages, assembled from what a provider brings.

What only one stage needs is imported where it is built: prepare does not pay for an HTTP client that it
never uses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from beagle import __version__
from beagle.domain.errors import ConfigurationError
from beagle.pipeline.endings import Endings

if TYPE_CHECKING:
    from collections.abc import Callable

    from obstore.store import ObjectStore
    from pydantic import SecretStr

    from beagle.domain.routes import Routes
    from beagle.pipeline.groups import Groups
    from beagle.pipeline.prepare import Prepare
    from beagle.pipeline.register import Register
    from beagle.ports import Clock, DeadLetters, Journal, Outbox, Parse
    from beagle.settings import Settings


def build_prepare(  # noqa: PLR0913 - what a provider brings
    settings: Settings,
    routes: Routes,
    *,
    parse: Parse,
    items: Outbox,
    state: ObjectStore | None,
    dead_letters: DeadLetters,
    journal: Journal,
    clock: Clock,
) -> Prepare:
    """Return the prepare stage.

    Raises:
        ConfigurationError: A route asks for what this deployment cannot do.

    """
    from beagle.pipeline.prepare import Prepare  # noqa: PLC0415 - see the module's docstring

    if read_only := [route.name for route in routes.routes if route.access == "read_only"]:
        raise ConfigurationError(
            f"Route {read_only[0]} is read_only: its thumbnails and frames must be made, which this "
            "version does not do yet. Use a read_write storage integration."
        )
    grouped = [route.name for route in routes.routes if route.group]
    if grouped and state is None:
        raise ConfigurationError(f"Route {grouped[0]} groups objects, which needs a state bucket.")
    return Prepare(
        parse=parse,
        routes=routes,
        artifact_prefix=settings.artifact_prefix,
        items=items,
        videos=None,
        groups=_groups(state, clock) if grouped and state is not None else None,
        endings=Endings("prepare", dead_letters, clock, __version__),
        journal=journal,
    )


def _groups(state: ObjectStore, clock: Clock) -> Groups:
    from beagle.pipeline.groups import Groups  # noqa: PLC0415
    from beagle.providers.state import StoreGroupMembers  # noqa: PLC0415

    return Groups(StoreGroupMembers(state), clock)


def build_register(  # noqa: PLR0913 - what a provider brings
    settings: Settings,
    *,
    api_key: Callable[[], SecretStr],
    state: ObjectStore,
    dead_letters: DeadLetters,
    journal: Journal,
    clock: Clock,
) -> Register:
    """Return the register stage."""
    from beagle.pipeline.register import Register  # noqa: PLC0415 - see the module's docstring
    from beagle.providers.state import StoreLedger  # noqa: PLC0415
    from beagle.registration.client import DarwinClient  # noqa: PLC0415
    from beagle.registration.pacing import Pacer  # noqa: PLC0415
    from beagle.registration.registrar import DarwinRegistrar  # noqa: PLC0415

    return Register(
        registrar=DarwinRegistrar(
            DarwinClient(settings.darwin_url, api_key, clock=clock),
            Pacer(clock, settings.requests_per_minute),
            clock=clock,
            items_per_request=settings.items_per_request,
        ),
        ledger=StoreLedger(state),
        endings=Endings("register", dead_letters, clock, __version__),
        journal=journal,
    )
