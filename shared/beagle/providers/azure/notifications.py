"""What Blob Storage announces through Event Grid."""

from __future__ import annotations

import re

from beagle.domain.errors import UnparsableMessageError
from beagle.domain.events import NotAnObject, Notification, ObjectCreated, ObjectRef
from beagle.providers.wire import (
    decode_base64,
    decode_percents,
    find,
    load_json,
    optional_number_at,
    optional_text_at,
    read_entries,
    text_at,
    time_at,
)

_OPENED = frozenset({"CreateFile", "SftpCreate"})
"""Calls that make an empty file, to be written and closed afterwards."""

_WHOLE = frozenset({"PutBlob", "PutBlockList", "CopyBlob", "FlushWithClose", "SftpCommit"})
"""Calls after which a blob of no bytes stays one."""

_NAMES_THE_ACCOUNT_IN_THE_PATH = re.compile(
    r"([0-9.]+|\[[0-9A-Fa-f:.]+\]|[^.:]+|host\.docker\.internal)(:[0-9]+)?"
)
"""Azurite's hosts: an address, a name without dots, or Docker's name for its host."""


def parse_notification(body: str) -> Notification:
    """Return what a queue message announces: one event or an array, as JSON or in base64.

    Event Grid's own schema and CloudEvents say the same in other words; both are read.

    Raises:
        UnparsableMessageError: It is neither.

    """
    text = body.strip()
    message = load_json(text if text.startswith(("{", "[")) else decode_base64(text))
    events = message if isinstance(message, list) else [message]
    if not events:
        return Notification(announced=(NotAnObject(code="empty_notification"),))
    return Notification(announced=read_entries(events, _announced, lambda event: event))


def _announced(event: object) -> ObjectCreated | NotAnObject:
    # https://learn.microsoft.com/azure/event-grid/event-schema-blob-storage
    if find(event, "eventType") is not None:
        kind, time = text_at(event, "eventType"), "eventTime"
    elif find(event, "specversion") is not None:
        kind, time = text_at(event, "type"), "time"
    else:
        raise UnparsableMessageError(
            "This is no Event Grid event: neither eventType nor specversion is there."
        )
    if kind == "Microsoft.EventGrid.SubscriptionValidationEvent":
        return NotAnObject(code="test_notification", detail=kind)
    if not kind.startswith("Microsoft.Storage."):
        raise UnparsableMessageError(
            f"Blob Storage's events begin with Microsoft.Storage.; this is {kind:.80}."
        )
    if kind != "Microsoft.Storage.BlobCreated":
        return NotAnObject(code="not_a_creation", detail=kind)
    return _created(event, time)


def _created(event: object, time: str) -> ObjectCreated | NotAnObject:
    data = find(event, "data")
    url, api = text_at(data, "url"), optional_text_at(data, "api")
    container, key = _locate(url)
    size = optional_number_at(data, "contentLength")
    if api in _OPENED or (size == 0 and api not in _WHOLE and _is_hierarchical(data, url)):
        return NotAnObject(code="not_yet_written", detail=api)
    if api == "CopyBlob":
        # With a hierarchical namespace a copy is announced when it begins: no bytes yet says nothing.
        size = size or None
    content = text_at(data, "eTag").strip('"')  # sent with quotes and without
    if not content:
        raise UnparsableMessageError("The field eTag is empty.")
    return ObjectCreated(
        ref=ObjectRef(provider="azure", bucket=container, key=key),
        content=content,
        size=size,
        occurred_at=time_at(event, time),
        sequencer=optional_text_at(data, "sequencer"),
    )


def _is_hierarchical(data: object, url: str) -> bool:
    return find(data, "contentOffset") is not None or ".dfs." in url.split("/")[2]


def _locate(url: str) -> tuple[str, str]:
    """Return the container and the key that a blob's URL names.

    The URL alone, never the event's subject: only of the URL is it known that it is percent-encoded.
    https://learn.microsoft.com/rest/api/storageservices/naming-and-referencing-containers--blobs--and-metadata
    """
    scheme, _, rest = url.partition("://")
    host, _, path = rest.partition("/")
    if scheme.lower() not in {"http", "https"} or not host or "?" in rest or "#" in rest:
        raise UnparsableMessageError(f"{url!r:.200} is no blob's URL.")
    if _NAMES_THE_ACCOUNT_IN_THE_PATH.fullmatch(host):
        # https://learn.microsoft.com/azure/storage/common/storage-use-azurite: 127.0.0.1:10000/account/...
        path = path.partition("/")[2]
    container, _, key = path.partition("/")
    if not container or not key:
        raise UnparsableMessageError(f"{url!r:.200} does not name a container and a blob.")
    return decode_percents(container), decode_percents(key)
