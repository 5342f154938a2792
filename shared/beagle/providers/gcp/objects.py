"""Cloud Storage by its JSON API, for the legal names that obstore cannot address: `a//b`, `a/../b`."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from urllib3.exceptions import HTTPError

from beagle.domain.errors import ObjectGoneError, StoreUnavailableError, SupersededError
from beagle.domain.events import ObjectRef
from beagle.providers.gcp.rest import Google, GoogleError
from beagle.providers.objects import overwritten
from beagle.providers.pieces import write_pieces

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import requests

    from beagle.domain.events import ObjectCreated
    from beagle.ports import Deadline

_CHUNK = 8 * 1024 * 1024
_GONE, _CHANGED = 404, 412


@dataclass(frozen=True, slots=True)
class CloudStorageReader:
    """One generation of one object."""

    google: Google
    ref: ObjectRef
    generation: str
    size: int

    def read(self, start: int, length: int) -> bytes:
        """Return a range; shorter only at the object's end."""
        end = min(start + length, self.size) - 1
        if end < start:
            return b""
        with _reading(self.ref), self._get({"Range": f"bytes={start}-{end}"}) as answer:
            data: bytes = answer.raw.read(decode_content=False)
            return data

    def download(self, to: Path, deadline: Deadline | None = None) -> None:
        """Write the whole object into a new file, piece by piece."""
        with _reading(self.ref), self._get({}) as answer:
            write_pieces(answer.raw.stream(_CHUNK, decode_content=False), to, self.size, deadline)

    def _get(self, headers: dict[str, str]) -> requests.Response:
        try:
            return self.google.ask(
                "GET",
                _address(self.google, self.ref),
                params={"alt": "media", "ifGenerationMatch": self.generation},
                # The bytes as they are kept: nothing is unpacked on the way, there or here.
                headers={"Accept-Encoding": "gzip", **headers},
                stream=True,
            )
        except GoogleError as error:
            raise _translated(error, self.ref) from error


def open_odd(google: Google, event: ObjectCreated) -> CloudStorageReader:
    """Return a reader of exactly the generation that an event announced.

    Raises:
        ObjectGoneError: The object is not there any more.
        SupersededError: It has another generation by now.
        StoreUnavailableError: Cloud Storage did not answer.

    """
    ref = event.ref
    try:
        found = google.ask("GET", _address(google, ref), params={"fields": "generation,size"}).json()
    except GoogleError as error:
        raise _translated(error, ref) from error
    if found["generation"] != event.content:
        raise SupersededError(
            f"{ref} has a new generation ({found['generation']}), which an event of its own announces."
        )
    return CloudStorageReader(google, ref, event.content, int(found["size"]))


@contextmanager
def _reading(ref: ObjectRef) -> Iterator[None]:
    try:
        yield
    except HTTPError as error:
        raise StoreUnavailableError(f"Cloud Storage broke off {ref}: {type(error).__name__}.") from error


def _address(google: Google, ref: ObjectRef) -> str:
    return google.url("storage", f"storage/v1/b/{quote(ref.bucket, safe='')}/o/{quote(ref.key, safe='')}")


def _translated(error: GoogleError, ref: ObjectRef) -> ObjectGoneError | StoreUnavailableError:
    if error.status == _GONE:
        return ObjectGoneError(f"{ref} is not there any more.")
    if error.status == _CHANGED:
        return overwritten(ref)
    return StoreUnavailableError(f"Cloud Storage did not give {ref}: {error}.")
