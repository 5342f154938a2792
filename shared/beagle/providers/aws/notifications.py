"""What S3 announces, whichever way it takes to the queue."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from beagle.domain.errors import UnparsableMessageError
from beagle.domain.events import NotAnObject, Notification, ObjectCreated, ObjectRef
from beagle.providers.wire import (
    decode_percents,
    find,
    load_json,
    optional_number_at,
    optional_text_at,
    read_entries,
    text_at,
    time_at,
)

if TYPE_CHECKING:
    from beagle.domain.events import Announced

_KNOWN_VERSION = re.compile(r"2\.[0-9]+")


def parse_notification(body: str) -> Notification:
    """Return what an SQS body announces: from S3 itself or through EventBridge, in SNS's envelope or bare.

    Raises:
        UnparsableMessageError: It is none of these.

    """
    message = load_json(body)
    if find(message, "TopicArn") is not None:
        message = _unwrap_sns(message)
    return Notification(announced=_announced(message))


def _unwrap_sns(message: object) -> object:
    # https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html
    kind = text_at(message, "Type")
    if kind != "Notification":
        raise UnparsableMessageError(f"SNS sent a {kind:.80}: the subscription still waits for its owner.")
    return load_json(text_at(message, "Message"))


def _announced(message: object) -> tuple[Announced, ...]:
    if find(message, "Event") == "s3:TestEvent":
        return (NotAnObject(code="test_notification", detail="s3:TestEvent"),)
    if find(message, "detail-type") is not None:
        return (_from_eventbridge(message),)
    records = find(message, "Records")
    if not isinstance(records, list):
        raise UnparsableMessageError(
            "This is no S3 notification: neither Records nor detail-type nor s3:TestEvent is there."
        )
    if not records:
        return (NotAnObject(code="empty_notification"),)
    return read_entries(records, _from_record, lambda record: {"Records": [record]})


def _from_record(record: object) -> ObjectCreated | NotAnObject:
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
    # asks to take every minor version: they only add fields.
    source, version = text_at(record, "eventSource"), text_at(record, "eventVersion")
    if source != "aws:s3" or not _KNOWN_VERSION.fullmatch(version):
        raise UnparsableMessageError(
            f"S3 sends records of version 2; this is {version:.80} from {source:.80}."
        )
    name = text_at(record, "eventName")
    if not name.startswith("ObjectCreated:"):
        return NotAnObject(code="not_a_creation", detail=name)
    described = find(record, "s3", "object")
    # Keys are form-encoded here: a space arrives as "+", a plus as "%2B".
    key = decode_percents(text_at(described, "key").replace("+", " "))
    return ObjectCreated(
        ref=ObjectRef(provider="aws", bucket=text_at(record, "s3", "bucket", "name"), key=key),
        content=_content(described, version="versionId", etag="eTag"),
        size=optional_number_at(described, "size"),
        occurred_at=time_at(record, "eventTime"),
        sequencer=optional_text_at(described, "sequencer"),
    )


def _from_eventbridge(message: object) -> ObjectCreated | NotAnObject:
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
    source, kind = text_at(message, "source"), text_at(message, "detail-type")
    if source != "aws.s3" or not kind.startswith("Object "):
        raise UnparsableMessageError(f"S3's events are about objects; this is {kind:.80} from {source:.80}.")
    if kind != "Object Created":
        return NotAnObject(code="not_a_creation", detail=kind)
    described = find(message, "detail", "object")
    return ObjectCreated(
        # Keys are as the bucket has them here: "+" is a plus and "%20" is three characters.
        ref=ObjectRef(
            provider="aws",
            bucket=text_at(message, "detail", "bucket", "name"),
            key=text_at(described, "key"),
        ),
        content=_content(described, version="version-id", etag="etag"),
        size=optional_number_at(described, "size"),
        occurred_at=time_at(message, "time"),
        sequencer=optional_text_at(described, "sequencer"),
    )


def _content(described: object, *, version: str, etag: str) -> str:
    """Return the version id or, where the bucket keeps no versions and it is "null" or missing, the etag."""
    version_id = optional_text_at(described, version)
    if version_id and version_id != "null":
        return version_id
    content = text_at(described, etag).strip('"')
    if not content:
        raise UnparsableMessageError(f"The field {etag} is empty.")
    return content
