"""Large messages and finished parts, in the state bucket: plain JSON under keys of our own."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import obstore
from obstore.exceptions import BaseError

from beagle.domain.errors import LedgerUnavailableError
from beagle.domain.keys import derive_state_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from obstore.store import ObjectStore


class StoreParcels:
    """One object for each message that is too large for a queue; a lifecycle rule may remove old ones."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def keep(self, body: str) -> str:
        """Return the key under which the message lies now; the same message lies there once."""
        data = body.encode()
        key = derive_state_key("parcels", hashlib.sha256(data).hexdigest()) + ".json"
        try:
            obstore.put(self._store, key, data)
        except (BaseError, OSError) as error:
            raise LedgerUnavailableError("The state bucket did not take a large message.") from error
        return key

    def fetch(self, key: str) -> str:
        """Return a message."""
        try:
            return bytes(obstore.get(self._store, key).bytes()).decode()
        except (BaseError, OSError, UnicodeDecodeError) as error:
            raise LedgerUnavailableError(f"The state bucket did not give the message {key}.") from error


class StorePartResults:
    """One object for each finished part of a video, or each attempt at a series."""

    def __init__(self, store: ObjectStore, kind: str = "parts") -> None:
        self._store = store
        self._kind = kind

    def keep(self, video: Sequence[str], number: int, result: dict[str, Any]) -> None:
        """Remember one part's result; the same again replaces itself."""
        data = json.dumps(result, separators=(",", ":")).encode()
        try:
            obstore.put(self._store, f"{self._folder(video)}/{number:06d}.json", data)
        except (BaseError, OSError) as error:
            raise LedgerUnavailableError("The state bucket did not take a part's result.") from error

    def kept(self, video: Sequence[str]) -> list[dict[str, Any]]:
        """Return the results that are there, in the order of the parts."""
        try:
            paths = [meta["path"] for page in self._store.list(self._folder(video)) for meta in page]
            return [json.loads(bytes(obstore.get(self._store, path).bytes())) for path in sorted(paths)]
        except (BaseError, OSError, ValueError) as error:
            raise LedgerUnavailableError("The state bucket did not list a video's parts.") from error

    def _folder(self, video: Sequence[str]) -> str:
        return derive_state_key(self._kind, *video)
