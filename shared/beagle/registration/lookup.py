"""Looking at what stands in Darwin under a name."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from beagle.domain.answers import Standing
from beagle.domain.errors import (
    DarwinAmbiguousError,
    DarwinError,
    DarwinNotAskedError,
    DarwinNotFoundError,
)
from beagle.domain.keys import derive_likeness
from beagle.registration.batching import fitting
from beagle.registration.pacing import PASSING, Pacer
from beagle.registration.protocol import place_of, trouble_of
from beagle.registration.reading import entries, load, text_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from beagle.domain.items import ItemId
    from beagle.ports import Clock, Deadline
    from beagle.registration.client import DarwinClient

LONGEST_LOOK = 10.0
"""Seconds that one answer may take; the turn to ask comes when it comes."""

LONGEST_QUERY = 4_000
"""Characters of a URL, as servers and what stands before them take it without doubt."""
ROOM_FOR_FIELDS = 40


def quoted(slug: str) -> str:
    """Return a slug as one segment of a URL's path, whatever it holds."""
    return quote(slug, safe="")


class Lookup:
    """Finds items by path and name. Datasets' ids, which the list of items wants, are remembered."""

    def __init__(self, client: DarwinClient, pacer: Pacer, clock: Clock) -> None:
        self._client = client
        self._pacer = pacer
        self._clock = clock
        self._datasets: dict[tuple[str, str], str] = {}

    def find(self, item: ItemId, deadline: Deadline) -> Standing | None:
        """Return the item that stands there, None where there is none.

        Raises:
            DarwinError: It cannot be told.

        """
        query: dict[str, str | list[str]] = {"item_names[]": item.name, "item_paths[]": _path(item)}
        document = self._list([item], query, deadline)
        place, likeness = place_of(item.path, item.name), derive_likeness(item.path, item.name)
        listed = [(named, entry) for entry in entries(document["items"]) if (named := _place(entry))]
        # What is listed under another form of the name is what Darwin takes the name for.
        same = [entry for named, entry in listed if named == place]
        alike = [entry for named, entry in listed if derive_likeness(*named) == likeness]
        if found := same or alike:
            return _standing(found[0])
        page = document.get("page")
        if isinstance(page, dict) and page.get("next"):
            raise DarwinError("Darwin lists other items than it was asked for.")
        return None

    def find_many(self, items: Sequence[ItemId], deadline: Deadline) -> tuple[int, dict[ItemId, Standing]]:
        """Ask for one list of the first items, as many as fit; return how many, and what it shows of them.

        Raises:
            DarwinError: There is no such list.

        """
        asked = items[: _fitting(items)]
        names = [item.name for item in asked]
        paths = list(dict.fromkeys(_path(item) for item in asked))
        query: dict[str, str | list[str]] = {"item_names[]": names, "item_paths[]": paths}
        document = self._list(asked, {**query, "page[size]": "500"}, deadline)
        listed = {named: entry for entry in entries(document["items"]) if (named := _place(entry))}
        places = ((item, listed.get(place_of(item.path, item.name))) for item in asked)
        return len(asked), {item: _standing(entry) for item, entry in places if entry}

    def _list(
        self, items: Sequence[ItemId], query: Mapping[str, str | list[str]], deadline: Deadline
    ) -> dict[str, Any]:
        """Return Darwin's list of items of one dataset, filtered."""
        some = items[0]
        query = {"dataset_ids[]": self._dataset_id(some, deadline), **query}
        try:
            document = self._get(f"/api/v2/teams/{quoted(some.team)}/items", query, deadline)
        except DarwinNotAskedError:
            raise  # it says nothing of the dataset, whose id would cost each look a turn of its own
        except DarwinError:
            self._datasets.pop((some.team, some.dataset), None)
            raise
        if not isinstance(document, dict) or not isinstance(document.get("items"), list):
            raise DarwinError("Darwin's list of items is not readable.")
        return document

    def _dataset_id(self, item: ItemId, deadline: Deadline) -> str:
        place = (item.team, item.dataset)
        if place not in self._datasets:
            for entry in entries(self._get("/api/datasets", {}, deadline)):
                slugs = (entry.get("team_slug") or item.team, entry.get("slug"))
                if slugs == place and text_of(entry.get("id")):
                    self._datasets[place] = text_of(entry.get("id"))
        if place not in self._datasets:
            raise DarwinNotFoundError(
                f"The API key sees no dataset {item.dataset!r} in the team {item.team!r}."
            )
        return self._datasets[place]

    def _get(self, path: str, query: Mapping[str, str | list[str]], deadline: Deadline) -> Any:  # noqa: ANN401 - JSON
        wait = self._pacer.wait_turn(deadline, needs=LONGEST_LOOK)
        if wait is not None:
            raise DarwinNotAskedError("No turn comes in time to look.", retry_after=wait)
        try:
            reply = self._client.get(path, query, _Limit(self._clock, LONGEST_LOOK))
            if reply.status // 100 != 2:  # noqa: PLR2004 - any success
                raise trouble_of(reply)
            if reply.cut_short:
                raise DarwinAmbiguousError("Darwin's answer broke off.")
        except PASSING as error:
            self._pacer.went_wrong(error)
            raise
        except DarwinError:
            # A key that may not look may well register: that holds nothing back.
            self._pacer.went_well()
            raise
        self._pacer.went_well()
        return load(reply.body)


def _path(item: ItemId) -> str:
    return place_of(item.path, item.name)[0]


def _fitting(items: Sequence[ItemId]) -> int:
    sizes, paths = [], set[str]()
    for item in items:
        sizes.append(len(quoted(item.name)) + ROOM_FOR_FIELDS)
        if item.path not in paths:  # each is told once
            paths.add(item.path)
            sizes[-1] += len(quoted(item.path))
    return fitting(sizes, 0, most_items=len(items), most_bytes=LONGEST_QUERY)


def _place(entry: Mapping[str, Any]) -> tuple[str, str] | None:
    path, name = entry.get("path"), entry.get("name")
    return place_of(path, name) if isinstance(path, str) and isinstance(name, str) else None


def _standing(entry: Mapping[str, Any]) -> Standing:
    slots = entries(entry.get("slots"))
    return Standing(
        item_id=text_of(entry.get("id")),
        file_names=tuple(text_of(slot.get("file_name")) for slot in slots),
        sizes=tuple(_size(slot.get("size_bytes")) for slot in slots),
        inserted_at=_moment(entry.get("inserted_at")),
    )


def _moment(value: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return moment.replace(tzinfo=moment.tzinfo or UTC) if moment else None


def _size(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


class _Limit:
    """A deadline from now."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock = clock
        self._end = clock.monotonic() + seconds

    def remaining(self) -> float:
        """Return the seconds left."""
        return self._end - self._clock.monotonic()
