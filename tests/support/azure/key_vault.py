"""Plays Key Vault, and the place where a function gets its identity's tokens."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Self
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from types import TracebackType


class KeyVault:
    """
    A vault of secrets by name; one server on loopback.

    With `tokens` it hands a secret only to who shows a token for vaults, and tokens only to who shows the
    header that Functions gives to its apps. https://learn.microsoft.com/azure/app-service/overview-managed-identity
    """

    HEADER = "only this app knows"

    def __init__(self, *, tokens: bool = False) -> None:
        self.secrets: dict[str, str] = {}
        self.asked: list[tuple[str, str]] = []
        """What tokens were asked for, and by which identity."""
        self.tokens = tokens
        self.fails = 0
        """So many of the next requests are answered with 503."""
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.vault = self
        self.address = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def environment(self) -> dict[str, str]:
        """What tells an app where it gets its tokens."""
        return {"IDENTITY_ENDPOINT": f"{self.address}/msi/token", "IDENTITY_HEADER": self.HEADER}

    def answer(self, path: str, query: dict[str, list[str]], headers: dict[str, str]) -> tuple[int, object]:
        """Return a status, and what is said with it."""
        if self.fails:
            self.fails -= 1
            return 503, {"error": {"code": "ServiceUnavailable"}}
        if path == "/msi/token":
            return self._token(query, headers)
        name = path.removeprefix("/secrets/")
        if query.get("api-version") != ["7.4"]:
            return 400, {"error": {"code": "BadParameter"}}
        if self.tokens and headers.get("authorization") != "Bearer for https://vault.azure.net":
            return 401, {"error": {"code": "Unauthorized"}}
        if name not in self.secrets:
            return 404, {"error": {"code": "SecretNotFound"}}
        return 200, {"value": self.secrets[name], "id": f"{self.address}/secrets/{name}/1"}

    def _token(self, query: dict[str, list[str]], headers: dict[str, str]) -> tuple[int, object]:
        if headers.get("x-identity-header") != self.HEADER:
            return 401, {"error": "unknown app"}
        [resource] = query["resource"]
        [identity] = query.get("client_id", [""])
        self.asked.append((resource, identity))
        return 200, {
            "access_token": f"for {resource}",
            "expires_on": str(int(time.time()) + 3600),
            "resource": resource,
            "token_type": "Bearer",
        }


class _Server(ThreadingHTTPServer):
    vault: KeyVault
    daemon_threads = True


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        """Answer."""
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        status, told = self.server.vault.answer(parts.path, parse_qs(parts.query), headers)
        body = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""
