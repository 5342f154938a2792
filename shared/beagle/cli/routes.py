"""`beagle routes`: look after a routes file."""

from __future__ import annotations

import json
import sys
from pathlib import Path  # noqa: TC003 - Typer reads the annotations
from typing import TYPE_CHECKING, Annotated

import typer

from beagle.cli.output import print_lines, screen, styled, wants_lines

if TYPE_CHECKING:
    from beagle.domain.routes import Route

app = typer.Typer(no_args_is_help=True)


@app.callback()
def routes() -> None:
    """`beagle routes check routes.yaml` checks a routes file; `beagle routes schema` exports its schema."""


@app.command(short_help="Check a routes file and its examples.")
def check(
    file: Annotated[Path, typer.Argument(metavar="ROUTES.yaml", help="The routes file.")],
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object a line, also on a terminal.")
    ] = False,
) -> None:
    """`beagle routes check routes.yaml` loads the file as a deployment would, its examples included.

    Exits with 2 where it does not hold together, and says which route and which field.
    """
    from beagle.cli.explain import read_routes  # noqa: PLC0415 - see the package

    loaded = read_routes(file)
    if wants_lines(as_json):
        print_lines(_record(route) for route in loaded.routes)
        return
    from rich.table import Table  # noqa: PLC0415

    table = Table(title=styled(f"{file} holds together"), title_justify="left", title_style="green")
    for column in ("route", "watches", "dataset", "storage", "access", "examples"):
        table.add_column(column, justify="right" if column == "examples" else "left", overflow="fold")
    for route in loaded.routes:
        table.add_row(
            styled(route.name, "bold"),
            styled(f"{route.watch.bucket}/{route.watch.prefix}"),
            styled(route.dataset),
            styled(route.storage),
            route.access.replace("_", "-"),
            str(len(route.examples)),
        )
    screen().print(table)


@app.command(short_help="Print the JSON Schema of routes.yaml.")
def schema() -> None:
    """`beagle routes schema > routes.schema.json` prints the JSON Schema that editors check the file by."""
    from beagle.domain.routes import Routes  # noqa: PLC0415

    document = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Routes.model_json_schema()}
    sys.stdout.write(json.dumps(document, indent=2) + "\n")


def _record(route: Route) -> dict[str, object]:
    return {
        "route": route.name,
        "bucket": route.watch.bucket,
        "prefix": route.watch.prefix,
        "dataset": route.dataset,
        "storage": route.storage,
        "access": route.access,
        "examples": len(route.examples),
    }
