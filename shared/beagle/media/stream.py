"""The reading end of a child's pipe, which tells whether the child keeps its reader waiting."""

from __future__ import annotations

import os
import select
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator

_TICK = 200
"""Milliseconds after which a reader looks whether it should stop."""
_LONGEST_LINE = 16 * 1024


class StoppedError(Exception):
    """The run is over for another reason; its readers need not say anything."""


class Stream:
    """The reading end of a pipe; knows for how long its reader has been waiting for the child."""

    def __init__(self, descriptor: int, stop: threading.Event) -> None:
        self._descriptor = descriptor
        self._stop = stop
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLIN | select.POLLHUP)
        self._waiting_since: float | None = None

    def readinto(self, buffer: memoryview) -> int:
        """Fill some of the buffer, and return how much: 0 at the end."""
        self._waiting_since = time.monotonic()
        try:
            while not self._poll.poll(_TICK):
                if self._stop.is_set():
                    raise StoppedError
            if self._stop.is_set():
                raise StoppedError
            return os.readv(self._descriptor, [buffer])
        finally:
            self._waiting_since = None

    def read(self, size: int) -> bytes:
        """Return at most that many bytes; none at the end."""
        buffer = bytearray(size)
        return bytes(memoryview(buffer)[: self.readinto(memoryview(buffer))])

    def lines(self) -> Iterator[str]:
        """Yield lines, each cut to a bearable length."""
        rest = b""
        while data := self.read(1 << 16):
            *whole, rest = (rest + data).split(b"\n")
            rest = rest[:_LONGEST_LINE]
            yield from (line[:_LONGEST_LINE].decode("utf-8", "replace") for line in whole)
        if rest:
            yield rest.decode("utf-8", "replace")

    def waited(self) -> float:
        """Return for how long the reader has waited: 0 while it works on what it got."""
        since = self._waiting_since
        return 0.0 if since is None else time.monotonic() - since
