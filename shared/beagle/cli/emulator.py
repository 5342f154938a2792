"""`beagle emulator`: a Darwin on this machine."""

from __future__ import annotations

from typing import Annotated

import typer

from beagle.cli.filters import AsJson  # noqa: TC001 - Typer reads the annotations
from beagle.cli.output import print_line, screen, styled, wants_lines
from beagle.cli.running import stops_on_request, wait_for_the_end
from beagle.domain.errors import ConfigurationError


def emulator(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; 0 lets the system choose.")] = 0,
    *,
    as_json: AsJson = False,
) -> None:
    """`beagle emulator --port 8080` runs a Darwin that registers, refuses and fails like V7's, until Ctrl-C.

    Its page shows datasets, items, refusals and requests. Clients, V7's own darwin-py too, take its address
    and the API key that it prints. It forgets everything when it ends.
    """
    from beagle.emulator import DEFAULT_KEY, DEFAULT_TEAM, EmulatedDarwin, serve  # noqa: PLC0415

    darwin = EmulatedDarwin.with_defaults()
    try:
        server = serve(darwin, host, port)
    except OSError as error:
        raise ConfigurationError(f"{host}:{port} cannot be listened on: {error.strerror}.") from error
    world = darwin.context.world
    datasets = [dataset.slug for dataset in world.datasets.values()]
    storages = {s.name: "read-only" if s.readonly else "read-write" for s in world.storages.values()}
    with server, stops_on_request():
        if wants_lines(as_json):
            print_line(
                {
                    "url": server.url,
                    "team": DEFAULT_TEAM,
                    "datasets": datasets,
                    "storages": storages,
                    "api_key": DEFAULT_KEY,
                }
            )
        else:
            from rich.table import Table  # noqa: PLC0415

            table = Table.grid(padding=(0, 2))
            table.add_column(style="dim")
            table.add_row("page and address", styled(server.url, "bold cyan"))
            table.add_row("team", styled(DEFAULT_TEAM))
            table.add_row("dataset", styled(", ".join(datasets)))
            table.add_row(
                "storages", styled(", ".join(f"{name} ({kind})" for name, kind in storages.items()))
            )
            table.add_row("API key", styled(DEFAULT_KEY))
            screen().print(table)
        wait_for_the_end()
