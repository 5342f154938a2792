"""Cloud Storage's JSON API, as far as its Python client and Beagle's own reader speak it."""

from __future__ import annotations

import itertools
import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from gcp.buckets import RefusedError
from gcp.xml_api import Reply, Request, ranged

if TYPE_CHECKING:
    from gcp.buckets import Buckets, Stored

_OBJECT = re.compile(r"(?:/download)?/storage/v1/b/([^/]+)/o/([^/]+)")
_REWRITE = re.compile(r"/storage/v1/b/([^/]+)/o/([^/]+)/rewriteTo/b/([^/]+)/o/([^/]+)")
_UPLOAD = re.compile(r"(?:/resumable)?/upload/storage/v1/b/([^/]+)/o")
_BUCKET = re.compile(r"/storage/v1/b/([^/]+)")
_LIST = re.compile(r"/storage/v1/b/([^/]+)/o")


class JsonApi:
    """Answers requests below `/storage`, `/upload` and `/download`."""

    def __init__(self, buckets: Buckets, address: str) -> None:
        self._buckets = buckets
        self._address = address
        self._sessions: dict[str, tuple[dict[str, Any], dict[str, str], bytes]] = {}
        self._names = itertools.count()

    def answer(self, request: Request) -> Reply:
        """Carry a request out; what it refuses is raised."""
        if match := _UPLOAD.fullmatch(request.path):
            return self._upload(unquote(match[1]), request)
        if match := _REWRITE.fullmatch(request.path):
            source, copy = (unquote(match[1]), unquote(match[2])), (unquote(match[3]), unquote(match[4]))
            stored = self._buckets.get(*source)
            made = self._buckets.put(*copy, stored.data, content_type=stored.content_type)
            return _json({"kind": "storage#rewriteResponse", "done": True, "resource": made.resource()})
        if match := _OBJECT.fullmatch(request.path):
            return self._object(unquote(match[1]), unquote(match[2]), request)
        if match := _LIST.fullmatch(request.path):
            bucket, prefix = unquote(match[1]), request.query.get("prefix", "")
            found = [self._buckets.get(bucket, key).resource() for key in self._buckets.keys(bucket, prefix)]
            return _json({"kind": "storage#objects", "items": found})
        if match := _BUCKET.fullmatch(request.path):
            return _json({"kind": "storage#bucket", "name": unquote(match[1]), "location": "EU"})
        raise RefusedError(404)

    def _object(self, bucket: str, key: str, request: Request) -> Reply:
        match request.method:
            case "GET":
                generation = request.query.get("generation")
                stored = self._buckets.get(bucket, key, int(generation) if generation else None)
                _require(stored, request)
                if request.query.get("alt") != "media":
                    return _json(stored.resource())
                headers = {
                    "Content-Type": stored.content_type,
                    "x-goog-generation": str(stored.generation),
                    **({"Content-Encoding": stored.content_encoding} if stored.content_encoding else {}),
                }
                return ranged(stored.data, request.headers.get("range", ""), headers)
            case "PATCH":
                changes = json.loads(request.body).get("metadata") or {}
                return _json(self._buckets.patch(bucket, key, changes).resource())
            case "DELETE":
                self._buckets.delete(bucket, key, _condition(request.query))
                return Reply(204)
        raise RefusedError(405)

    def _upload(self, bucket: str, request: Request) -> Reply:
        if name := request.query.get("upload_id"):
            return self._continue(name, request)
        if request.query["uploadType"] == "multipart":
            described, media = _parts(request)
            told = json.loads(described[1])
            told.setdefault("contentType", media[0])
            return self._keep(bucket, told, request.query, media[1])
        name = f"session-{next(self._names)}"
        told = {**json.loads(request.body or b"{}"), "bucket": bucket}
        told.setdefault("contentType", request.headers.get("x-upload-content-type", ""))
        told.setdefault("name", request.query.get("name", ""))
        self._sessions[name] = told, request.query, b""
        where = f"{self._address}{request.path}?uploadType=resumable&upload_id={name}"
        return Reply(200, {"Location": where, "X-GUploader-UploadID": name})

    def _continue(self, name: str, request: Request) -> Reply:
        told, query, had = self._sessions[name]
        data = had + request.body
        total = request.headers.get("content-range", f"/{len(data)}").rpartition("/")[2]
        if total == "*" or len(data) < int(total):
            self._sessions[name] = told, query, data
            return Reply(308, {"Range": f"bytes=0-{len(data) - 1}"} if data else {})
        del self._sessions[name]
        return self._keep(told.pop("bucket"), told, query, data)

    def _keep(self, bucket: str, told: dict[str, Any], query: dict[str, str], data: bytes) -> Reply:
        stored = self._buckets.put(
            bucket,
            told["name"],
            data,
            content_type=told.get("contentType", ""),
            content_encoding=told.get("contentEncoding", ""),
            if_generation=_condition(query),
        )
        return _json(stored.resource())


def _condition(query: dict[str, str]) -> int | None:
    return int(query["ifGenerationMatch"]) if "ifGenerationMatch" in query else None


def _require(stored: Stored, request: Request) -> None:
    if _condition(request.query) not in {None, stored.generation}:
        raise RefusedError(412)


def _parts(request: Request) -> list[tuple[str, bytes]]:
    """Return each part's type and content, byte for byte: an email parser would change line ends."""
    boundary = b"--" + request.headers["content-type"].partition("boundary=")[2].strip('"').encode()
    parts = []
    for part in request.body.split(boundary)[1:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        kind = head.decode().strip().partition(":")[2].partition(";")[0].strip()
        parts.append((kind, content.removesuffix(b"\r\n")))
    return parts


def _json(value: dict[str, Any]) -> Reply:
    return Reply(200, {"Content-Type": "application/json; charset=UTF-8"}, json.dumps(value).encode())
