"""The child's side: bound itself, then draw what the parent asks for, reading and writing through it."""

from __future__ import annotations

import importlib
import io
import os
import resource
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO, Protocol, cast, overload

from beagle.domain.errors import BeagleError
from beagle.media.wire import (
    HEAD,
    LONGEST_READ,
    LONGEST_TASK,
    OUT_OF_MEMORY,
    Words,
    pack,
    unpack_head,
    unpack_words,
)

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

_BLOCK = 4 * 1024 * 1024
"""Bytes of an object that are asked for at once: one request to the store for most photographs."""


class Put(Protocol):
    """Takes one finished artifact."""

    def __call__(self, name: str, data: bytes) -> None:
        """Hand an artifact over; the parent keeps it."""


class Draw(Protocol):
    """What a module below `beagle.media.draw` offers."""

    def __call__(self, files: Sequence[BinaryIO], put: Put, arguments: Words) -> Words:
        """Draw the artifacts of one item and say what they are.

        Raises:
            VerdictError: They cannot be drawn.

        """


class Line:
    """The pipes to the parent."""

    def __init__(self, incoming: BinaryIO, outgoing: BinaryIO) -> None:
        self._in, self._out = incoming, outgoing

    def tell(self, words: Words, data: ReadableBuffer = b"") -> None:
        """Send one message."""
        view = memoryview(data)
        self._out.write(pack(words, view.nbytes))
        self._out.write(view)
        self._out.flush()

    def hear(self) -> tuple[Words, bytes]:
        """Return the next message.

        Raises:
            EOFError: The parent is gone.

        """
        head = self._in.read(HEAD.size)
        if len(head) < HEAD.size:
            raise EOFError
        words, data = unpack_head(head, LONGEST_TASK)
        try:
            return unpack_words(self._in.read(words)), self._in.read(data)
        except MemoryError:  # half a message is read: nothing can be understood any more
            os._exit(OUT_OF_MEMORY)


class ObjectFile(io.RawIOBase):
    """An object of the bucket as a file, a block at a time."""

    def __init__(self, line: Line, index: int, size: int) -> None:
        self._line, self._index, self._size = line, index, size
        self._at = 0
        self.name = "object"  # libraries name the file in their errors

    def readable(self) -> bool:
        """Say yes."""
        return True

    def seekable(self) -> bool:
        """Say yes."""
        return True

    def tell(self) -> int:
        """Return the offset of the next byte."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to an offset, within the object or behind it."""
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if origin + offset < 0:
            raise ValueError("No offset is negative.")
        self._at = origin + offset
        return self._at

    def readall(self) -> bytes:
        """Return the rest, in as few requests as may be."""
        return b"".join(iter(lambda: self.read(LONGEST_READ) or b"", b""))

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill the buffer as far as the object goes."""
        view = memoryview(buffer).cast("B")
        length = min(len(view), LONGEST_READ, max(self._size - self._at, 0))
        if length == 0:
            return 0
        self._line.tell({"read": [self._index, self._at, length]})
        _, data = self._line.hear()
        view[: len(data)] = data
        self._at += len(data)
        return len(data)


class Files(Sequence[BinaryIO]):
    """The job's objects; each look at one opens it anew, and what is left behind is forgotten."""

    def __init__(self, line: Line, sizes: list[int]) -> None:
        self._line, self._sizes = line, sizes

    def __len__(self) -> int:
        return len(self._sizes)

    @overload
    def __getitem__(self, index: int) -> BinaryIO: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[BinaryIO]: ...
    def __getitem__(self, index: int | slice) -> BinaryIO | Sequence[BinaryIO]:
        if isinstance(index, slice):
            return [self[each] for each in range(*index.indices(len(self)))]
        size = self._sizes[index]
        file = ObjectFile(self._line, index, size)
        return cast("BinaryIO", io.BufferedReader(file, buffer_size=max(min(_BLOCK, size), 1)))


def serve(memory: int) -> None:
    """Work for the parent until it is gone; what the parent does not hear about goes nowhere."""
    incoming = os.fdopen(os.dup(0), "rb")
    outgoing = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):  # libraries print
        os.dup2(nowhere, descriptor)
    _bound("RLIMIT_AS", memory)
    _bound("RLIMIT_FSIZE", 0)
    _bound("RLIMIT_CORE", 0)
    _bound("RLIMIT_NOFILE", 64)
    sys.dont_write_bytecode = True
    line = Line(incoming, outgoing)
    with suppress(EOFError, BrokenPipeError):
        line.tell({"ready": True})
        while True:
            words, _ = line.hear()
            line.tell(_answer(line, words))


def _answer(line: Line, job: Words) -> Words:
    try:
        draw: Draw = importlib.import_module(job["task"]).draw
    except ImportError as error:
        return {"missing": str(error)}
    _allow_seconds(job["seconds"])
    files = Files(line, job["sizes"])
    try:
        return {"done": draw(files, lambda name, data: line.tell({"put": name}, data), job["arguments"])}
    except BeagleError as error:
        return {"verdict": error.code, "message": str(error), "context": error.context}
    except MemoryError:
        return {"verdict": "media_too_large", "message": "It needs more memory than allowed.", "context": {}}


def _allow_seconds(seconds: float) -> None:
    """Let the kernel end the process some CPU seconds from now, should the parent have died meanwhile."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _bound("RLIMIT_CPU", int(used.ru_utime + used.ru_stime + 2 * seconds) + 1)


def _bound(name: str, value: int) -> None:
    """Set a limit where the system has it and lets us: Linux does, others may not."""
    with suppress(AttributeError, OSError, ValueError):
        limit = getattr(resource, name)
        _, hard = resource.getrlimit(limit)
        resource.setrlimit(limit, (value, hard if name == "RLIMIT_CPU" else value))
