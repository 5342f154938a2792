"""Attempts that began and never ended, in the state bucket: one small JSON object a message."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import BaseError, NotFoundError

from beagle.domain.errors import LedgerUnavailableError
from beagle.domain.keys import derive_state_key
from beagle.ports import Trace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from obstore.store import ObjectStore


class StoreAttempts:
    """The traces of one stage's messages, below a prefix of its own; a lifecycle rule removes old ones."""

    def __init__(self, store: ObjectStore, stage: str, *, threads: int = 16) -> None:
        self._store = store
        self._stage = stage
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="attempts")

    def read(self, names: Sequence[str]) -> list[Trace]:
        """Return each message's trace, in order."""
        try:
            return list(self._pool.map(self._read, names))
        except (BaseError, OSError) as error:
            raise LedgerUnavailableError("The state bucket did not tell of earlier attempts.") from error

    def write(self, traces: Sequence[tuple[str, Trace]]) -> None:
        """Write down the traces of messages."""
        try:
            list(self._pool.map(self._write, traces))
        except (BaseError, OSError) as error:
            raise LedgerUnavailableError("The state bucket did not take note of attempts.") from error

    def _read(self, name: str) -> Trace:
        try:
            wire = json.loads(bytes(obstore.get(self._store, self._key(name)).bytes()))
            return Trace(unended=int(wire["unended"]), delivery=int(wire["delivery"]))
        except (NotFoundError, FileNotFoundError):
            return Trace()
        except (ValueError, TypeError, KeyError):
            return Trace()  # none of ours: counted from the start

    def _write(self, written: tuple[str, Trace]) -> None:
        name, trace = written
        data = json.dumps({"unended": trace.unended, "delivery": trace.delivery}).encode()
        obstore.put(self._store, self._key(name), data)

    def _key(self, name: str) -> str:
        return derive_state_key(f"attempts/{self._stage}", name) + ".json"
