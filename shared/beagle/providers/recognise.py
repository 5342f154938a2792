"""Telling whose notification a message is, for people who bring one and do not say."""

from __future__ import annotations

from beagle.domain.errors import UnparsableMessageError
from beagle.domain.events import Notification
from beagle.providers.aws.notifications import parse_notification as parse_aws
from beagle.providers.azure.notifications import parse_notification as parse_azure
from beagle.providers.gcp.notifications import parse_notification as parse_gcp
from beagle.providers.wire import find, load_json, text_at

_PARSERS = {"AWS": parse_aws, "Google Cloud": parse_gcp, "Azure": parse_azure}


def recognise(body: str) -> Notification:
    """Return what any provider's notification announces; also a batch of SQS messages, as Lambda is given it.

    Raises:
        UnparsableMessageError: No provider sends this; the message tells what each would have sent.

    """
    if bodies := _sqs_bodies(body):
        batch = [parse_aws(message) for message in bodies]
        return Notification(announced=tuple(one for parsed in batch for one in parsed.announced))
    refusals = []
    for provider, parse in _PARSERS.items():
        try:
            return parse(body)
        except UnparsableMessageError as error:
            refusals.append(f"{provider}: {error}")
    raise UnparsableMessageError("No provider sends this. " + " ".join(refusals))


def _sqs_bodies(body: str) -> list[str]:
    """Return the bodies of a batch of SQS messages, none if it is none.

    https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
    """
    try:
        records = find(load_json(body), "Records")
    except UnparsableMessageError:  # Azure's may be in base64
        return []
    if not isinstance(records, list):
        return []
    if not all(find(record, "eventSource") == "aws:sqs" for record in records):
        return []
    return [text_at(record, "body") for record in records]
