"""What crosses the emulator's edge: requests, replies and refusals. No socket is known here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Literal
from urllib.parse import parse_qsl, unquote

JSON_TYPE = "application/json; charset=utf-8"

Breakage = Literal["hang", "reset", "truncate", "drip"]
"""How the server breaks the connection: no answer, a TCP reset, half a body, or a trickle."""


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. `path` is still percent-encoded; header names are lower case."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] | None = None
    body: bytes = b""

    @classmethod
    def to(cls, method: str, target: str, *, key: str | None = None, payload: object = None) -> Request:
        """Build what a client would send to `target`, a path with or without a query."""
        path, _, query = target.partition("?")
        headers = {"content-type": "application/json"}
        if key is not None:
            headers["authorization"] = f"ApiKey {key}"
        body = b"" if payload is None else json.dumps(payload).encode()
        return cls(method, path, tuple(parse_qsl(query, keep_blank_values=True)), headers, body)

    def header(self, name: str) -> str:
        """Return a header's value, or nothing; `name` is lower case."""
        return (self.headers or {}).get(name, "")

    @property
    def segments(self) -> tuple[str, ...]:
        """The path's parts, decoded one by one, so that an encoded slash stays inside its part."""
        return tuple(unquote(part) for part in self.path.split("/") if part)


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP answer; with `breakage` the server breaks the connection instead of finishing it.

    `seconds` is how long a hang or a drip lasts.
    """

    status: int
    headers: tuple[tuple[str, str], ...] = (("Content-Type", JSON_TYPE),)
    body: bytes = b""
    breakage: Breakage | None = None
    seconds: float = 0.0

    def json(self) -> Any:  # noqa: ANN401 - whatever JSON holds
        """Return the body, parsed."""
        return json.loads(self.body)


def json_reply(
    payload: object, status: int = HTTPStatus.OK, headers: tuple[tuple[str, str], ...] = ()
) -> Reply:
    """Answer with JSON."""
    body = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    return Reply(int(status), (("Content-Type", JSON_TYPE), *headers), body)


class RefusalError(Exception):
    """The emulated Darwin says no: a status and the `errors` object of the body.

    The envelope `{"errors": {"code": ...}}`, with messages beside it by field, is the one
    darwin-py reads.
    """

    def __init__(
        self,
        status: int,
        code: str,
        fields: dict[str, list[str]] | None = None,
        retry_after: str | None = None,
    ) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.fields = fields or {}
        self.retry_after = retry_after

    def reply(self) -> Reply:
        """Return the refusal as an HTTP answer."""
        headers = () if self.retry_after is None else (("Retry-After", self.retry_after),)
        return json_reply({"errors": {"code": self.code, **self.fields}}, self.status, headers)


def not_authenticated() -> RefusalError:
    """Refuse a key that is absent, unknown or lacks the permission: V7 answers all three alike."""
    return RefusalError(HTTPStatus.UNAUTHORIZED, "NOT_AUTHENTICATED")


def not_found(what: str) -> RefusalError:
    """Refuse a name that leads nowhere: team, dataset, storage or item."""
    return RefusalError(HTTPStatus.NOT_FOUND, "NOT_FOUND", {"detail": [f"{what} not found"]})


def invalid(field: str, message: str) -> RefusalError:
    """Refuse a whole request, because one field of it breaks a rule."""
    return RefusalError(HTTPStatus.UNPROCESSABLE_ENTITY, "INVALID_REQUEST", {field: [message]})
