"""What a local Cloud Storage keeps: objects with their generations, and who is told of their changes."""

from __future__ import annotations

import base64
import hashlib
import threading
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import google_crc32c

if TYPE_CHECKING:
    from collections.abc import Callable

ABSENT = 0
"""The generation that a precondition names for an object that is not there."""


class RefusedError(Exception):
    """A request that Cloud Storage does not carry out; `status` is HTTP's."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """One generation of one object."""

    bucket: str
    key: str
    data: bytes
    generation: int
    metageneration: int = 1
    content_type: str = "application/octet-stream"
    content_encoding: str = ""
    metadata: tuple[tuple[str, str], ...] = ()

    @property
    def created(self) -> datetime:
        """A generation is the time of its creation, in microseconds."""
        return datetime.fromtimestamp(self.generation / 1e6, UTC)

    @property
    def etag(self) -> str:
        """The XML API's: the MD5 of the content."""
        return f'"{hashlib.md5(self.data, usedforsecurity=False).hexdigest()}"'

    def resource(self) -> dict[str, Any]:
        """
        Describe it as the JSON API and the payload of a notification do.

        https://cloud.google.com/storage/docs/json_api/v1/objects#resource
        """
        created = self.created.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
        described: dict[str, Any] = {
            "kind": "storage#object",
            "id": f"{self.bucket}/{self.key}/{self.generation}",
            "name": self.key,
            "bucket": self.bucket,
            "generation": str(self.generation),
            "metageneration": str(self.metageneration),
            "contentType": self.content_type,
            "timeCreated": created,
            "updated": created,
            "storageClass": "STANDARD",
            "size": str(len(self.data)),
            "md5Hash": base64.b64encode(hashlib.md5(self.data, usedforsecurity=False).digest()).decode(),
            "crc32c": base64.b64encode(google_crc32c.Checksum(self.data).digest()).decode(),
            "etag": base64.b64encode(f"{self.generation}.{self.metageneration}".encode()).decode(),
        }
        if self.content_encoding:
            described["contentEncoding"] = self.content_encoding
        if self.metadata:
            described["metadata"] = dict(self.metadata)
        return described


class Buckets:
    """All buckets, in memory; a bucket exists once it is named. Safe for threads."""

    def __init__(self) -> None:
        self._objects: dict[tuple[str, str], Stored] = {}
        self._lock = threading.Lock()
        self._last = 0
        self.tell: dict[str, Callable[[str, Stored, dict[str, str]], None]] = {}
        """By bucket, what takes its notifications: the kind, the object, further attributes."""

    def put(  # noqa: PLR0913 - what an upload says
        self,
        bucket: str,
        key: str,
        data: bytes,
        *,
        content_type: str = "",
        content_encoding: str = "",
        if_generation: int | None = None,
    ) -> Stored:
        """Keep a new generation, and announce it; refuse it where another one stands than is expected."""
        with self._lock:
            old = self._objects.get((bucket, key))
            self._require(old, if_generation)
            self._last = max(self._last + 1, time.time_ns() // 1000)
            stored = Stored(
                bucket=bucket,
                key=key,
                data=data,
                generation=self._last,
                content_type=content_type or "application/octet-stream",
                content_encoding=content_encoding,
            )
            self._objects[bucket, key] = stored
        self._announce("OBJECT_FINALIZE", stored, overwroteGeneration=old)
        if old:
            self._announce("OBJECT_DELETE", old, overwrittenByGeneration=stored)
        return stored

    def get(self, bucket: str, key: str, generation: int | None = None) -> Stored:
        """Return what stands there."""
        stored = self._objects.get((bucket, key))
        if stored is None or generation not in {None, stored.generation}:
            raise RefusedError(404)
        return stored

    def patch(self, bucket: str, key: str, metadata: dict[str, str]) -> Stored:
        """Change what is said of an object: its generation stays, its metageneration grows."""
        with self._lock:
            stored = self.get(bucket, key)
            stored = replace(
                stored, metageneration=stored.metageneration + 1, metadata=tuple(metadata.items())
            )
            self._objects[bucket, key] = stored
        self._announce("OBJECT_METADATA_UPDATE", stored)
        return stored

    def delete(self, bucket: str, key: str, if_generation: int | None = None) -> None:
        """Take an object away."""
        with self._lock:
            stored = self.get(bucket, key)
            self._require(stored, if_generation)
            del self._objects[bucket, key]
        self._announce("OBJECT_DELETE", stored)

    def keys(self, bucket: str, prefix: str = "") -> list[str]:
        """List the keys of a bucket, in order."""
        with self._lock:
            return sorted(key for where, key in self._objects if where == bucket and key.startswith(prefix))

    def _announce(self, kind: str, stored: Stored, **others: Stored | None) -> None:
        if tell := self.tell.get(stored.bucket):
            tell(kind, stored, {name: str(other.generation) for name, other in others.items() if other})

    @staticmethod
    def _require(old: Stored | None, generation: int | None) -> None:
        if generation is not None and generation != (old.generation if old else ABSENT):
            raise RefusedError(412)
