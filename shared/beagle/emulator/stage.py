"""The Python side of the emulated Darwin: setting the stage, looking at it, making it fail."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from .records import ALL_PERMISSIONS, ApiKey, Dataset, Item, Served, Slot, Storage, normalise_path
from .registration import default_layout
from .slots import infer_type

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .context import Context
    from .faults import Fault
    from .records import Blocked, Provider


class Stage:
    """What a test, a demo or the page does to the emulated Darwin from inside this process."""

    context: Context

    # The Python side: setting the stage

    def add_team(self, slug: str) -> str:
        """Add a team."""
        self.context.world.add_team(slug)
        return slug

    def add_key(
        self,
        permissions: Iterable[str] = ALL_PERMISSIONS,
        *,
        team: str | None = None,
        secret: str | None = None,
    ) -> str:
        """Add an API key and return it; one without any permission can still log in."""
        secret = secret or f"{uuid4().hex[:7]}.{uuid4().hex}"
        key = ApiKey(secret=secret, team=self._team(team), permissions=frozenset(permissions))
        self.context.world.keys[secret] = key
        return secret

    def revoke_key(self, secret: str) -> None:
        """Make a key unknown from now on."""
        self.context.world.keys.pop(secret, None)

    def add_dataset(self, name: str, slug: str | None = None, *, team: str | None = None) -> Dataset:
        """Add a dataset; without a slug it gets the one Darwin would derive."""
        return self.context.world.add_dataset(self._team(team), name, slug)

    def add_storage(  # noqa: PLR0913 - the integration's own fields
        self,
        name: str,
        provider: Provider = "aws",
        bucket: str | None = None,
        *,
        prefix: str = "",
        readonly: bool = False,
        region: str | None = None,
        team: str | None = None,
    ) -> Storage:
        """Add a storage integration, or replace the one of that name; the bucket is named as it is."""
        storage = Storage(
            name=name,
            provider=provider,
            bucket=name if bucket is None else bucket,
            prefix=prefix,
            readonly=readonly,
            region=region,
            team=self._team(team),
        )
        return self.context.world.add_storage(storage)

    def add_tag(self, name: str, *, team: str | None = None) -> None:
        """Make a tag class known, so that items may carry it."""
        self.context.world.tag_classes.add((self._team(team), name))

    def seed_item(  # noqa: PLR0913 - an item's own fields
        self,
        dataset: str,
        path: str,
        name: str,
        storage_key: str = "",
        *,
        storage: str = "elsewhere",
        size_bytes: int = 0,
        team: str | None = None,
    ) -> Item:
        """Put an item there as if someone else had registered it, past every rule."""
        world = self.context.world
        place = world.dataset(self._team(team), dataset)
        kind = infer_type((storage_key, name)) or "image"
        slots = (
            Slot(slot_name="0", file_name=name, type=kind, storage_key=storage_key, size_bytes=size_bytes),
        )
        item = Item(
            id=str(uuid4()),
            seq=world.bump(),
            dataset=place.slug,
            dataset_id=place.id,
            team=place.team,
            name=name,
            path=normalise_path(path),
            storage=storage,
            access="read_write",
            slots=slots,
            layout=default_layout(slots),
            accepted_at=self.context.clock(),
            inserted_at=self.context.wall(),
            updated_at=self.context.wall(),
        )
        world.put_item(item)
        return item

    def rename_item(self, item_id: str, *, name: str | None = None, path: str | None = None) -> Item:
        """Rename or move an item as someone in Darwin may at any time."""
        world = self.context.world
        with world.lock:
            item = world.items[item_id]
            world.change_items(
                [item],
                name=item.name if name is None else name,
                path=item.path if path is None else normalise_path(path),
            )
            return world.items[item_id]

    def remove_item(self, item_id: str) -> None:
        """Delete an item as someone in Darwin may at any time."""
        with self.context.world.lock:
            self.context.world.remove_items([self.context.world.items[item_id]])

    def reset(self) -> None:
        """Forget items, refusals, requests and faults; teams, keys, datasets and storages stay."""
        self.context.world.forget_all()
        self.context.script.clear()

    # The Python side: looking

    def items(self, dataset: str | None = None) -> list[Item]:
        """List what is registered, oldest first, each in the state the clock says it is in."""
        self.context.settle()
        return [item for item in self.context.world.all_items() if dataset in {None, item.dataset}]

    def blocked(self) -> list[Blocked]:
        """List what was blocked, oldest first."""
        with self.context.world.lock:
            return list(self.context.world.blocked)

    def requests(self) -> list[Served]:
        """List the requests to `/api` that were served, oldest first."""
        with self.context.world.lock:
            return list(self.context.world.served)

    # The Python side: faults

    def inject(self, *faults: Fault) -> None:
        """Append to the script: the first fault that fits a request happens to it."""
        self.context.script.add(*faults)

    def clear_faults(self) -> None:
        """Make everything go well again."""
        self.context.script.clear()

    def pending_faults(self) -> list[Fault]:
        """List the faults that have not happened yet."""
        return self.context.script.pending()

    def _team(self, team: str | None) -> str:
        if team is not None:
            self.context.world.add_team(team)
            return team
        return self.context.world.teams[0]
