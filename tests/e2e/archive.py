"""Beagle deployed for a storage that Darwin may only read, and what lies in its bucket."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from beagle.emulator import EmulatedDarwin, Hooks, Item, serve
from beagle.playground.stack import QUEUE_OUTPUTS, Stack
from e2e.books import Books

if TYPE_CHECKING:
    from beagle.playground.ministack import Ministack

READ_ONLY = "acme-archive"
FINAL = {"registered", "already_registered", "ignored", "dead_lettered", "superseded"}
SECONDS = 60.0

Deploy = Callable[..., Stack]


@dataclass(frozen=True, slots=True)
class Archive:
    """A Darwin that may only read, and a Beagle deployed for it."""

    darwin: EmulatedDarwin
    stack: Stack
    bucket: str

    def object(self, key: str) -> bytes:
        """Return what lies in the bucket."""
        s3 = self.stack.aws.client("s3")
        data: bytes = s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return data

    def artifacts(self) -> dict[str, str]:
        """Return what Beagle has written into the watched bucket: each key with the MD5 of its content."""
        pages = self.stack.aws.client("s3").get_paginator("list_objects_v2")
        found = pages.paginate(Bucket=self.bucket, Prefix=".beagle/")
        return {
            entry["Key"]: entry["ETag"].strip('"') for page in found for entry in page.get("Contents", ())
        }

    def artifacts_of(self, name: str) -> dict[str, str]:
        """Return the artifacts of the one item of a name, called as they are called below its own root."""
        root = self.fields(name)["storage_thumbnail_key"].removesuffix("thumbnail.jpg")
        return {key.removeprefix(root): md5 for key, md5 in self.artifacts().items() if key.startswith(root)}

    def fields(self, name: str) -> dict[str, Any]:
        """Return what Darwin was told of the one item of a name."""
        return self.item(name).slots[0].fields

    def item(self, name: str) -> Item:
        """Return the one item of a name."""
        [item] = [item for item in self.darwin.items() if item.name == name]
        return item

    def settle(self, folder: str, received: int, seconds: float = SECONDS) -> Books:
        """Wait until so many announcements have ended, and return the books."""

        def ended() -> bool:
            return sum(line.ending in FINAL for line in Books.of(self.stack, folder).lines) >= received

        self.stack.wait_until(ended, seconds=seconds, what="The end of every announcement")
        self.stack.wait_until_idle(seconds=seconds)
        return Books.of(self.stack, folder)

    def clear(self) -> None:
        """Forget all messages and items."""
        purge(self.stack)
        self.darwin.reset()


def purge(stack: Stack) -> None:
    """Empty all queues."""
    sqs = stack.aws.client("sqs")
    for queue in stack.queues:
        sqs.purge_queue(QueueUrl=stack.outputs[QUEUE_OUTPUTS[queue]])


@contextmanager
def open_archive(aws: Ministack, deploy: Deploy, name: str, **parameters: str) -> Iterator[Archive]:
    """Deploy Beagle for a bucket that Darwin may only read; it opens there every artifact it is told of."""
    s3, bucket = aws.client("s3"), f"{name}-uploads"

    def open_object(where: str, key: str) -> bytes | None:
        try:
            data: bytes = s3.get_object(Bucket=where, Key=key)["Body"].read()
        except ClientError:
            return None
        return data

    darwin = EmulatedDarwin.with_defaults(hooks=Hooks(open_object=open_object), processing_seconds=0)
    darwin.add_storage(READ_ONLY, bucket=bucket, region="us-east-1", readonly=True)
    with serve(darwin) as server:
        stack = deploy(name, server.url, Access="read_only", RequestsPerMinute="1000", **parameters)
        yield Archive(darwin, stack, bucket)
