"""A way to the local AWS on which no multipart upload can be completed."""

from __future__ import annotations

import threading
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

# Any answer that is not worth a second try.
REFUSAL = b"<Error><Code>InvalidPart</Code><Message>Refused on the way.</Message></Error>"


class Refusing:
    """Passes everything on, but the requests that would complete a multipart upload: those are refused."""

    def __init__(self, port: int) -> None:
        class Handler(BaseHTTPRequestHandler):
            def _pass_on(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if self.command == "POST" and "uploadId=" in self.path:
                    self._answer(400, [], REFUSAL)
                    return
                far = HTTPConnection("127.0.0.1", port)
                far.request(self.command, self.path, body, dict(self.headers))
                answer = far.getresponse()
                self._answer(answer.status, answer.getheaders(), answer.read())
                far.close()

            def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
                self.send_response_only(status)
                for name, value in headers:
                    if name.lower() not in {"connection", "transfer-encoding"}:
                        self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _pass_on  # noqa: N815 - http.server's names

            def log_message(self, *_: object) -> None:
                """Stay silent."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def endpoint(self) -> str:
        """The address that stands for AWS's."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        """Open."""
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self._server.shutdown()
        self._server.server_close()
