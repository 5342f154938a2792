"""What Cloud Storage announces, through Pub/Sub or Eventarc."""

from __future__ import annotations

from beagle.domain.errors import UnparsableMessageError
from beagle.domain.events import NotAnObject, Notification, ObjectCreated, ObjectRef
from beagle.providers.wire import (
    decode_base64,
    find,
    load_json,
    number_at,
    optional_number_at,
    optional_text_at,
    text_at,
    time_at,
)

_STORAGE_EVENT = "google.cloud.storage.object.v1."
_PUBSUB_EVENT = "google.cloud.pubsub.topic.v1.messagePublished"
_SEQUENCER_WIDTH = 20
"""A generation is a whole number of 64 bits: 19 digits at most."""


def parse_notification(body: str) -> Notification:
    """Return what a body announces: a Pub/Sub push or message, a CloudEvent, or the object's description.

    Raises:
        UnparsableMessageError: It is none of these.

    """
    return Notification(announced=(_announced(load_json(body)),))


def _announced(message: object) -> ObjectCreated | NotAnObject:
    if find(message, "specversion") is not None:
        return _from_cloud_event(message)
    if find(message, "message") is not None:
        # https://cloud.google.com/pubsub/docs/push#receive_push
        return _from_pubsub(find(message, "message"))
    if find(message, "attributes") is not None:
        return _from_pubsub(message)
    if find(message, "kind") == "storage#object":
        return _from_object(message)
    raise UnparsableMessageError(
        "This is no Cloud Storage notification: neither message nor attributes nor specversion is there, "
        "and its kind is not storage#object."
    )


def _from_pubsub(message: object) -> ObjectCreated | NotAnObject:
    # https://cloud.google.com/storage/docs/pubsub-notifications
    # The attributes name the object, unencoded; the payload, which may be left out, adds its size.
    attributes = find(message, "attributes")
    kind = text_at(attributes, "eventType")
    if not kind.startswith("OBJECT_"):
        raise UnparsableMessageError(f"Cloud Storage announces objects; this is {kind:.80}.")
    if kind == "OBJECT_INITIALIZE":
        return NotAnObject(code="not_yet_written", detail=kind)
    if kind != "OBJECT_FINALIZE":
        return NotAnObject(code="not_a_creation", detail=kind)
    data = optional_text_at(message, "data")
    payload = load_json(decode_base64(data)) if data else None
    described = {
        "bucket": find(attributes, "bucketId"),
        "name": find(attributes, "objectId"),
        "generation": find(attributes, "objectGeneration"),
        "size": find(payload, "size"),
        "timeCreated": find(attributes, "eventTime") or find(payload, "timeCreated"),
    }
    return _created(described)


def _from_cloud_event(event: object) -> ObjectCreated | NotAnObject:
    # https://cloud.google.com/eventarc/docs/cloudevents
    kind = text_at(event, "type")
    if kind == _PUBSUB_EVENT:
        return _from_pubsub(find(event, "data", "message"))
    if not kind.startswith(_STORAGE_EVENT):
        raise UnparsableMessageError(
            f"Cloud Storage's events begin with {_STORAGE_EVENT}; this is {kind:.80}."
        )
    if kind != f"{_STORAGE_EVENT}finalized":
        return NotAnObject(code="not_a_creation", detail=kind)
    return _created(find(event, "data"))


def _from_object(described: object) -> ObjectCreated | NotAnObject:
    """Read an object's description without a word on what happened to it.

    Only its creation leaves the metageneration at 1, and what is deleted says when.
    """
    if find(described, "timeDeleted") is not None:
        return NotAnObject(code="not_a_creation", detail="timeDeleted")
    if optional_number_at(described, "metageneration") not in {None, 1}:
        return NotAnObject(code="not_a_creation", detail="metageneration")
    return _created(described)


def _created(described: object) -> ObjectCreated:
    # https://cloud.google.com/storage/docs/json_api/v1/objects#resource
    generation = number_at(described, "generation")
    return ObjectCreated(
        ref=ObjectRef(provider="gcp", bucket=text_at(described, "bucket"), key=text_at(described, "name")),
        content=str(generation),
        size=optional_number_at(described, "size"),
        occurred_at=time_at(described, "timeCreated"),
        sequencer=str(generation).zfill(_SEQUENCER_WIDTH),
    )
