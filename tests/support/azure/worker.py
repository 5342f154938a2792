"""Microsoft's own worker for Python, without the host: it indexes an app, and runs its functions.

What the host and the worker say to each other by gRPC is said here by calls; `native_invocation` is the seam
that the worker itself keeps for that. It is no public interface, so the worker is pinned.
"""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Self

import azure_functions_runtime as runtime
from azure_functions_runtime import native_invocation
from azure_functions_runtime.bindings.context import _invocation_id_local
from azure_functions_runtime.bindings.datumdef import Datum

if TYPE_CHECKING:
    import logging
    from pathlib import Path

SYSTEM = ("azure.functions", "azure_functions_runtime", "host")
"""Loggers whose lines the host takes from outside of invocations, too."""


class _Message:
    """Any of the protocol's messages: what it is made with."""

    def __init__(self, **fields: object) -> None:
        self.__dict__.update(fields)


class _Binding(_Message):
    undefined, binary, string, stream = range(4)
    inout = 2
    out = 1


setattr(_Binding, "in", 0)


class _Status(_Message):
    Failure, Success = range(2)


_PROTOCOL = SimpleNamespace(
    BindingInfo=_Binding,
    StatusResult=_Status,
    **{
        name: type(name, (_Message,), {})
        for name in (
            "FunctionMetadataResponse",
            "RpcException",
            "RpcFunctionMetadata",
            "RpcRetryOptions",
            "WorkerInitResponse",
            "WorkerMetadata",
        )
    },
)


@dataclass(frozen=True, slots=True)
class Function:
    """One indexed function, and its trigger as the host reads it."""

    id: str
    name: str
    trigger: dict[str, Any]


class CannotIndexError(RuntimeError):
    """The worker found something wrong with the app."""


@dataclass(frozen=True, slots=True)
class Worker:
    """An app, indexed."""

    functions: tuple[Function, ...]
    _under_way: set[str] = field(default_factory=set)

    @classmethod
    async def start(cls, folder: Path) -> Self:
        """Index the app that lies in a folder."""
        sys.path.insert(0, str(folder))
        told = SimpleNamespace(capabilities={}, function_app_directory=str(folder))
        request = SimpleNamespace(
            request=SimpleNamespace(worker_init_request=told),
            properties={"host": "127.0.0.1", "protos": _PROTOCOL},
        )
        answer = await runtime.worker_init_request(request)
        if answer.result.status != _Status.Success:
            raise CannotIndexError(answer.result.exception.__dict__)
        found = await runtime.functions_metadata_request(request)
        runtime.start_threadpool_executor()
        return cls(tuple(_function(one) for one in found.function_metadata_results))

    async def invoke(
        self, function: Function, invocation: str, body: str, metadata: dict[str, Datum]
    ) -> str | None:
        """Run a function with its trigger's message; return what it raised, None where it did not."""
        self._under_way.add(invocation)
        try:
            ok, _, _, error, _ = await native_invocation.invocation_request_native(
                invocation, function.id, [(function.trigger["name"], Datum(body, "string"))], metadata
            )
        finally:
            self._under_way.remove(invocation)
        return None if ok else str(error)

    def is_heard(self, record: logging.LogRecord) -> bool:
        """
        Say whether the host keeps a line: it drops what it cannot assign to an invocation under way.

        The worker knows the invocation of a task on its loop and of a thread of its pool, and of no other.
        """
        if record.name.startswith(SYSTEM):
            return True
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return getattr(_invocation_id_local, "invocation_id", None) in self._under_way
        return runtime.invocation_id_cv.get() in self._under_way


def _function(found: Any) -> Function:
    bindings = [json.loads(binding) for binding in found.raw_bindings]
    [trigger] = [binding for binding in bindings if binding["type"].endswith("Trigger")]
    return Function(found.function_id, found.name, trigger)


def metadata_of(message: Any) -> dict[str, Datum]:
    """Return what the host tells a queue's function beside the message itself."""
    return {
        "Id": Datum(message.id, "string"),
        "DequeueCount": Datum(str(message.dequeue_count), "json"),
        "InsertionTime": _time(message.inserted_on),
        "ExpirationTime": _time(message.expires_on),
        "NextVisibleTime": _time(message.next_visible_on),
        "PopReceipt": Datum(message.pop_receipt, "string"),
    }


def _time(moment: Any) -> Datum:
    return Datum(json.dumps(moment.isoformat()), "json")
