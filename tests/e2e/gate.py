"""A way to the local AWS on which one request can be stopped: a failpoint outside of the function."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING, Literal, Self

if TYPE_CHECKING:
    from types import TracebackType

READ = 65_536


class Gate:
    """Passes everything on, but the first request that holds the marked bytes.

    `before`: the request stops here, and AWS never sees it whole. `after`: AWS carries it out, and its
    answer stops here.
    """

    def __init__(self, port: int, marker: bytes, when: Literal["before", "after"]) -> None:
        self._to = ("127.0.0.1", port)
        self._marker = marker
        self._when = when
        self._closing = threading.Event()
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.held = threading.Event()
        """Set while the request, or its answer, is stopped here."""

    @property
    def endpoint(self) -> str:
        """The address that stands for AWS's."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        """Open."""
        self._start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close for good: what is stopped goes nowhere any more."""
        self._closing.set()
        for one in (self._listener, *self._sockets):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            finally:
                one.close()

    def _start(self, target: object, *arguments: object) -> None:
        threading.Thread(target=target, args=arguments, daemon=True).start()  # type: ignore[arg-type]

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return  # closed
            far = socket.create_connection(self._to)
            self._sockets += [near, far]
            marked = threading.Event()
            self._start(self._forth, near, far, marked)
            self._start(self._back, far, near, marked)

    def _forth(self, near: socket.socket, far: socket.socket, marked: threading.Event) -> None:
        tail = b""
        while data := _read(near):
            tail = (tail + data)[-READ - len(self._marker) :]
            if self._marker in tail and not self.held.is_set():
                if self._when == "before":
                    self.held.set()
                    self._closing.wait()
                    return
                marked.set()
            if not _write(far, data):
                break
        _write(far, b"", last=True)

    def _back(self, far: socket.socket, near: socket.socket, marked: threading.Event) -> None:
        while data := _read(far):
            if marked.is_set():
                self.held.set()
                self._closing.wait()
                return
            if not _write(near, data):
                break
        _write(near, b"", last=True)


def _read(one: socket.socket) -> bytes:
    try:
        return one.recv(READ)
    except OSError:
        return b""


def _write(one: socket.socket, data: bytes, *, last: bool = False) -> bool:
    try:
        one.sendall(data)
        if last:
            one.shutdown(socket.SHUT_WR)
    except OSError:
        return False
    return True
