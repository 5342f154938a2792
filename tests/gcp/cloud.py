"""A local Google Cloud, as far as Beagle asks it by REST: Cloud Storage, notifications, Secret Manager."""

from __future__ import annotations

import json
import threading
from base64 import b64encode
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Self
from urllib.parse import parse_qsl, urlsplit

from gcp.buckets import Buckets, RefusedError
from gcp.json_api import JsonApi
from gcp.xml_api import Reply, Request, XmlApi

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from google.cloud import storage

    from gcp.buckets import Stored
    from gcp.pubsub import PubSub


class Cloud:
    """One server on loopback; `notify` connects a bucket with a topic of the Pub/Sub emulator."""

    def __init__(self) -> None:
        self.buckets = Buckets()
        self.secrets: dict[str, str] = {}
        """By `projects/P/secrets/S`, the newest version."""
        self.counts: Counter[str] = Counter()
        self.before: Callable[[Request], Reply | None] = lambda _: None
        """What happens before a request is carried out; a reply takes the place of its own."""
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.cloud = self
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        self._xml, self._json = XmlApi(self.buckets), JsonApi(self.buckets, self.address)

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def client(self) -> storage.Client:
        """Return Google's own client of Cloud Storage."""
        from google.auth.credentials import AnonymousCredentials  # noqa: PLC0415 - slow, at each collection
        from google.cloud import storage  # noqa: PLC0415

        options = {"api_endpoint": self.address}
        return storage.Client(project="local", credentials=AnonymousCredentials(), client_options=options)

    def via(self, name: str) -> str:
        """Return an address of this server by which requests tell whose they are."""
        return f"{self.address}/via/{name}"

    def notify(self, bucket: str, pubsub: PubSub, topic: str, *, times: int = 1) -> None:
        """
        Announce every change of a bucket's objects, each `times` times: with so many message ids.

        https://cloud.google.com/storage/docs/pubsub-notifications
        """

        def tell(kind: str, stored: Stored, others: dict[str, str]) -> None:
            message = {
                "data": b64encode(json.dumps(stored.resource()).encode()).decode(),
                "attributes": {
                    "notificationConfig": f"projects/_/buckets/{bucket}/notificationConfigs/1",
                    "eventType": kind,
                    "payloadFormat": "JSON_API_V1",
                    "bucketId": bucket,
                    "objectId": stored.key,
                    "objectGeneration": str(stored.generation),
                    "eventTime": f"{stored.created:%Y-%m-%dT%H:%M:%S.%fZ}",
                    **others,
                },
            }
            pubsub.publish(topic, [message] * times)

        self.buckets.tell[bucket] = tell

    def answer(self, request: Request) -> Reply:
        """Carry a request out."""
        self.counts[f"{request.method} {request.path.split('/')[1]}"] += 1
        if instead := self.before(request):
            return instead
        try:
            if request.path.startswith("/v1/projects/"):
                return self._secret(request.path)
            json_api = request.path.startswith(("/storage/v1/", "/upload/", "/download/", "/resumable/"))
            return (self._json if json_api else self._xml).answer(request)
        except RefusedError as error:
            told = {"error": {"code": error.status, "message": "refused", "status": f"HTTP_{error.status}"}}
            return Reply(error.status, {"Content-Type": "application/json"}, json.dumps(told).encode())

    def _secret(self, path: str) -> Reply:
        name = path.removeprefix("/v1/").removesuffix("/versions/latest:access")
        if name not in self.secrets:
            raise RefusedError(404)
        data = b64encode(self.secrets[name].encode()).decode()
        return Reply(body=json.dumps({"name": f"{name}/versions/1", "payload": {"data": data}}).encode())


class _Server(ThreadingHTTPServer):
    cloud: Cloud
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, *_: object) -> None:
        """Say nothing of who was killed in the middle of a request."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        path, via = parts.path, ""
        if path.startswith("/via/"):
            _, _, via, path = path.split("/", 3)
            path = f"/{path}"
        reply = self.server.cloud.answer(
            Request(
                method=self.command,
                path=path,
                query=dict(parse_qsl(parts.query, keep_blank_values=True)),
                headers={name.lower(): value for name, value in self.headers.items()},
                body=body,
                via=via,
            )
        )
        self.send_response(reply.status)
        promised = {"Content-Length": str(len(reply.body))} | reply.headers
        for name, value in promised.items():
            self.send_header(name, value)
        self.end_headers()
        self.close_connection |= promised["Content-Length"] != str(len(reply.body))
        if self.command != "HEAD":
            self.wfile.write(reply.body)

    do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = _answer  # noqa: N815 - the base class's names

    def log_message(self, *_: object) -> None:
        """Say nothing."""
