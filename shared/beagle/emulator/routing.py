"""Which function answers which path, and with which permission."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .context import Context
from .wire import RefusalError, Reply, Request, not_authenticated, not_found

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .records import ApiKey

ForcedReason = Callable[[str, tuple[str, ...]], str | None]

COMPRESSION_HEADER = "x-darwin-payload-compression-version"
MOST_INFLATED = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request on its way: who calls, with what, on which path.

    `forced_reason` may give a reason to block an item, by its name and storage keys.
    """

    context: Context
    request: Request
    team: str
    params: dict[str, str]
    payload: Any
    tally: Tally
    forced_reason: ForcedReason


@dataclass(slots=True)
class Tally:
    """What a request was about, for the request log."""

    items: int = 0
    registered: int = 0
    blocked: int = 0
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """A method and a path; names in braces match one part. No permission: any valid key will do."""

    method: str
    path: str
    permission: str | None
    answer: Callable[[Call], Reply]
    endpoint: str = "side"

    def match(self, method: str, segments: tuple[str, ...]) -> dict[str, str] | None:
        """Return the named parts when this route is meant."""
        pattern = self.path.split("/")
        if method != self.method or len(pattern) != len(segments):
            return None
        params: dict[str, str] = {}
        for part, segment in zip(pattern, segments, strict=True):
            if part.startswith("{"):
                params[part[1:-1]] = segment
            elif part != segment:
                return None
        return params


def find_route(routes: Iterable[Route], request: Request) -> tuple[Route, dict[str, str]]:
    """Return the route of a request below `/api`. Raises a 404."""
    segments = request.segments
    if segments[:1] == ("api",):
        for route in routes:
            params = route.match(request.method, segments[1:])
            if params is not None:
                return route, params
    raise not_found("page")


def authenticate(keys: dict[str, ApiKey], request: Request, permission: str | None) -> ApiKey:
    """Return the caller's key. Raises the one 401 for a missing key and a missing permission alike."""
    scheme, _, secret = request.header("authorization").partition(" ")
    key = keys.get(secret)
    if scheme != "ApiKey" or key is None or (permission is not None and permission not in key.permissions):
        raise not_authenticated()
    return key


def decode(request: Request) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Return the body, inflated and parsed; an empty body is nothing. Raises a 400.

    darwin-py may send zlib-compressed JSON, marked by a header of its own.
    """
    body = request.body
    try:
        if request.header(COMPRESSION_HEADER):
            if request.header(COMPRESSION_HEADER) != "1":
                raise RefusalError(400, "BAD_REQUEST", {"body": ["unknown compression version"]})
            inflater = zlib.decompressobj()
            body = inflater.decompress(body, MOST_INFLATED)
            if not inflater.eof:
                raise RefusalError(400, "BAD_REQUEST", {"body": ["compressed body does not end"]})
        return json.loads(body, parse_constant=_refuse_constant) if body else None
    except (ValueError, RecursionError, zlib.error) as error:
        raise RefusalError(400, "BAD_REQUEST", {"body": [str(error)]}) from None


def _refuse_constant(name: str) -> Any:  # noqa: ANN401 - never returns
    raise ValueError(f"{name} is no JSON")
