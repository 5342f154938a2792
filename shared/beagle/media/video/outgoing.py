"""Artifacts on their way to the sink: a few at once, and never more than memory bears."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Self

from beagle.domain.errors import OutOfTimeError

if TYPE_CHECKING:
    from types import TracebackType

    from beagle.ports import ArtifactSink

_BYTES_UNDER_WAY = 96 << 20


class Outgoing:
    """Puts artifacts into a sink from several threads; whoever puts waits while too much is under way.

    What the sink raises is raised by the next `put`, or at the end.
    """

    def __init__(self, sink: ArtifactSink, threads: int) -> None:
        self._sink = sink
        self._pool = ThreadPoolExecutor(threads)
        self._change = threading.Condition()
        self._under_way = 0
        self._trouble: BaseException | None = None

    def put(self, name: str, data: bytes, content_type: str, content_encoding: str = "") -> None:
        """Begin to keep one artifact; return as soon as there is room for it."""
        with self._change:
            self._change.wait_for(lambda: self._trouble or not self._under_way or self._has_room(len(data)))
            if self._trouble:
                raise self._trouble
            self._under_way += len(data)
        task = self._pool.submit(self._sink.put, name, data, content_type, content_encoding)
        task.add_done_callback(lambda done: self._settle(done, len(data)))

    def _has_room(self, size: int) -> bool:
        return self._under_way + size <= _BYTES_UNDER_WAY

    def _settle(self, done: Future[None], size: int) -> None:
        with self._change:
            self._under_way -= size
            if not done.cancelled() and (not self._trouble or isinstance(self._trouble, OutOfTimeError)):
                self._trouble = done.exception() or self._trouble
            self._change.notify_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wait until everything is kept; after an error, only for what is being put.

        Where time ran out while the sink did not answer, that was the trouble.
        """
        self._pool.shutdown(cancel_futures=error is not None)
        if self._trouble and (error is None or isinstance(error, OutOfTimeError)):
            raise self._trouble from error
