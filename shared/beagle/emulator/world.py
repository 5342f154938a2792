"""The state of the emulated Darwin: teams, datasets, storages, items and what happened lately.

Every method takes the one lock; hooks are never called from here, so nothing slow holds it.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import replace
from threading import RLock
from typing import TYPE_CHECKING, Any

from .records import ApiKey, Blocked, Dataset, Item, Served, Storage, slugify
from .wire import invalid, not_found

if TYPE_CHECKING:
    from collections.abc import Iterable

KEPT_REQUESTS = 50_000
KEPT_BLOCKED = 10_000


class World:
    """All that is known, behind one lock. `revision` grows with every change."""

    def __init__(self) -> None:
        self.lock = RLock()
        self.revision = 0
        # Grows when something disappears: a page that followed the revisions starts again.
        self.epoch = 0
        self.teams: list[str] = []
        self.keys: dict[str, ApiKey] = {}
        self.datasets: dict[int, Dataset] = {}
        self.storages: dict[tuple[str, str], Storage] = {}
        self.tag_classes: set[tuple[str, str]] = set()
        self.items: dict[str, Item] = {}
        self.blocked: deque[Blocked] = deque(maxlen=KEPT_BLOCKED)
        self.served: deque[Served] = deque(maxlen=KEPT_REQUESTS)
        self.unsettled: deque[str] = deque()
        self._by_place: dict[tuple[int, str, str], str] = {}
        self._changed: OrderedDict[str, int] = OrderedDict()

    def bump(self) -> int:
        """Count one change."""
        with self.lock:
            self.revision += 1
            return self.revision

    # Set-up

    def add_team(self, slug: str) -> None:
        """Add a team; adding it twice is harmless."""
        with self.lock:
            if slug not in self.teams:
                self.teams.append(slug)
                self.bump()

    def add_dataset(self, team: str, name: str, slug: str | None = None) -> Dataset:
        """Add a dataset; its name and slug are unique in the team."""
        with self.lock:
            slug = slug or slugify(name)
            if any(d.team == team and (d.slug == slug or d.name == name) for d in self.datasets.values()):
                # The one field error darwin-py knows by its text.
                raise invalid("name", "has already been taken")
            dataset = Dataset(id=len(self.datasets) + 1, name=name, slug=slug, team=team)
            self.datasets[dataset.id] = dataset
            self.bump()
            return dataset

    def put_dataset(self, dataset: Dataset) -> None:
        """Replace a dataset by its changed self."""
        with self.lock:
            self.datasets[dataset.id] = dataset
            self.bump()

    def add_storage(self, storage: Storage) -> Storage:
        """Add a storage integration, or replace the one of that name; the first is the default."""
        with self.lock:
            first = not any(known.team == storage.team for known in self.storages.values())
            storage = replace(storage, default=storage.default or first)
            self.storages[storage.team, storage.name] = storage
            self.bump()
            return storage

    # Look-ups

    def dataset(self, team: str, slug: str) -> Dataset:
        """Find a dataset by its slug; an archived one is not found."""
        with self.lock:
            for dataset in self.datasets.values():
                if (dataset.team, dataset.slug) == (team, slug) and not dataset.archived:
                    return dataset
        raise not_found("dataset")

    def storage(self, team: str, name: str) -> Storage:
        """Find a storage integration by its name."""
        with self.lock:
            if (team, name) in self.storages:
                return self.storages[team, name]
        raise not_found("storage")

    def item_at(self, dataset_id: int, path: str, name: str) -> Item | None:
        """Return the item that has this place."""
        with self.lock:
            item_id = self._by_place.get((dataset_id, path, name))
            return None if item_id is None else self.items[item_id]

    def all_items(self) -> list[Item]:
        """List every item, oldest first."""
        with self.lock:
            return list(self.items.values())

    # Changes

    def put_item(self, item: Item) -> None:
        """Add an item, or replace it by its changed self."""
        with self.lock:
            known = self.items.get(item.id)
            if known is not None:
                self._by_place.pop((known.dataset_id, known.path, known.name), None)
            self.items[item.id] = item
            self._by_place[item.dataset_id, item.path, item.name] = item.id
            self._changed[item.id] = self.bump()
            self._changed.move_to_end(item.id)

    def change_items(self, items: Iterable[Item], **changes: Any) -> int:  # noqa: ANN401 - field values
        """Change fields of items that still exist; return how many."""
        with self.lock:
            present = [self.items[item.id] for item in items if item.id in self.items]
            for item in present:
                self.put_item(replace(item, **changes))
            return len(present)

    def remove_items(self, items: Iterable[Item]) -> int:
        """Forget items; return how many there were."""
        with self.lock:
            present = [self.items.pop(item.id) for item in items if item.id in self.items]
            for item in present:
                self._by_place.pop((item.dataset_id, item.path, item.name), None)
                self._changed.pop(item.id, None)
            if present:
                self.epoch += 1
                self.bump()
            return len(present)

    def forget_all(self) -> None:
        """Forget items, refusals and requests; teams, keys, datasets and storages stay."""
        with self.lock:
            self.remove_items(self.all_items())
            self.blocked.clear()
            self.served.clear()
            self.unsettled.clear()
            self.epoch += 1
            self.bump()

    def changed_since(self, revision: int, limit: int) -> tuple[list[Item], int]:
        """List items changed after a revision, oldest change first, and the revision this reaches."""
        with self.lock:
            recent: list[tuple[int, str]] = []
            for item_id, changed in reversed(self._changed.items()):
                if changed <= revision:
                    break
                recent.append((changed, item_id))
            recent.reverse()
            if len(recent) <= limit:
                return [self.items[item_id] for _, item_id in recent], self.revision
            return [self.items[item_id] for _, item_id in recent[:limit]], recent[limit - 1][0]
