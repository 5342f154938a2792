"""Blob Storage by its own SDK, for the legal names that obstore cannot address: `a//b`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from azure.core import MatchConditions
from azure.core.exceptions import AzureError, ResourceModifiedError, ResourceNotFoundError

from beagle.domain.errors import ObjectGoneError, StoreUnavailableError
from beagle.domain.events import ObjectRef
from beagle.providers.objects import overwritten, require_announced
from beagle.providers.pieces import write_pieces

if TYPE_CHECKING:
    from pathlib import Path

    from beagle.domain.events import ObjectCreated
    from beagle.ports import Deadline


@dataclass(frozen=True, slots=True)
class BlobReader:
    """One content of one blob."""

    client: Any  # azure.storage.blob's BlobClient: its SDK is imported where clients are made
    ref: ObjectRef
    size: int
    etag: str

    def read(self, start: int, length: int) -> bytes:
        """Return a range; shorter only at the blob's end."""
        length = min(length, self.size - start)
        if length <= 0:
            return b""
        try:
            return bytes(self._download(offset=start, length=length).readall())
        except AzureError as error:
            raise self._translated(error) from error

    def download(self, to: Path, deadline: Deadline | None = None) -> None:
        """Write the whole blob into a new file, piece by piece."""
        try:
            write_pieces(self._download().chunks(), to, self.size, deadline)
        except AzureError as error:
            raise self._translated(error) from error

    def _translated(self, error: AzureError) -> ObjectGoneError | StoreUnavailableError:
        if isinstance(error, ResourceModifiedError):
            try:  # what is gone does not meet the condition either
                self.client.get_blob_properties()
            except AzureError as now:
                return _translated(now, self.ref)
        return _translated(error, self.ref)

    def _download(self, **what: int) -> Any:  # noqa: ANN401 - the SDK's stream
        # As they are stored: a range of what is encoded cannot be decoded, and sizes are those of the blob.
        return self.client.download_blob(
            etag=self.etag, match_condition=MatchConditions.IfNotModified, decompress=False, **what
        )


def open_odd(service: Any, event: ObjectCreated) -> BlobReader:  # noqa: ANN401 - see `BlobReader`
    """Return a reader of exactly the content that an event announced.

    Raises:
        ObjectGoneError: The blob is not there any more.
        SupersededError: It is another by now; see `require_announced`.
        StoreUnavailableError: The account did not answer.

    """
    ref = event.ref
    client = service.get_blob_client(ref.bucket, ref.key)
    try:
        found = client.get_blob_properties()
    except AzureError as error:
        raise _translated(error, ref) from error
    etag, size = str(found.etag), int(found.size)
    require_announced(event, etag.strip('"'), None, size)
    return BlobReader(client, ref, size, etag)


def _translated(error: AzureError, ref: ObjectRef) -> ObjectGoneError | StoreUnavailableError:
    if isinstance(error, ResourceNotFoundError):
        return ObjectGoneError(f"{ref} is not there any more.")
    if isinstance(error, ResourceModifiedError):
        return overwritten(ref)
    return StoreUnavailableError(f"The account did not give {ref}: {type(error).__name__}.")
