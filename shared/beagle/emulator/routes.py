"""The paths below `/api`, as V7's own clients call them."""

from __future__ import annotations

from . import items_api, register_api, teams_api
from .records import ADD_DATA, MANAGE_DATA, VIEW_DATA
from .routing import Route

ITEMS = "v2/teams/{team}/items"
FILES = "v2/teams/{team}/files/{slot_id}"

ROUTES = (
    Route("POST", f"{ITEMS}/register_existing", ADD_DATA, register_api.register_read_write, "read_write"),
    Route(
        "POST", f"{ITEMS}/register_existing_readonly", ADD_DATA, register_api.register_read_only, "read_only"
    ),
    Route("GET", "users/token_info", None, teams_api.token_info),
    Route("GET", "teams/{team}/features", VIEW_DATA, teams_api.list_features),
    Route("GET", "teams/{team}/storage", VIEW_DATA, teams_api.list_storages),
    Route("GET", "datasets", VIEW_DATA, teams_api.list_datasets),
    Route("POST", "datasets", MANAGE_DATA, teams_api.create_dataset),
    Route("GET", "datasets/{dataset_id}", VIEW_DATA, teams_api.get_dataset),
    Route("PUT", "datasets/{dataset_id}/archive", MANAGE_DATA, teams_api.archive_dataset),
    Route("GET", ITEMS, VIEW_DATA, items_api.list_items),
    Route("DELETE", ITEMS, MANAGE_DATA, items_api.delete_items),
    Route("GET", f"{ITEMS}/list_ids", VIEW_DATA, items_api.list_ids),
    Route("GET", f"{ITEMS}/ids", VIEW_DATA, items_api.list_ids),
    Route("GET", f"{ITEMS}/folders", VIEW_DATA, items_api.list_folders),
    Route("GET", f"{ITEMS}/general_counts", VIEW_DATA, items_api.count_items),
    Route("GET", f"{ITEMS}/status_counts", VIEW_DATA, items_api.count_by_status),
    Route("POST", f"{ITEMS}/archive", MANAGE_DATA, items_api.archive_items),
    Route("POST", f"{ITEMS}/restore", MANAGE_DATA, items_api.restore_items),
    Route("POST", f"{ITEMS}/path", MANAGE_DATA, items_api.move_items),
    Route("GET", f"{ITEMS}/{{item_id}}", VIEW_DATA, items_api.get_item),
    Route("GET", "v2/teams/{team}/uploads/{slot_id}", VIEW_DATA, items_api.read_file),
    Route("GET", f"{FILES}/{{part}}", VIEW_DATA, items_api.read_file),
    Route("GET", f"{FILES}/{{part}}/{{number}}", VIEW_DATA, items_api.read_file),
)
