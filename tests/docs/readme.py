"""The parts of the pages that the code itself says: `make docs` writes them, a test compares them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer.main
from pydantic_core import PydanticUndefined

from beagle.cli.main import app
from beagle.domain.kinds import Dicom, Image, Pdf, Video
from beagle.domain.routes import Group, Route, Watch
from beagle.settings import EMULATORS, PREFIX, Settings
from docs import costs, infra
from docs.limits import limits_table
from docs.tables import fill, table
from media.stills import syntaxes
from media.video import odd

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import BaseModel
    from pydantic.fields import FieldInfo

README = Path(__file__).parents[2] / "README.md"
NESTED = {"watch": Watch, "image": Image, "video": Video, "dicom": Dicom, "pdf": Pdf, "group": Group}


def settings_table() -> str:
    """Return a row for each setting."""
    rows = [
        (f"`{PREFIX}{name.upper()}`", _default(field), str(field.description))
        for name, field in Settings.model_fields.items()
        if name not in EMULATORS
    ]
    return table(("variable", "default", "meaning"), rows)


def routes_table() -> str:
    """Return a row for each field of a route."""
    return table(("field", "default", "meaning"), list(_route_rows(Route)))


def _route_rows(model: type[BaseModel], above: str = "") -> Iterator[tuple[str, str, str]]:
    for name, field in model.model_fields.items():
        if name in NESTED and not above:
            yield from _route_rows(NESTED[name], f"{name}.")
        elif field.description:
            yield (f"`{above}{field.alias or name}`", _default(field), field.description)


def help_table() -> str:
    """Return a row for each command and its options."""
    rows = []
    for path, command in _commands(typer.main.get_command(app)):
        about = " ".join(str(command.help or "").split("\n\n")[0].split())
        about = command.get_short_help_str(limit=200) or about
        options = " ".join(
            f"`{parameter.opts[0]}`"
            if parameter.param_type_name == "option"
            else f"`{parameter.name.upper()}`"
            for parameter in command.params
            if parameter.name != "help" and not getattr(parameter, "hidden", False)
        )
        rows.append((f"`beagle {path}`", about, options))
    return table(("command", "what it does", "arguments and options"), rows)


def odd_videos_table() -> str:
    """Return a row for each odd clip that the tests extract."""
    return table(("what is odd", "what becomes of it"), odd.table())


def dicom_table() -> str:
    """Return a row for each form in which DICOM stores pixels."""
    return table(("pixels stored as", "transfer syntax", "read-only"), syntaxes.table())


def _commands(group: typer.core.TyperGroup, above: str = "") -> Iterator[tuple[str, typer.core.TyperCommand]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, f"{above}{name} ")
        else:
            yield f"{above}{name}", command


def _default(field: FieldInfo) -> str:
    if field.default is PydanticUndefined:
        return "required"
    value = field.default
    if hasattr(value, "get_secret_value"):
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, tuple):
        value = ",".join(map(str, value))  # as the environment wants it
    return f"`{value}`" if value not in ("", (), None) else ""


def regenerate(text: str) -> str:
    """Return the README with its generated parts as the code has them."""
    return fill(
        text,
        {
            "settings": settings_table(),
            "routes": routes_table(),
            "help": help_table(),
            "limits": limits_table(),
            "odd videos": odd_videos_table(),
            "DICOM": dicom_table(),
        },
    )


PAGES = {README: regenerate, costs.COSTS: costs.regenerate, infra.INFRA: infra.regenerate}

if __name__ == "__main__":
    for page, write_anew in PAGES.items():
        page.write_text(write_anew(page.read_text(encoding="utf-8")), encoding="utf-8")
        sys.stdout.write(f"Wrote {page.relative_to(README.parent)}.\n")
