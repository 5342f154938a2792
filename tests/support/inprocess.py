"""Requests to the emulated Darwin without a socket: the real client and the real rules, no network."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

import requests
from requests.adapters import BaseAdapter
from urllib3 import HTTPResponse

from beagle.emulator.wire import Request

if TYPE_CHECKING:
    from beagle.emulator import EmulatedDarwin


class InProcess(BaseAdapter):
    """Hands requests to an emulated Darwin and breaks their answers as it says; `down` refuses all."""

    def __init__(self, darwin: EmulatedDarwin) -> None:
        super().__init__()
        self.darwin = darwin
        self.down = False
        self.sent = 0

    def send(self, request: requests.PreparedRequest, **_: object) -> requests.Response:
        if self.down:
            raise requests.ConnectionError("refused")
        self.sent += 1
        parts = urlsplit(str(request.url))
        body = request.body
        content = body.read() if hasattr(body, "read") else body or b""
        reply = self.darwin.handle(
            Request(
                method=str(request.method),
                path=parts.path,
                query=tuple(parse_qsl(parts.query, keep_blank_values=True)),
                headers={name.lower(): value for name, value in request.headers.items()},
                body=content if isinstance(content, bytes) else content.encode(),
            )
        )
        if reply.breakage == "hang":
            raise requests.ReadTimeout("no answer")
        if reply.breakage == "reset":
            raise requests.ConnectionError("reset")
        response = requests.Response()
        response.status_code = reply.status
        response.headers.update(dict(reply.headers))
        body_read = reply.body[: len(reply.body) // 2] if reply.breakage == "truncate" else reply.body
        response.raw = HTTPResponse(body=BytesIO(body_read), preload_content=False, status=reply.status)
        response.request = request
        return response

    def close(self) -> None:
        """Nothing is open."""
