"""Which items a query or a `filters` object means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .wire import RefusalError, invalid

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .records import Item

LISTS = {"dataset_ids", "item_ids", "item_names", "item_paths", "statuses", "slot_types"}
FLAGS = {
    "include_workflow_data",
    "include_thumbnails",
    "include_first_sections",
    "include_tags",
    "include_dicom_json",
}
MOST_A_PAGE = 500


class Filters(BaseModel):
    """All conditions hold together; within a list any value will do. An empty list is no condition."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    dataset_ids: list[int] = []
    item_ids: list[str] = []
    item_names: list[str] = []
    item_paths: list[str] = []
    statuses: list[str] = []
    slot_types: list[str] = []
    item_name_prefix: str = ""
    item_name_contains: str = ""
    item_path_prefix: str = ""

    def select(self, items: Iterable[Item], team: str) -> list[Item]:
        """Return the items of a team that fulfil every condition."""
        return [item for item in items if item.team == team and self._means(item)]

    def _means(self, item: Item) -> bool:
        return (
            _among(item.dataset_id, self.dataset_ids)
            and _among(item.id, self.item_ids)
            and _among(item.name, self.item_names)
            and _among(item.path, self.item_paths)
            and _among(item.shown_status, self.statuses)
            and (not self.slot_types or any(slot.type in self.slot_types for slot in item.slots))
            and item.name.startswith(self.item_name_prefix)
            and self.item_name_contains in item.name
            and item.path.startswith(self.item_path_prefix)
        )


class Query(Filters):
    """Filters as they stand in a URL, with a page: a cursor to start after, or an offset."""

    size: Annotated[int, Field(ge=1)] = MOST_A_PAGE
    start: str = ""
    offset: Annotated[int, Field(ge=0)] = 0


Model = TypeVar("Model", bound=Filters)


def parse_query(pairs: Iterable[tuple[str, str]]) -> Query:
    """Read a URL's filters. `item_names[]=a` repeats, `dataset_ids=1,2` splits at commas.

    Raises a 422 for a name it does not know: a mistyped filter would otherwise mean everything.
    """
    found: dict[str, Any] = {}
    for name, value in pairs:
        plain = name.removesuffix("[]")
        if plain in LISTS:
            found.setdefault(plain, []).extend([value] if name != plain else value.split(","))
        elif name in {"page[size]", "page[from]", "page[offset]"}:
            found[{"page[size]": "size", "page[from]": "start"}.get(name, "offset")] = value
        elif name in {"item_name_prefix", "item_name_contains", "item_path_prefix"}:
            found[name] = value
        elif name not in FLAGS and not name.startswith("sort["):
            raise invalid(name, "unexpected field")
    return _validated(Query, found)


def parse_filters(payload: object) -> Filters:
    """Read the `filters` of a body; a change without any condition is refused."""
    raw = payload.get("filters") if isinstance(payload, dict) else None
    if not isinstance(raw, dict) or not any(raw.values()):
        raise invalid("filters", "can't be blank")
    return _validated(Filters, raw)


def _validated(model: type[Model], raw: object) -> Model:
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        fields = {".".join(map(str, problem["loc"])): [problem["msg"]] for problem in error.errors()}
        raise RefusalError(422, "INVALID_REQUEST", fields) from None


def _among(value: object, wanted: list[Any]) -> bool:
    return not wanted or value in wanted
