"""An object was created: the one event that the rest of Beagle knows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Provider = Literal["aws", "gcp", "azure", "local"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectRef:
    """Where an object lies. The key is as the bucket has it: decoded, byte for byte."""

    provider: Provider
    bucket: str
    """The bucket; on Azure the container."""
    key: str

    def __str__(self) -> str:
        """Return the object as people write it, e.g. `s3://bucket/key`."""
        scheme = {"aws": "s3", "gcp": "gs", "azure": "azure", "local": "local"}[self.provider]
        return f"{scheme}://{self.bucket}/{self.key}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectCreated:
    """A bucket announced a new object, or new content of an old one."""

    ref: ObjectRef
    content: str
    """Which bytes: version id, generation or etag, as the provider has them."""
    size: int | None
    """Bytes; None where the notification does not tell."""
    occurred_at: datetime
    sequencer: str = ""
    """Orders the events of one object (never of two); empty where the provider sends none."""

    def __post_init__(self) -> None:
        """Refuse a time without a zone: it could not be compared with any other."""
        if self.occurred_at.tzinfo is None:
            raise ValueError("occurred_at must say its zone")

    def is_older_than(self, other_sequencer: str) -> bool | None:
        """Say whether this event came before another of the same object; None where nobody can tell.

        Sequencers may differ in length: the shorter is padded with zeros on the right, then they compare as
        text (https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html).
        """
        if not self.sequencer or not other_sequencer:
            return None
        width = max(len(self.sequencer), len(other_sequencer))
        return self.sequencer.ljust(width, "0").upper() < other_sequencer.ljust(width, "0").upper()


@dataclass(frozen=True, slots=True, kw_only=True)
class NotAnObject:
    """A notification that announces no new object, on purpose: a test message, a deletion, a tag change."""

    code: str
    """Why it is ignored: `test_notification`, `not_a_creation`, `empty_notification`, `not_yet_written`."""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """One of several that a message announces, which cannot be read; the others beside it can."""

    reason: str
    raw: str
    """It alone, as a message of its own."""


Announced = ObjectCreated | NotAnObject | Unreadable


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """What one queue message announces."""

    announced: tuple[Announced, ...]
    replayed: int = 0
    """How often this message was replayed from the dead letters."""
