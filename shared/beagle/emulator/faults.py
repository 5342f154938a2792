"""What can go wrong at Darwin's end, as a script: the first fault that fits a request happens to it."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from email.utils import formatdate
from typing import TYPE_CHECKING, Annotated, Any, Literal
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field

from .wire import JSON_TYPE, Reply, json_reply

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

Kind = Literal[
    "status",
    "hang",
    "reset",
    "reset_mid_body",
    "truncated_json",
    "html",
    "empty",
    "missing_item",
    "extra_item",
    "in_both_lists",
    "reordered",
    "block",
    "drip",
]
Endpoint = Literal["read_write", "read_only", "registration", "any"]

CODES = {
    302: "FOUND",
    400: "BAD_REQUEST",
    401: "NOT_AUTHENTICATED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    413: "REQUEST_ENTITY_TOO_LARGE",
    422: "INVALID_REQUEST",
    429: "RATE_LIMIT_EXCEEDED",
}
HTML_TYPE = "text/html; charset=utf-8"
HTML_PAGE = b"<html><head><title>502 Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>"
OK = 200


class Fault(BaseModel):
    """One fault, and the requests it happens to.

    `when` says whether Darwin had registered the items before it went wrong. Kinds that twist an
    answer always come after. `count` is how many requests are hit (none: until cleared), after
    `skip` that fit and are let pass. `match` is a part of an item's name or storage key: a request
    fits when one of its items does, and the kinds about single items touch only those.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Kind
    endpoint: Endpoint = "registration"
    match: str = ""
    count: Annotated[int, Field(ge=1)] | None = 1
    skip: Annotated[int, Field(ge=0)] = 0
    when: Literal["before", "after"] = "before"
    status: Annotated[int, Field(ge=100, le=599)] | None = None
    code: str | None = None
    # Any text at all, since a client must live with it; `retry_after_date` is seconds from now,
    # sent as an HTTP date.
    retry_after: str | None = None
    retry_after_date: float | None = None
    location: str = "http://127.0.0.1:9/elsewhere"
    reason: str = "UNEXPECTED_ERROR"
    seconds: Annotated[float, Field(ge=0, le=600)] = 30.0

    @property
    def label(self) -> str:
        """The fault in a word, for the request log."""
        detail = str(self.status) if self.kind == "status" else ""
        after = "after commit" if self.when == "after" and not self.twists else ""
        return " ".join(part for part in (self.kind, detail, after) if part)

    @property
    def twists(self) -> bool:
        """Whether the request is carried out and its answer changed."""
        return self.kind not in {"status", "hang", "reset", "html"}

    @property
    def commits(self) -> bool:
        """Whether the items are registered all the same."""
        return self.twists or self.when == "after"

    def concerns(self, item: Sequence[str]) -> bool:
        """Whether one item, given as its name and storage keys, is meant."""
        return any(self.match in text for text in item)


def describe_items(payload: object) -> list[tuple[str, ...]]:
    """Read the name and the storage keys of each item of a body, however wrong it is otherwise."""
    items = payload.get("items") if isinstance(payload, dict) else None
    described: list[tuple[str, ...]] = []
    for item in items if isinstance(items, list) else ():
        if isinstance(item, dict):
            slots = item.get("slots")
            files = (
                [item, *(slot for slot in slots if isinstance(slot, dict))]
                if isinstance(slots, list)
                else [item]
            )
            described.append(
                (str(item.get("name")), *(str(f["storage_key"]) for f in files if "storage_key" in f))
            )
    return described


class Script:
    """The faults that are still to come, in order. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def add(self, *faults: Fault) -> None:
        """Append faults."""
        with self._lock:
            self._faults.extend(faults)

    def clear(self) -> None:
        """Drop what has not happened yet."""
        with self._lock:
            self._faults.clear()

    def pending(self) -> list[Fault]:
        """List what has not happened yet."""
        with self._lock:
            return list(self._faults)

    def take(self, endpoint: str, items: Sequence[Sequence[str]]) -> Fault | None:
        """Return the fault that happens to this request, and count it."""
        with self._lock:
            for index, fault in enumerate(self._faults):
                if not _reaches(fault.endpoint, endpoint):
                    continue
                if fault.match and not any(fault.concerns(item) for item in items):
                    continue
                if fault.skip:
                    self._faults[index] = fault.model_copy(update={"skip": fault.skip - 1})
                    continue
                if fault.count is not None:
                    left = fault.count - 1
                    self._faults[index : index + 1] = (
                        [fault.model_copy(update={"count": left})] if left else []
                    )
                return fault
        return None


def _reaches(wanted: Endpoint, endpoint: str) -> bool:
    if wanted == "any":
        return True
    return endpoint == wanted or (wanted == "registration" and endpoint in {"read_write", "read_only"})


def broken_reply(fault: Fault, wall: Callable[[], float]) -> Reply:
    """Return what the client sees of a fault that replaces the answer."""
    if fault.kind == "hang":
        return Reply(504, breakage="hang", seconds=fault.seconds)
    if fault.kind == "reset":
        return Reply(502, breakage="reset")
    if fault.kind == "html":
        return Reply(fault.status or 502, (("Content-Type", HTML_TYPE),), HTML_PAGE)
    headers: list[tuple[str, str]] = []
    if fault.retry_after is not None:
        headers.append(("Retry-After", fault.retry_after))
    elif fault.retry_after_date is not None:
        headers.append(("Retry-After", formatdate(wall() + fault.retry_after_date, usegmt=True)))
    status = fault.status or 500
    if status // 100 == 3:  # noqa: PLR2004 - redirects
        headers.append(("Location", fault.location))
    code = fault.code or CODES.get(status, "INTERNAL_SERVER_ERROR")
    return json_reply({"errors": {"code": code}}, status, tuple(headers))


def twisted_reply(fault: Fault, reply: Reply, concerned: Collection[str]) -> Reply:
    """Return the true answer as this fault lets it arrive; `concerned` are the names of the items meant."""
    if fault.kind == "drip":
        return replace(reply, breakage="drip", seconds=fault.seconds)
    if fault.kind == "reset_mid_body":
        return replace(reply, breakage="truncate")
    if fault.kind == "empty":
        return replace(reply, body=b"")
    if fault.kind == "truncated_json":
        return replace(reply, body=reply.body[: len(reply.body) // 2])
    if reply.status != OK or fault.kind == "block":
        return reply
    answer = json.loads(reply.body)
    if isinstance(answer, dict) and isinstance(answer.get("items"), list):
        _twist_lists(fault, answer, concerned)
    body = json.dumps(answer).encode()
    return Reply(OK, (("Content-Type", JSON_TYPE),), body)


def _twist_lists(fault: Fault, answer: dict[str, Any], concerned: Collection[str]) -> None:
    items: list[dict[str, Any]] = answer["items"]
    blocked: list[dict[str, Any]] = answer.setdefault("blocked_items", [])
    chosen = next((item for item in items if item["name"] in concerned), None)
    if fault.kind == "reordered":
        items.reverse()
        blocked.reverse()
    elif fault.kind == "extra_item":
        items.append({"id": str(uuid4()), "name": "never-sent.jpg", "path": "/", "slots": []})
    elif chosen is not None and fault.kind == "missing_item":
        items.remove(chosen)
    elif chosen is not None and fault.kind == "in_both_lists":
        slots = [{**slot, "reason": fault.reason} for slot in chosen["slots"]]
        blocked.append({**chosen, "slots": slots})
