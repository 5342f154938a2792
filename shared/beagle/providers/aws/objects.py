"""S3 by its own SDK, for the legal keys that obstore cannot address: `a//b`, `a/../b`, control characters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from beagle.domain.errors import ObjectGoneError, StoreUnavailableError
from beagle.domain.events import ObjectRef
from beagle.providers.objects import overwritten, require_announced
from beagle.providers.pieces import write_pieces

if TYPE_CHECKING:
    from pathlib import Path

    from beagle.domain.events import ObjectCreated
    from beagle.ports import Deadline

_CHUNK = 8 * 1024 * 1024
_GONE = {"404", "NoSuchKey", "NotFound"}
_CHANGED = {"412", "PreconditionFailed"}


@dataclass(frozen=True, slots=True)
class S3Reader:
    """One content of one object, through boto3."""

    client: Any  # boto3's clients are made at run time and have no types of their own
    ref: ObjectRef
    size: int
    etag: str

    def read(self, start: int, length: int) -> bytes:
        """Return a range; shorter only at the object's end."""
        end = min(start + length, self.size) - 1
        if end < start:
            return b""
        try:
            return bytes(self._get(Range=f"bytes={start}-{end}").read())
        except BotoCoreError as error:  # the stream broke off
            raise _translated(error, self.ref) from error

    def download(self, to: Path, deadline: Deadline | None = None) -> None:
        """Write the whole object into a new file, piece by piece."""
        try:
            write_pieces(self._get().iter_chunks(_CHUNK), to, self.size, deadline)
        except BotoCoreError as error:
            raise _translated(error, self.ref) from error

    def _get(self, **options: str) -> Any:  # noqa: ANN401 - botocore's stream
        try:
            answer = self.client.get_object(
                Bucket=self.ref.bucket, Key=self.ref.key, IfMatch=self.etag, **options
            )
        except (BotoCoreError, ClientError) as error:
            raise _translated(error, self.ref) from error
        return answer["Body"]


def open_odd(client: Any, event: ObjectCreated) -> S3Reader:  # noqa: ANN401 - see `S3Reader`
    """Return a reader of exactly the content that an event announced.

    Raises:
        ObjectGoneError: The object is not there any more.
        SupersededError: It has other content by now.
        StoreUnavailableError: S3 did not answer.

    """
    ref = event.ref
    try:
        head = client.head_object(Bucket=ref.bucket, Key=ref.key)
    except (BotoCoreError, ClientError) as error:
        raise _translated(error, ref) from error
    etag = str(head["ETag"])
    size = int(head["ContentLength"])
    require_announced(event, etag.strip('"'), head.get("VersionId"), size)
    return S3Reader(client, ref, size, etag)


def _translated(
    error: BotoCoreError | ClientError, ref: ObjectRef
) -> ObjectGoneError | StoreUnavailableError:
    code = str(error.response.get("Error", {}).get("Code")) if isinstance(error, ClientError) else ""
    if code in _GONE:
        return ObjectGoneError(f"{ref} is not there any more.")
    if code in _CHANGED:
        return overwritten(ref)
    return StoreUnavailableError(f"S3 did not give {ref}: {code or type(error).__name__}.")
