"""The parent's ends of the pipes: every wait has an end."""

from __future__ import annotations

import math
import os
import select
import time
from typing import TYPE_CHECKING

from beagle.media.wire import HEAD, Words, pack, unpack_head, unpack_words

if TYPE_CHECKING:
    from beagle.ports import Deadline

_PIECE = 1024 * 1024


class ChildGoneError(Exception):
    """The child closed its pipe; never leaves this package."""


class ChildSlowError(Exception):
    """The child used up its time; never leaves this package."""


class ChildConfusedError(Exception):
    """The child says what no honest child says; never leaves this package."""


class OutOfInvocationError(Exception):
    """The invocation's time is over, not the child's; never leaves this package."""


class Pipes:
    """Messages to and from a child; only the time that the child lets us wait is counted."""

    def __init__(self, to_child: int, from_child: int) -> None:
        self._to, self._from = to_child, from_child
        self._left = 0.0
        self._deadline: Deadline | None = None
        for descriptor in (to_child, from_child):
            os.set_blocking(descriptor, False)

    def allow(self, seconds: float, deadline: Deadline | None) -> None:
        """Begin one object's time."""
        self._left, self._deadline = seconds, deadline

    def send(self, words: Words, data: bytes = b"") -> None:
        """Send one message."""
        for part in (pack(words, len(data)), data):
            view = memoryview(part)
            while view:
                self._wait(self._to, select.POLLOUT)
                try:
                    view = view[os.write(self._to, view[:_PIECE]) :]
                except BrokenPipeError as error:
                    raise ChildGoneError from error

    def receive(self) -> tuple[Words, bytes]:
        """Return the child's next message."""
        try:
            words, data = unpack_head(self._read(HEAD.size))
            return unpack_words(self._read(words)), self._read(data)
        except ValueError as error:
            raise ChildConfusedError(str(error)) from error

    def _read(self, length: int) -> bytes:
        pieces = []
        while length:
            self._wait(self._from, select.POLLIN)
            piece = os.read(self._from, min(length, _PIECE))
            if not piece:
                raise ChildGoneError
            pieces.append(piece)
            length -= len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _wait(self, descriptor: int, event: int) -> None:
        left = self._left
        remaining = math.inf if self._deadline is None else self._deadline.remaining()
        poll = select.poll()
        poll.register(descriptor, event)
        before = time.monotonic()
        is_ready = poll.poll(max(min(left, remaining), 0) * 1000)
        self._left -= time.monotonic() - before
        if not is_ready:
            raise OutOfInvocationError if remaining < left else ChildSlowError
