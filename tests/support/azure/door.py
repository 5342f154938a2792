"""A way to Azurite on which every request is counted, and some are refused."""

from __future__ import annotations

import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

import urllib3

if TYPE_CHECKING:
    from types import TracebackType

HOP_BY_HOP = {"connection", "content-length", "date", "keep-alive", "server", "transfer-encoding"}


class Door:
    """
    Passes requests on to one of Azurite's ports; once it is told to, one in so many is answered with 503.

    Nothing that is signed names the port, so signatures stay good.
    """

    def __init__(self, port: int, *, seed: int = 7) -> None:
        self.counts: Counter[str] = Counter()
        """By method and first folder: `PUT beagle-state/ledger`, `GET beagle-items/messages`."""
        self.fails_one_in = 0
        self._chance = Random(seed)
        self._behind = urllib3.HTTPConnectionPool("127.0.0.1", port, maxsize=64, retries=False, timeout=60)
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.door = self
        self.port = self._server.server_port

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._behind.close()

    def answer(
        self, method: str, target: str, headers: dict[str, str], body: bytes
    ) -> urllib3.BaseHTTPResponse | None:
        """Return Azurite's answer; None where the request is refused."""
        _, container, folder, *_ = [*urlsplit(target).path.strip("/").split("/"), "", "", ""]
        self.counts[f"{method} {container}/{folder}"] += 1
        if self.fails_one_in and not self._chance.randrange(self.fails_one_in):
            return None
        return self._behind.urlopen(
            method, target, body=body, headers=headers, preload_content=True, decode_content=False
        )


class _Server(ThreadingHTTPServer):
    door: Door
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, *_: object) -> None:
        """Say nothing of who was killed while it was answered."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        found = self.server.door.answer(self.command, self.path, dict(self.headers), body)
        if found is None:
            self.send_response_only(503)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response_only(found.status)
        for name, value in found.headers.items():
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        length = found.headers.get("Content-Length") if self.command == "HEAD" else None
        self.send_header("Content-Length", length or str(len(found.data)))
        self.end_headers()
        self.wfile.write(found.data)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _pass_on  # noqa: N815 - the base class's names

    def log_message(self, *_: object) -> None:
        """Say nothing."""
