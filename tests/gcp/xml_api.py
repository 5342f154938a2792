"""Cloud Storage's XML API, as far as obstore speaks it: conditions, ranges, lists, uploads in parts."""

from __future__ import annotations

import gzip
import itertools
import re
from dataclasses import dataclass, field, replace
from email.utils import format_datetime
from typing import TYPE_CHECKING
from urllib.parse import unquote
from xml.sax.saxutils import escape

from gcp.buckets import RefusedError

if TYPE_CHECKING:
    from gcp.buckets import Buckets, Stored

XML = {"Content-Type": "application/xml"}


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for; header names are in lower case."""

    method: str
    path: str
    """As it came: escaped."""
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    via: str = ""
    """Whose: the name that its asker's address of this server holds."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class XmlApi:
    """Answers requests for `/BUCKET/KEY`."""

    def __init__(self, buckets: Buckets) -> None:
        self._buckets = buckets
        self._begun: dict[str, Request] = {}
        self._parts: dict[str, dict[int, bytes]] = {}
        self._uploads = itertools.count()

    def answer(self, request: Request) -> Reply:
        """Carry a request out; what it refuses is raised.

        Its own words, a list and the like, are packed for who says that gzip is taken.
        """
        reply = self._answer(request)
        if reply.headers.get("Content-Type") == XML["Content-Type"] and takes_gzip(request):
            packed = {**reply.headers, "Content-Encoding": "gzip"}
            return Reply(reply.status, packed, gzip.compress(reply.body))
        return reply

    def _answer(self, request: Request) -> Reply:
        bucket, _, key = request.path.lstrip("/").partition("/")
        bucket, key = unquote(bucket), unquote(key)
        if not key:
            return self._list(bucket, request.query.get("prefix", ""))
        if {"uploads", "uploadId"} & request.query.keys():
            return self._in_parts(bucket, key, request)
        match request.method:
            case "GET" | "HEAD":
                return self._get(bucket, key, request)
            case "PUT":
                return self._put(bucket, key, request, request.body)
            case "DELETE":
                self._buckets.delete(bucket, key)
                return Reply(204)
        raise RefusedError(405)

    def _in_parts(self, bucket: str, key: str, request: Request) -> Reply:
        name = request.query.get("uploadId", "")
        match request.method:
            case "POST" if not name:
                name = f"upload-{next(self._uploads)}"
                self._begun[name], self._parts[name] = request, {}
                return _xml("InitiateMultipartUploadResult", UploadId=name)
            case "PUT":
                number = request.query["partNumber"]
                self._parts[name][int(number)] = request.body
                return Reply(headers={"ETag": f'"part-{number}"'})
            case "POST":
                parts = self._parts.pop(name)
                # The type is told at the start: https://cloud.google.com/storage/docs/xml-api/post-object-multipart
                whole = b"".join(parts[number] for number in sorted(parts))
                headers = request.headers | self._begun.pop(name).headers
                kept = self._put(bucket, key, replace(request, headers=headers), whole)
                told = _xml("CompleteMultipartUploadResult", ETag=kept.headers["ETag"])
                return Reply(200, told.headers | kept.headers, told.body)
        self._parts.pop(name, None)
        self._begun.pop(name, None)
        return Reply(204)

    def _put(self, bucket: str, key: str, request: Request, data: bytes) -> Reply:
        condition = request.headers.get("x-goog-if-generation-match")
        stored = self._buckets.put(
            bucket,
            key,
            data,
            content_type=request.headers.get("content-type", ""),
            content_encoding=request.headers.get("content-encoding", ""),
            if_generation=None if condition is None else int(condition),
        )
        return Reply(headers=_described(stored))

    def _get(self, bucket: str, key: str, request: Request) -> Reply:
        stored = self._buckets.get(bucket, key)
        if request.headers.get("if-match", stored.etag) != stored.etag:
            raise RefusedError(412)
        headers = _described(stored) | {
            "Content-Type": stored.content_type,
            "Last-Modified": format_datetime(stored.created, usegmt=True),
        }
        if stored.content_encoding == "gzip" and not takes_gzip(request):
            # https://cloud.google.com/storage/docs/transcoding: whole, unpacked, whatever range is asked for
            return Reply(200, headers, gzip.decompress(stored.data))
        if stored.content_encoding:
            headers["Content-Encoding"] = stored.content_encoding
        return ranged(stored.data, request.headers.get("range", ""), headers)

    def _list(self, bucket: str, prefix: str) -> Reply:
        found = [self._buckets.get(bucket, key) for key in self._buckets.keys(bucket, prefix)]
        contents = "".join(
            f"<Contents><Key>{escape(one.key)}</Key><Generation>{one.generation}</Generation>"
            f"<LastModified>{one.created:%Y-%m-%dT%H:%M:%S.000Z}</LastModified>"
            f"<ETag>{escape(one.etag)}</ETag><Size>{len(one.data)}</Size></Contents>"
            for one in found
        )
        body = f"<ListBucketResult><IsTruncated>false</IsTruncated>{contents}</ListBucketResult>"
        return Reply(200, XML, body.encode())


def takes_gzip(request: Request) -> bool:
    """Say whether the asker unpacks gzip, or says so."""
    return "gzip" in request.headers.get("accept-encoding", "")


def ranged(data: bytes, wanted: str, headers: dict[str, str]) -> Reply:
    """Answer with a range of the bytes, or all of them."""
    match = re.fullmatch(r"bytes=(\d+)-(\d*)", wanted)
    if not match:
        return Reply(200, headers, data)
    start, end = int(match[1]), min(int(match[2] or len(data)), len(data) - 1)
    if start >= len(data):
        raise RefusedError(416)
    told = {"Content-Range": f"bytes {start}-{end}/{len(data)}"}
    return Reply(206, headers | told, data[start : end + 1])


def _described(stored: Stored) -> dict[str, str]:
    return {
        "ETag": stored.etag,
        "x-goog-generation": str(stored.generation),
        "x-goog-metageneration": str(stored.metageneration),
        "x-goog-stored-content-length": str(len(stored.data)),
    }


def _xml(name: str, **fields: str) -> Reply:
    inside = "".join(f"<{field}>{escape(text)}</{field}>" for field, text in fields.items())
    return Reply(200, XML, f"<{name}>{inside}</{name}>".encode())
