"""Artifacts on their way from a child to the object store: a few at a time, and only names that we know."""

from __future__ import annotations

import re
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Self

from beagle.domain.errors import UnreadableMediaError

if TYPE_CHECKING:
    from beagle.ports import ArtifactSink

_NAMES = re.compile(r"thumbnail\.jpg|image\.png|sections/high/\d{9}\.png|sections/low/\d{9}\.jpg")
_CONTENT_TYPES = {"jpg": "image/jpeg", "png": "image/png"}
_AT_ONCE = 4


class Uploads:
    """Puts artifacts while the next is being drawn; leaving the block waits until all are kept.

    At most a few are in memory. A store's trouble is raised at the next artifact, or at the end.
    """

    def __init__(self, sink: ArtifactSink) -> None:
        self._sink = sink
        self._pool = ThreadPoolExecutor(_AT_ONCE)
        self._under_way: set[Future[None]] = set()

    def put(self, name: str, data: bytes) -> None:
        """Begin to keep one artifact, under a name that one of our own tasks uses.

        Raises:
            UnreadableMediaError: A child that an image took over says another name.
            ServiceError: An artifact before was not kept.

        """
        if not _NAMES.fullmatch(name):
            raise UnreadableMediaError(
                "The decoder was thrown off its way: it names a file that is none of ours."
            )
        if len(self._under_way) >= _AT_ONCE:
            self._settle(wait(self._under_way, return_when=FIRST_COMPLETED).done)
        content_type = _CONTENT_TYPES[name.rpartition(".")[2]]
        self._under_way.add(self._pool.submit(self._sink.put, name, data, content_type))

    def _settle(self, done: set[Future[None]]) -> None:
        self._under_way -= done
        for future in done:
            future.result()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self._pool.shutdown(wait=True, cancel_futures=kind is not None)
        if kind is None:
            self._settle(set(self._under_way))
