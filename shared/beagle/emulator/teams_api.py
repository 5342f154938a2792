"""Who am I, and what does my team have: features, storages, datasets."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .wire import invalid, json_reply, not_found

if TYPE_CHECKING:
    from .records import Dataset
    from .routing import Call
    from .wire import Reply


def token_info(call: Call) -> Reply:
    """Name the team the key belongs to."""
    team = {"id": call.context.world.teams.index(call.team) + 1, "name": call.team, "slug": call.team}
    return json_reply({"selected_team": team})


def list_features(call: Call) -> Reply:
    """List the team's features, as darwin-py asks for them."""
    del call
    return json_reply(
        [{"name": "WORKFLOW_V2", "enabled": True}, {"name": "EXTERNAL_STORAGE", "enabled": True}]
    )


def list_storages(call: Call) -> Reply:
    """List the storage integrations; only those with a region tell one."""
    rows: list[dict[str, Any]] = []
    with call.context.world.lock:
        for storage in call.context.world.storages.values():
            if storage.team != call.team:
                continue
            row = {
                "name": storage.name,
                "prefix": storage.prefix,
                "readonly": storage.readonly,
                "provider": storage.provider,
                "default": storage.default,
                "bucket": storage.bucket,
            }
            rows.append(row if storage.region is None else {**row, "region": storage.region})
    return json_reply(rows)


def list_datasets(call: Call) -> Reply:
    """List the team's datasets, archived ones too."""
    world = call.context.world
    with world.lock:
        datasets = [dataset for dataset in world.datasets.values() if dataset.team == call.team]
        counts = Counter((item.dataset_id, _kind(item.slots[0].type)) for item in world.items.values())
    return json_reply([_dataset_row(dataset, counts) for dataset in datasets])


def get_dataset(call: Call) -> Reply:
    """Tell one dataset."""
    dataset = _dataset_by_id(call)
    counts = Counter(
        (item.dataset_id, _kind(item.slots[0].type))
        for item in call.context.world.all_items()
        if item.dataset_id == dataset.id
    )
    return json_reply(_dataset_row(dataset, counts))


def create_dataset(call: Call) -> Reply:
    """Create a dataset; a taken name is a 422 on the field `name`."""
    name = call.payload.get("name") if isinstance(call.payload, dict) else None
    if not isinstance(name, str) or not name.strip():
        raise invalid("name", "can't be blank")
    return json_reply(_dataset_row(call.context.world.add_dataset(call.team, name), Counter()), 201)


def archive_dataset(call: Call) -> Reply:
    """Archive a dataset; its slug is no longer found by registrations."""
    dataset = replace(_dataset_by_id(call), archived=True)
    call.context.world.put_dataset(dataset)
    return json_reply(_dataset_row(dataset, Counter()))


def _dataset_by_id(call: Call) -> Dataset:
    wanted = call.params["dataset_id"]
    dataset = call.context.world.datasets.get(int(wanted)) if wanted.isdecimal() else None
    if dataset is None or dataset.team != call.team:
        raise not_found("dataset")
    return dataset


def _kind(slot_type: str) -> str:
    return "images" if slot_type == "image" else "videos"


def _dataset_row(dataset: Dataset, counts: Counter[tuple[int, str]]) -> dict[str, Any]:
    images, videos = counts[dataset.id, "images"], counts[dataset.id, "videos"]
    return {
        "id": dataset.id,
        "name": dataset.name,
        "slug": dataset.slug,
        "team_slug": dataset.team,
        "num_items": images + videos,
        "num_images": images,
        "num_videos": videos,
        "progress": 0.0,
        "archived": dataset.archived,
        "workflow_ids": [],
    }
