"""The emulated Darwin: requests in, replies out, and a Python side for tests and the page."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

from .context import Context, Hooks
from .faults import Fault, broken_reply, describe_items, twisted_reply
from .limits import Limits
from .records import ApiKey, Served
from .routes import ROUTES
from .routing import Call, ForcedReason, Tally, authenticate, decode, find_route
from .stage import Stage
from .wire import RefusalError, Reply, not_found

if TYPE_CHECKING:
    from collections.abc import Callable

    from .routing import Route
    from .wire import Request

DEFAULT_TEAM = "acme"
# The shape of V7's keys: 7 characters, a dot, 32 characters.
DEFAULT_KEY = "DEMO123." + "beagle-local-emulator-key-000000"


class EmulatedDarwin(Stage):
    """A Darwin in this process. It opens no socket and starts no thread; any thread may call it.

    `clock` measures how long processing takes and how fast tokens come back; `wall` dates what is shown.
    """

    def __init__(  # noqa: PLR0913 - each by name, each with a default
        self,
        clock: Callable[[], float] = time.monotonic,
        *,
        wall: Callable[[], float] = time.time,
        hooks: Hooks | None = None,
        limits: Limits | None = None,
        processing_seconds: float = 2.0,
        readonly_dicom: bool = False,
    ) -> None:
        self.context = Context(
            clock=clock,
            wall=wall,
            hooks=hooks or Hooks(),
            limits=limits or Limits(),
            processing_seconds=processing_seconds,
            readonly_dicom=readonly_dicom,
        )

    @classmethod
    def with_defaults(cls, clock: Callable[[], float] = time.monotonic, **options: Any) -> EmulatedDarwin:  # noqa: ANN401 - as the constructor's
        """Start a world with team `acme`, `DEFAULT_KEY`, dataset `incoming` and two storages."""
        darwin = cls(clock, **options)
        darwin.add_team(DEFAULT_TEAM)
        darwin.add_key(secret=DEFAULT_KEY)
        darwin.add_dataset("incoming")
        darwin.add_storage("acme-uploads", prefix="darwin", region="eu-west-1")
        darwin.add_storage("acme-archive", readonly=True, region="eu-west-1")
        return darwin

    # Requests

    def handle(self, request: Request) -> Reply:
        """Answer one request to a path below `/api`, and log it."""
        started = time.perf_counter()
        tally = Tally()
        try:
            reply = self._answer(request, tally)
        except RefusalError as refusal:
            reply = refusal.reply()
        self._log(request, reply, tally, time.perf_counter() - started)
        return reply

    def _answer(self, request: Request, tally: Tally) -> Reply:
        if len(request.body) > self.context.limits.body_bytes:
            raise RefusalError(413, "REQUEST_ENTITY_TOO_LARGE")
        route, params = find_route(ROUTES, request)
        try:
            payload, unreadable = decode(request), None
        except RefusalError as refusal:
            payload, unreadable = None, refusal
        described = describe_items(payload)
        tally.items = len(described)

        fault = self.context.script.take(route.endpoint, described)
        tally.fault = fault.label if fault else None
        if fault is not None and not fault.commits:
            return broken_reply(fault, self.context.wall)
        try:
            key = self._admit(route, request, params)
            if unreadable is not None:
                raise unreadable
            reply = route.answer(
                Call(
                    context=self.context,
                    request=request,
                    team=key.team,
                    params=params,
                    payload=payload,
                    tally=tally,
                    forced_reason=_forced_reason(fault),
                )
            )
        except RefusalError as refusal:
            reply = refusal.reply()
        if fault is None:
            return reply
        if not fault.twists:
            return broken_reply(fault, self.context.wall)
        return twisted_reply(fault, reply, {item[0] for item in described if fault.concerns(item)})

    def _admit(self, route: Route, request: Request, params: dict[str, str]) -> ApiKey:
        key = authenticate(self.context.world.keys, request, route.permission)
        if params.get("team", key.team) != key.team:
            raise not_found("team")
        if route.endpoint != "side":
            wait = self.context.buckets.wait(key.secret, self.context.limits)
            if wait:
                told = str(math.ceil(wait)) if self.context.limits.tell_retry_after else None
                raise RefusalError(429, "RATE_LIMIT_EXCEEDED", retry_after=told)
        return key

    def _log(self, request: Request, reply: Reply, tally: Tally, duration: float) -> None:
        world = self.context.world
        with world.lock:
            world.served.append(
                Served(
                    seq=world.bump(),
                    at=self.context.wall(),
                    method=request.method,
                    path=request.path,
                    status=reply.status,
                    items=tally.items,
                    registered=tally.registered,
                    blocked=tally.blocked,
                    duration=duration,
                    fault=tally.fault,
                )
            )


def _forced_reason(fault: Fault | None) -> ForcedReason:
    def reason(name: str, keys: tuple[str, ...]) -> str | None:
        concerned = fault is not None and fault.kind == "block" and fault.concerns((name, *keys))
        return fault.reason if fault is not None and concerned else None

    return reason
