"""`beagle explain`: what would become of a notification."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from beagle.cli.output import FAILED, OK, outcome_text, pretty_json, print_lines, screen, styled, wants_lines
from beagle.domain.errors import ConfigurationError, InvalidRequestError, RoutesError, UnparsableMessageError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from beagle.domain.events import Notification, ObjectCreated
    from beagle.domain.items import Item
    from beagle.domain.media import MediaKind
    from beagle.domain.routes import Routes
    from beagle.pipeline.explain import Explanation

Record = dict[str, Any]

_MADE_FIRST: dict[MediaKind, str] = {
    "image": "Its thumbnail is made first.",
    "video": "Its thumbnail, frames and segments are made first.",
    "dicom": "Its slices are drawn as images first.",
    "pdf": "Its pages are drawn as images first.",
}


def explain(
    notification: Annotated[
        str, typer.Argument(metavar="NOTIFICATION.json", help="The raw notification; `-` for standard input.")
    ],
    routes: Annotated[
        Path | None,
        typer.Option(metavar="ROUTES.yaml", help="The routes; by default what BEAGLE_* variables say."),
    ] = None,
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object a line, also on a terminal.")
    ] = False,
) -> None:
    """`beagle explain notification.json --routes routes.yaml` tells what would become of each object.

    The notification may be any provider's, in whichever envelope it arrived (S3, EventBridge, SNS, a Lambda
    event of SQS messages, Pub/Sub, CloudEvents, Event Grid), or a message that was replayed. Nobody is
    talked to.

    Exits with 0 when every object would be registered, or ignored on purpose; with 1 when one would be
    dead-lettered.
    """
    data = _read(notification)
    records = explain_message(data, read_routes(routes))
    if wants_lines(as_json):
        print_lines(records)
    else:
        for record in records:
            screen().print(_panel(record))
    raise typer.Exit(FAILED if any(record["outcome"] == "dead_lettered" for record in records) else OK)


def explain_message(data: bytes, routes: Routes) -> list[Record]:
    """Return a record for each object that a message announces, and one for a message nobody can read."""
    from beagle.pipeline.explain import explain as explain_objects  # noqa: PLC0415 - see the package
    from beagle.settings import read_settings  # noqa: PLC0415

    try:
        notification = _parse(data)
    except UnparsableMessageError as error:
        return [_record("dead_lettered", error.code, str(error))]
    prefix = read_settings().artifact_prefix
    return [_of(explanation) for explanation in explain_objects(routes, notification, prefix)]


def read_routes(path: Path | None) -> Routes:
    """Return the routes of a file, or of the environment.

    Raises:
        ConfigurationError: There are none, or they do not hold together.

    """
    from beagle.settings import load_routes, read_settings, routes_of  # noqa: PLC0415

    if path is None:
        try:
            return routes_of(read_settings(), Path.cwd())
        except RoutesError:
            raise
        except ConfigurationError as error:
            raise ConfigurationError(f"{error} Or name a routes file: --routes ROUTES.yaml.") from error
    try:
        return load_routes(path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as error:
        raise RoutesError(f"{path} is no text in UTF-8.") from error
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}.") from error


def _read(place: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if place == "-" else Path(place).read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{place} cannot be read: {error.strerror}.") from error


def _parse(data: bytes) -> Notification:
    from beagle.messages import load_event  # noqa: PLC0415
    from beagle.providers.recognise import recognise  # noqa: PLC0415

    try:
        body = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnparsableMessageError("The notification is no text in UTF-8.") from error
    return load_event(body) or recognise(body)


def _of(explanation: Explanation) -> Record:
    from beagle.registration.payloads import build_item  # noqa: PLC0415

    outcome, code, detail = explanation.outcome, explanation.code, explanation.detail
    item = None
    if explanation.item and outcome == "register":
        try:
            item = build_item(explanation.item)
        except InvalidRequestError as error:
            outcome, code, detail = "dead_lettered", error.code, str(error)
    elif explanation.item:
        item = _unfinished(explanation.item)
        detail = detail or _why_unfinished(explanation, explanation.item)
    return _record(outcome, code, detail, explanation, item)


def _record(
    outcome: str, code: str, detail: str, explanation: Explanation | None = None, item: Record | None = None
) -> Record:
    event = explanation.event if explanation else None
    known = explanation.item if explanation else None
    return {
        "outcome": outcome,
        "code": code or None,
        "route": explanation.route.name if explanation and explanation.route else None,
        "storage_key": known.slots[0].storage_key if known else None,
        "dataset": known.id.dataset if known else None,
        "item": item,
        "object": _object(event) if event else None,
        "detail": detail or None,
    }


def _object(event: ObjectCreated) -> Record:
    return {
        "provider": event.ref.provider,
        "bucket": event.ref.bucket,
        "key": event.ref.key,
        "content": event.content,
        "size": event.size,
        "occurred_at": event.occurred_at.isoformat(),
    }


def _unfinished(item: Item) -> Record:
    """Return what is known of an item before its artifacts, or its other slots, are there."""
    return {
        "path": item.id.path,
        "name": item.id.name,
        **({"tags": list(item.tags)} if item.tags else {}),
        "slots": [
            {
                "slot_name": slot.name,
                "file_name": slot.file_name,
                "storage_key": slot.storage_key,
                **({"type": slot.media_type} if slot.media_type else {}),
            }
            for slot in item.slots
        ],
    }


def _why_unfinished(explanation: Explanation, item: Item) -> str:
    group = explanation.route.group if explanation.route else None
    if group is None or explanation.outcome == "extract":
        return _MADE_FIRST[item.slots[0].media_type or "image"]
    if group.series:
        return f"Sent as a series once no slice has come for {group.settle_minutes:g} minutes."
    return f"Sent once the group is whole: {', '.join(group.slots)}."


def _panel(record: Record) -> RenderableType:
    from rich.console import Group  # noqa: PLC0415
    from rich.panel import Panel  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    about = record["object"]
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column(overflow="fold")
    facts.add_row("outcome", outcome_text(record["outcome"], record["code"] or ""))
    for name in ("detail", "route", "dataset", "storage_key"):
        if record[name]:
            facts.add_row(name.replace("_", " "), styled(record[name]))
    parts: list[RenderableType] = [facts]
    if record["item"]:
        parts += ["", pretty_json(record["item"])]
    title = f"{about['bucket']}/{about['key']}" if about else "message"
    border = "red" if record["outcome"] == "dead_lettered" else "dim"
    return Panel(
        Group(*parts), title=styled(title, "bold"), title_align="left", border_style=border, padding=(1, 2)
    )
