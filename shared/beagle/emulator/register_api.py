"""The two registration endpoints: check, then block or accept item by item."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from .context import Context
from .pictures import THUMBNAIL
from .records import Access, Blocked, Dataset, Item, Storage, normalise_path
from .registration import block_reason, check_body, check_storage, default_layout, parse_body
from .routing import ForcedReason
from .schemas import ReadWriteBody
from .slots import build_slots, slot_echo
from .wire import json_reply

if TYPE_CHECKING:
    from .readonly_schemas import ReadOnlyBody
    from .records import Slot
    from .routing import Call
    from .schemas import ItemFields
    from .wire import Reply


def register_read_write(call: Call) -> Reply:
    """Register files in storage that Darwin may write to: it makes thumbnails and frames itself."""
    return _register(call, "read_write")


def register_read_only(call: Call) -> Reply:
    """Register files in storage that Darwin only reads: nothing is processed, items are ready at once."""
    return _register(call, "read_only")


def _register(call: Call, access: Access) -> Reply:
    context = call.context
    body = parse_body(call.payload, access)
    call.tally.items = len(body.items)
    dataset = context.world.dataset(call.team, body.dataset_slug)
    storage = context.world.storage(call.team, body.storage_slug)
    check_storage(storage, access)
    check_body(body, most_items=context.limits.items_per_request, readonly_dicom=context.readonly_dicom)

    registration = _Registration(context, access, dataset, storage, call.forced_reason)
    with context.world.lock:
        outcomes = [registration.decide(item, _options(body)) for item in body.items]
    for outcome in outcomes:
        if isinstance(outcome, Item) and access == "read_write":
            _write_back(context, storage, outcome)

    accepted = [_echo(outcome) for outcome in outcomes if isinstance(outcome, Item)]
    blocked = [outcome for outcome in outcomes if isinstance(outcome, dict)]
    call.tally.registered, call.tally.blocked = len(accepted), len(blocked)
    return json_reply({"items": accepted, "blocked_items": blocked})


@dataclass(frozen=True, slots=True)
class _Registration:
    """One request's way to its dataset."""

    context: Context
    access: Access
    dataset: Dataset
    storage: Storage
    forced: ForcedReason

    def decide(self, wanted: ItemFields, options: dict[str, Any]) -> Item | dict[str, Any]:
        """Accept an item, or return what `blocked_items` says of it. The world's lock is held."""
        world = self.context.world
        slots = build_slots(wanted)
        path = normalise_path(wanted.path)
        keys = tuple(slot.storage_key for slot in slots)
        reason = block_reason(
            taken=world.item_at(self.dataset.id, path, wanted.name) is not None,
            tags=frozenset(wanted.tags or ()).union(*(slot.tags for slot in slots)),
            known_tag=lambda tag: (self.dataset.team, tag) in world.tag_classes,
            forced=self.forced(wanted.name, keys),
        )
        if reason is not None:
            self._remember(wanted.name, path, keys, tuple(reason for _ in slots))
            # Darwin's replies may give a blocked item an id too; it leads nowhere.
            return {
                "id": str(uuid4()),
                "name": wanted.name,
                "path": path,
                "slots": [slot_echo(slot, reason) for slot in slots],
            }
        return self._accept(wanted, path, slots, options)

    def _accept(
        self, wanted: ItemFields, path: str, slots: tuple[Slot, ...], options: dict[str, Any]
    ) -> Item:
        world = self.context.world
        payload = wanted.model_dump(mode="json", exclude_unset=True)
        now = self.context.wall()
        item = Item(
            id=str(uuid4()),
            seq=world.bump(),
            dataset=self.dataset.slug,
            dataset_id=self.dataset.id,
            team=self.dataset.team,
            name=wanted.name,
            path=path,
            storage=self.storage.name,
            access=self.access,
            slots=slots,
            layout=payload.get("layout") or default_layout(slots),
            tags=tuple(wanted.tags or ()),
            payload=payload,
            options=options,
            status="processing" if self.access == "read_write" else "complete",
            accepted_at=self.context.clock(),
            inserted_at=now,
            updated_at=now,
        )
        world.put_item(item)
        world.unsettled.append(item.id)
        return item

    def _remember(self, name: str, path: str, keys: tuple[str, ...], reasons: tuple[str, ...]) -> None:
        self.context.world.blocked.append(
            Blocked(
                seq=self.context.world.bump(),
                at=self.context.wall(),
                dataset=self.dataset.slug,
                name=name,
                path=path,
                storage_keys=keys,
                reasons=reasons,
            )
        )


def _echo(item: Item) -> dict[str, Any]:
    return {
        "id": item.id,
        "name": item.name,
        "path": item.path,
        "slots": [slot_echo(slot) for slot in item.slots],
    }


def _options(body: ReadWriteBody | ReadOnlyBody) -> dict[str, Any]:
    return body.options.model_dump(exclude_unset=True) if isinstance(body, ReadWriteBody) else {}


def _write_back(context: Context, storage: Storage, item: Item) -> None:
    """Put a thumbnail where Darwin would: below the storage's prefix, in the user's own bucket."""
    if context.hooks.write_back is None:
        return
    prefix = storage.prefix.strip("/")
    for slot in item.slots:
        name = f"{slot.storage_key}/uploads/{slot.upload_id}/thumbnails/000000000.jpg"
        key = f"{prefix}/{name}" if prefix else name
        context.hooks.write_back(*storage.locate(key), THUMBNAIL)
