"""Objects of the watched bucket: read as their events announced them, artifacts written beside them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import obstore
from obstore.exceptions import BaseError, NotFoundError, PreconditionError
from obstore.store import ObjectStore

from beagle.domain.errors import ObjectGoneError, StoreUnavailableError, SupersededError
from beagle.domain.events import ObjectRef
from beagle.domain.keys import derive_artifact_root, derive_storage_key
from beagle.providers.pieces import write_pieces

if TYPE_CHECKING:
    from pathlib import Path

    from obstore import ObjectMeta

    from beagle.domain.events import ObjectCreated
    from beagle.domain.items import ReadyItem
    from beagle.ports import Deadline, ObjectReader

_ODD = re.compile(r"(^|/)\.{0,2}(/|$)|[\x00-\x1f\x7f]")
_CHUNK = 8 * 1024 * 1024


def is_plain(key: str) -> bool:
    """Say whether obstore can address the key: no empty, `.` or `..` segment, no control character."""
    return not _ODD.search(key)


class OpenOdd(Protocol):
    """A provider's own SDK, for the legal keys that obstore cannot address."""

    def __call__(self, event: ObjectCreated) -> ObjectReader:
        """Return the object's reader; raises as `Objects.open` does."""


@dataclass(frozen=True, slots=True)
class StoreReader:
    """One content of one object, through obstore."""

    store: ObjectStore
    ref: ObjectRef
    size: int
    etag: str

    def read(self, start: int, length: int) -> bytes:
        """Return a range; shorter only at the object's end."""
        length = min(length, self.size - start)
        if length <= 0:
            return b""
        try:
            found = obstore.get(
                self.store,
                self.ref.key,
                options={"range": (start, start + length), "if_match": self.etag},
            )
            return bytes(found.bytes())
        except (BaseError, FileNotFoundError) as error:
            raise self._translated(error) from error

    def download(self, to: Path, deadline: Deadline | None = None) -> None:
        """Write the whole object into a new file, piece by piece."""
        try:
            found = obstore.get(self.store, self.ref.key, options={"if_match": self.etag})
            write_pieces(found.stream(min_chunk_size=_CHUNK), to, self.size, deadline)
        except (BaseError, FileNotFoundError) as error:
            raise self._translated(error) from error

    def _translated(self, error: Exception) -> ObjectGoneError | StoreUnavailableError:
        if isinstance(error, PreconditionError):
            try:  # on Azure what is gone does not meet the condition either
                obstore.head(self.store, self.ref.key)
            except (BaseError, FileNotFoundError) as now:
                return translated(now, self.ref)
        return translated(error, self.ref)


@dataclass(frozen=True, slots=True)
class Objects:
    """The watched buckets."""

    store_of: Callable[[str], ObjectStore]
    """A bucket by its name; asked often, so it should remember."""
    open_odd: OpenOdd
    artifact_prefix: str
    written_of: Callable[[str], ObjectStore] | None = None
    """The bucket to write to, where it is asked in another way than to read."""

    def open(self, event: ObjectCreated) -> ObjectReader:
        """Return a reader of exactly the content that the event announced.

        Raises:
            ObjectGoneError: The object is not there any more.
            SupersededError: It is another by now; see `require_announced`.
            StoreUnavailableError: The bucket did not answer.

        """
        ref = event.ref
        if not is_plain(ref.key):
            return self.open_odd(event)
        try:
            store = self.store_of(ref.bucket)
            meta = obstore.head(store, ref.key)
        except (BaseError, FileNotFoundError) as error:
            raise translated(error, ref) from error
        require_content(event, meta)
        return StoreReader(store, ref, meta["size"], str(meta["e_tag"]))

    def sink(self, event: ObjectCreated, ready: ReadyItem) -> StoreSink:
        """Return where the artifacts go of an object that is the item's, or one of its slots'."""
        root = derive_artifact_root(self.artifact_prefix, event.ref, event.content, ready.asked)
        store = (self.written_of or self.store_of)(event.ref.bucket)
        return StoreSink(store, event.ref, root, azure_container=ready.azure_container)


@dataclass(frozen=True, slots=True)
class StoreSink:
    """The artifacts of one content of an object, at deterministic keys of its own bucket."""

    store: ObjectStore
    ref: ObjectRef
    root: str
    azure_container: bool

    def put(self, name: str, data: bytes, content_type: str, content_encoding: str = "") -> None:
        """Keep one artifact; the same name again overwrites."""
        attributes = {"Content-Type": content_type}
        if content_encoding:
            attributes["Content-Encoding"] = content_encoding
        try:
            obstore.put(self.store, self.root + name, data, attributes=attributes)
        except BaseError as error:
            raise StoreUnavailableError(f"The bucket did not take {name}: {type(error).__name__}.") from error

    def key(self, name: str) -> str:
        """Return the storage key that Darwin is told for an artifact."""
        ref = ObjectRef(provider=self.ref.provider, bucket=self.ref.bucket, key=self.root + name)
        return derive_storage_key(ref, azure_container=self.azure_container)


def require_content(event: ObjectCreated, meta: ObjectMeta) -> None:
    """Check that the object has the content that its event announced."""
    require_announced(event, str(meta["e_tag"] or "").strip('"'), meta["version"], meta["size"])


def require_announced(event: ObjectCreated, etag: str, version: str | None, size: int) -> None:
    """Check that what stands there is what an event announced.

    Raises:
        SupersededError: It is not. It holds the key, content and size of what stands there where that may
            never be announced: S3 may tell of two writes at once as of one, and Azure tells nobody of new
            metadata or properties, which change a blob's ETag.

    """
    if event.content in {etag, version}:
        return
    if event.ref.provider == "azure" or (event.ref.provider == "aws" and version in {None, "null"}):
        raise SupersededError(
            f"{event.ref} is another by now ({etag}), and need not be announced.",
            key=event.ref.key,
            content=etag,
            size=size,
        )
    raise SupersededError(f"{event.ref} has new content ({etag}), which an event of its own announces.")


def translated(error: Exception, ref: ObjectRef) -> ObjectGoneError | StoreUnavailableError:
    """Return what an error of a store means for one object."""
    if isinstance(error, NotFoundError | FileNotFoundError):
        return ObjectGoneError(f"{ref} is not there any more.")
    if isinstance(error, PreconditionError):
        return overwritten(ref)
    return StoreUnavailableError(f"The bucket did not give {ref}: {type(error).__name__}.")


def overwritten(ref: ObjectRef) -> StoreUnavailableError:
    """Return what it means that an object changed while it was read: what it is now shows the next look.

    It may be the announced one still: where ETags are no more than opaque, new metadata may change them.
    """
    return StoreUnavailableError(f"{ref} changed while it was read, and is read again.")
