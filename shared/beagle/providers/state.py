"""What Beagle remembers between invocations, in a bucket: the ledger, and groups that are not whole yet.

Object stores of all three providers create an object only if it is absent and replace it only if it is
unchanged; that is all a ledger needs. Keys are our own and plain, so obstore can address every one.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from secrets import token_hex
from typing import TYPE_CHECKING, TypeVar

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, NotFoundError, PreconditionError

from beagle.domain.errors import (
    LedgerConflictError,
    LedgerUnavailableError,
    NewerMessageError,
    ServiceError,
    UnparsableMessageError,
)
from beagle.domain.keys import derive_state_key
from beagle.messages import dump_entry, dump_item, load_entry, load_item, load_stamp
from beagle.ports import Kept, LedgerEntry

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from obstore.store import ObjectStore

    from beagle.domain.items import ItemId, ReadyItem

A = TypeVar("A")
R = TypeVar("R")


class StoreLedger:
    """A ledger of one small JSON object an item.

    Each write carries a stamp of its own. So no two versions of an entry ever have the same bytes, whose hash
    is what S3 compares; and a write that was refused because its own first try had been taken, while the
    answer was lost, is told from another worker's.
    """

    def __init__(self, store: ObjectStore, *, threads: int = 16) -> None:
        self._store = store
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="ledger") if threads > 1 else None

    def create(self, entries: Sequence[LedgerEntry]) -> list[Kept | ServiceError]:
        """Create each entry where its item has none; return what stands there now."""
        return self._all(self._create, entries)

    def replace(self, changes: Sequence[tuple[Kept, LedgerEntry]]) -> list[Kept | ServiceError]:
        """Write each entry over the one that was seen; `LedgerConflictError` where it has changed since."""
        return self._all(self._replace, changes)

    def read(self, items: Sequence[ItemId]) -> list[Kept | ServiceError | None]:
        """Return each item's entry, None where there is none."""
        return self._all(self._read, items)

    def _create(self, entry: LedgerEntry) -> Kept | ServiceError:
        stamp = token_hex(8)
        try:
            result = obstore.put(
                self._store, _ledger_key(entry.item), dump_entry(entry, stamp), mode="create"
            )
        except AlreadyExistsError:
            found, theirs = self._look(entry.item)
            if found is None:
                return LedgerConflictError("The entry vanished while it was read.")
            return replace(found, created=True) if theirs == stamp else found
        return Kept(entry, _version(result), created=True)

    def _replace(self, change: tuple[Kept, LedgerEntry]) -> Kept | ServiceError:
        kept, entry = change
        stamp = token_hex(8)
        try:
            result = obstore.put(
                self._store,
                _ledger_key(entry.item),
                dump_entry(entry, stamp),
                mode=kept.version,  # type: ignore[arg-type]  # what `_version` made
            )
        except (PreconditionError, AlreadyExistsError, NotFoundError) as error:
            found, theirs = self._look(entry.item)
            if found is not None and theirs == stamp:
                return found
            conflict = LedgerConflictError(f"Another worker changed the entry of {entry.item.name}.")
            conflict.__cause__ = error
            return conflict
        return Kept(entry, _version(result))

    def _read(self, item: ItemId) -> Kept | None:
        return self._look(item)[0]

    def _look(self, item: ItemId) -> tuple[Kept | None, str]:
        """Return the entry, and the stamp of the write that it comes from."""
        try:
            found = obstore.get(self._store, _ledger_key(item))
            data = bytes(found.bytes())
        except (NotFoundError, FileNotFoundError):
            return None, ""
        return Kept(load_entry(data), _version(found.meta)), load_stamp(data)

    def _all(self, one: Callable[[A], R], arguments: Sequence[A]) -> list[R | ServiceError]:
        if self._pool is None or len(arguments) < 2:  # noqa: PLR2004 - one needs no pool
            return [_guarded(one, argument) for argument in arguments]
        return list(self._pool.map(partial(_guarded, one), arguments))


class StoreGroupMembers:
    """One small JSON object for each object that waits for its group.

    Every object of a group looks at all of them, so what has been read of the latest groups is kept: a series
    of thousands would otherwise be read thousands of times. A list tells what has changed.
    """

    def __init__(self, store: ObjectStore, *, threads: int = 16, groups: int = 16) -> None:
        self._store = store
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="groups")
        self._groups = groups
        self._lock = threading.Lock()
        self._latest: dict[str, dict[tuple[str, str], ReadyItem]] = {}

    def add(self, group: str, ready: ReadyItem) -> None:
        """Remember one object of a group."""
        folder = _group_folder(group, ready.item.id)
        key = f"{folder}/{derive_state_key('member', ready.event.ref.key)}.json"
        try:
            obstore.put(self._store, key, dump_item(ready).encode())
        except (BaseError, OSError) as error:
            raise LedgerUnavailableError("The state bucket did not take a group's member.") from error

    def members(self, group: str, item: ItemId) -> list[ReadyItem]:
        """Return all objects of a group that were added."""
        try:
            folder = _group_folder(group, item)
            listed = [meta for page in self._store.list(folder) for meta in page]
            there = [
                (meta["path"], meta["e_tag"] or meta["version"] or str(meta["last_modified"]))
                for meta in listed
            ]
            known = self._latest.get(folder, {})
            new = [named for named in there if named not in known]
            read = dict(zip(new, self._pool.map(self._read, (path for path, _ in new)), strict=True))
        except (BaseError, OSError) as error:
            raise LedgerUnavailableError("The state bucket did not list a group.") from error
        except UnparsableMessageError as error:
            raise LedgerUnavailableError(f"A group's member cannot be read: {error}") from error
        found = {named: read[named] if named in read else known[named] for named in there}
        with self._lock:
            self._latest.pop(folder, None)
            self._latest[folder] = found
            if len(self._latest) > self._groups:
                del self._latest[next(iter(self._latest))]
        return list(found.values())

    def _read(self, path: str) -> ReadyItem:
        return load_item(bytes(obstore.get(self._store, path).bytes()).decode(errors="replace"))


def _ledger_key(item: ItemId) -> str:
    return derive_state_key("ledger", item.team, item.dataset, item.path, item.name) + ".json"


def _group_folder(group: str, item: ItemId) -> str:
    return derive_state_key("groups", group, item.team, item.dataset, item.path, item.name)


def _version(result: object) -> dict[str, str]:
    """Return what a conditional put must name: the etag, and the generation where there is one."""
    named = {name: result.get(name) for name in ("e_tag", "version")}  # type: ignore[attr-defined]  # a TypedDict
    return {name: value for name, value in named.items() if value}


def _guarded(one: Callable[[A], R], argument: A) -> R | ServiceError:
    try:
        return one(argument)
    except (BaseError, OSError) as error:
        trouble = LedgerUnavailableError(f"The state bucket did not answer: {type(error).__name__}.")
        trouble.__cause__ = error
        return trouble
    except (UnparsableMessageError, NewerMessageError) as error:
        trouble = LedgerUnavailableError(f"A ledger entry cannot be read: {error}")
        trouble.__cause__ = error
        return trouble
