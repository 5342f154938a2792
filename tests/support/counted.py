"""The deployed stages on a local AWS, with everything counted that they ask of it."""

from __future__ import annotations

import http.client
import io
import json
import logging
from collections import Counter
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from beagle.bootstrap.aws import worker
from beagle.playground.ministack import REGION

if TYPE_CHECKING:
    from beagle.playground.ministack import Ministack

UPLOADS, STATE, READ_ONLY = "count-uploads", "count-state", "acme-archive"


class Context:
    """An invocation with time enough."""

    def get_remaining_time_in_millis(self) -> int:
        return 900_000


def named(method: str, path: str, target: str) -> str:
    """Return what a request is called on a bill: `SendMessageBatch`, `put artifact`, `list state`..."""
    if target:
        return target.rpartition(".")[2]
    parts = urlsplit(path)
    bucket, _, key = parts.path.lstrip("/").partition("/")
    place = "state" if bucket == STATE else "artifact" if key.startswith(".beagle/") else "upload"
    if method == "GET" and not key:
        return f"list {'state' if bucket == STATE else 'upload'}"
    if method not in {"PUT", "GET", "HEAD"} or "uploadId" in parse_qs(parts.query):
        return f"{method.lower()} in parts"
    return f"{'put' if method == 'PUT' else 'get'} {place}"


class Counting(BaseHTTPRequestHandler):
    """Passes requests on to the local AWS, and counts them."""

    protocol_version = "HTTP/1.1"
    behind: int
    counts: Counter[str]

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.counts[named(self.command, self.path, self.headers.get("X-Amz-Target", ""))] += 1
        connection = http.client.HTTPConnection("127.0.0.1", self.behind, timeout=30)
        connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        data = answer.read()
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in {"connection", "transfer-encoding", "content-length"}:
                self.send_header(name, value)
        length = answer.getheader("Content-Length") if self.command == "HEAD" else str(len(data))
        self.send_header("Content-Length", length or "0")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)
        connection.close()

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _pass_on  # noqa: N815 - the base class's names

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@dataclass
class Ran:
    """What one run of a stage asked for and wrote."""

    requests: Counter[str]
    logged: list[str]
    passed_on: dict[str, list[str]] = field(default_factory=dict)
    """Bodies, by the queue that they were sent to."""


class Deployment:
    """The three stages as Lambda would run them: one worker each, at the counting door."""

    def __init__(self, aws: Ministack, door: str, counts: Counter[str]) -> None:
        self.s3, self.sqs = aws.client("s3"), aws.client("sqs")
        self.door, self.counts = door, counts
        self.queues = {
            name: self.sqs.create_queue(QueueName=f"count-{name}")["QueueUrl"]
            for name in ("uploads", "videos", "items", "dead-letters")
        }

    def upload(self, files: dict[str, bytes]) -> list[str]:
        """Put objects; return what EventBridge says of them."""
        return [self._announced(key, data) for key, data in files.items()]

    def _announced(self, key: str, data: bytes) -> str:
        etag = self.s3.put_object(Bucket=UPLOADS, Key=key, Body=data)["ETag"].strip('"')
        return json.dumps(
            {
                "version": "0",
                "id": "17793124-05d4-b198-2fde-7ededc63b103",
                "detail-type": "Object Created",
                "source": "aws.s3",
                "account": "111122223333",
                "time": "2026-11-20T10:11:12Z",
                "region": REGION,
                "resources": [f"arn:aws:s3:::{UPLOADS}"],
                "detail": {
                    "version": "0",
                    "bucket": {"name": UPLOADS},
                    "object": {
                        "key": key,
                        "size": len(data),
                        "etag": etag,
                        "sequencer": "00617F08299329D189",
                    },
                    "request-id": "N4N7GDK58NMKJ12R",
                    "requester": "111122223333",
                    "source-ip-address": "1.2.3.5",
                    "reason": "PutObject",
                },
            }
        )

    def run(self, stage: str, bodies: list[str], at_once: int) -> Ran:
        """Take messages through a stage, so many an invocation."""
        running, logged = worker.__wrapped__(stage), io.StringIO()
        for handler in logging.getLogger(stage).handlers:
            if isinstance(handler, logging.StreamHandler):
                handler.stream = logged  # setStream would flush the last one, which may be closed
        self.counts.clear()
        with redirect_stdout(logged):  # metrics are printed
            for start in range(0, len(bodies), at_once):
                records = [
                    {"messageId": f"m{n}", "receiptHandle": f"r{n}", "body": body, "attributes": {}}
                    for n, body in enumerate(bodies[start : start + at_once])
                ]
                answer = running.answer({"Records": records}, Context())
                assert answer == {"batchItemFailures": []}, logged.getvalue()
        requests = Counter(self.counts)
        return Ran(
            requests, logged.getvalue().splitlines(), {name: self._drain(name) for name in self.queues}
        )

    def sizes(self, prefix: str) -> list[int]:
        """Return how large the objects of the state bucket are."""
        return [entry["Size"] for entry in self.s3.list_objects_v2(Bucket=STATE, Prefix=prefix)["Contents"]]

    def _drain(self, queue: str) -> list[str]:
        bodies: list[str] = []
        while messages := self.sqs.receive_message(QueueUrl=self.queues[queue], MaxNumberOfMessages=10).get(
            "Messages"
        ):
            for message in messages:
                bodies.append(message["Body"])
                self.sqs.delete_message(QueueUrl=self.queues[queue], ReceiptHandle=message["ReceiptHandle"])
        return bodies
