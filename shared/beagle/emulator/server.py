"""The emulated Darwin on a port: HTTP/1.1 with keep-alive, and the ways a connection can break."""

from __future__ import annotations

import socket
import struct
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Self
from urllib.parse import parse_qsl

from .admin import Admin
from .wire import RefusalError, Reply, Request

if TYPE_CHECKING:
    from types import TracebackType

    from .api import EmulatedDarwin

MOST_READ = 256 * 1024 * 1024
IDLE_SECONDS = 120.0
DRIPS = 20
# SO_LINGER on, 0 seconds: closing the socket sends a reset, not a farewell.
PHRASES = {status.value: status.phrase for status in HTTPStatus}
ABORT = struct.pack("ii", 1, 0)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = IDLE_SECONDS
    server: _Listener

    def setup(self) -> None:
        super().setup()
        self.server.connections.add(self.connection)
        if self.server.closing.is_set():
            # Accepted just before the end: nobody else will hang up.
            self.connection.shutdown(socket.SHUT_RDWR)

    def finish(self) -> None:
        self.server.connections.discard(self.connection)
        super().finish()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
        """Print nothing: the emulator keeps its own log of requests."""

    def _serve(self) -> None:
        try:
            self._send(self._answer())
        except (ConnectionError, TimeoutError):
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = _serve  # noqa: N815 - names of http.server

    def _answer(self) -> Reply:
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isdecimal() or int(length) > MOST_READ:
            # What follows on this connection cannot be told from a body.
            self.close_connection = True
            status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE if length.isdecimal() else HTTPStatus.LENGTH_REQUIRED
            return RefusalError(status, "BAD_REQUEST").reply()
        path, _, query = self.path.partition("?")
        request = Request(
            method=self.command,
            path=path,
            query=tuple(parse_qsl(query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(int(length)),
        )
        return self.server.admin.handle(request)

    def _send(self, reply: Reply) -> None:
        if reply.breakage == "hang":
            self.server.closing.wait(reply.seconds)
            self.close_connection = True
            return
        if reply.breakage == "reset":
            self._reset()
            return
        lines = [f"HTTP/1.1 {reply.status} {PHRASES.get(reply.status, 'Unknown')}"]
        lines += [f"{name}: {value}" for name, value in reply.headers]
        lines += [f"Content-Length: {len(reply.body)}"]
        if self.close_connection:
            lines.append("Connection: close")
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")
        body = b"" if self.command == "HEAD" else reply.body
        if reply.breakage == "truncate":
            self._write(head + body[: len(body) // 2])
            self._reset()
        elif reply.breakage == "drip":
            self._drip(head, body, reply.seconds)
        else:
            self._write(head + body)

    def _drip(self, head: bytes, body: bytes, seconds: float) -> None:
        self._write(head)
        step = max(1, -(-len(body) // DRIPS))
        for start in range(0, len(body), step):
            if self.server.closing.wait(seconds / DRIPS):
                self.close_connection = True
                return
            self._write(body[start : start + step])

    def _write(self, data: bytes) -> None:
        self.wfile.write(data)
        self.wfile.flush()

    def _reset(self) -> None:
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
        self.server.aborted.add(self.connection)


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(self, address: tuple[str, int], admin: Admin) -> None:
        self.admin = admin
        self.closing = threading.Event()
        self.connections: set[socket.socket] = set()
        self.aborted: set[socket.socket] = set()
        super().__init__(address, _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Let a client go away without a word; anything else is a bug, and is shown."""
        if not self.closing.is_set():
            super().handle_error(request, client_address)  # type: ignore[arg-type]

    def shutdown_request(self, request: socket.socket) -> None:  # type: ignore[override] # TCP only
        """Say farewell on a connection that ends well; a broken one just closes, which resets it."""
        if request in self.aborted:
            self.aborted.discard(request)
            self.close_request(request)
        else:
            super().shutdown_request(request)

    def server_bind(self) -> None:
        """Bind without asking a name server who we are, as the base class would."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        host, port = self.socket.getsockname()[:2]
        self.server_address = (host, port)
        self.server_name, self.server_port = host, port


class Server:
    """A running emulator. Closing it releases every client it kept waiting."""

    def __init__(self, listener: _Listener) -> None:
        self._listener = listener
        self._thread = threading.Thread(
            target=listener.serve_forever, kwargs={"poll_interval": 0.05}, name="darwin-emulator", daemon=True
        )
        self._thread.start()

    @property
    def port(self) -> int:
        """The port, also when it was left to the system."""
        return self._listener.server_port

    @property
    def url(self) -> str:
        """Where it is: the page, and the base URL of clients (they add `/api`)."""
        return f"http://{self._listener.server_name}:{self.port}"

    def close(self) -> None:
        """End every connection and free the port; closing twice is harmless."""
        if self._listener.closing.is_set():
            return
        self._listener.closing.set()
        self._listener.shutdown()
        self._listener.server_close()
        for connection in tuple(self._listener.connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def serve(darwin: EmulatedDarwin, host: str = "127.0.0.1", port: int = 0) -> Server:
    """Start answering on a port of this machine; 0 lets the system choose one."""
    return Server(_Listener((host, port), Admin(darwin)))
