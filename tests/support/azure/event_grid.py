"""
Plays Event Grid: what is done to blobs, with Azure's own client, is announced in the uploads queue.

Azurite announces nothing. The words are those of Microsoft's samples, in Event Grid's own schema or as
CloudEvents, in base64 as Event Grid puts them into a Storage Queue.
https://learn.microsoft.com/azure/event-grid/event-schema-blob-storage
"""

from __future__ import annotations

import json
import uuid
from base64 import b64encode
from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

from azure.storage.blob import BlobBlock, ContentSettings

if TYPE_CHECKING:
    from azure.storage.queue import QueueClient

    from support.azure.azurite import Azurite

Schema = Literal["event_grid", "cloud_events"]
EXCLUDED = ".beagle/"
"""The subscription's filter: subjects of blobs below this are not announced."""
TOPIC = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/acmeuploads"


class Container:
    """
    A watched container, and the subscription to what is created in it.

    Each event is announced in each of the schemas: as often as there are any.
    """

    def __init__(
        self, azurite: Azurite, name: str, queue: QueueClient, schemas: tuple[Schema, ...] = ("event_grid",)
    ) -> None:
        """Make the container."""
        self.name, self._queue, self.schemas = name, queue, schemas
        self.client = azurite.blobs.create_container(name)
        self._sequence = count(1)

    def put(self, key: str, data: bytes, content_type: str = "application/octet-stream") -> None:
        """Upload in one request."""
        self.client.upload_blob(
            key, data, overwrite=True, content_settings=ContentSettings(content_type=content_type)
        )
        self.announce("PutBlob", key)

    def put_in_blocks(self, key: str, data: bytes) -> None:
        """Upload in pieces, as Azure's tools do with what is large."""
        blob, half = self.client.get_blob_client(key), len(data) // 2
        for name, piece in (("a", data[:half]), ("b", data[half:])):
            blob.stage_block(name, piece)
        blob.commit_block_list([BlobBlock("a"), BlobBlock("b")])
        self.announce("PutBlockList", key)

    def copy(self, source: str, key: str) -> None:
        """Copy a blob within the account."""
        blob = self.client.get_blob_client(key)
        blob.start_copy_from_url(self.client.get_blob_client(source).url)
        assert blob.get_blob_properties().copy.status == "success"
        self.announce("CopyBlob", key)

    def write_file(self, key: str, data: bytes) -> None:
        """Upload as Data Lake Storage does: it announces the empty file first, both at its own host."""
        self.client.upload_blob(key, b"")
        self.announce("CreateFile", key, host="dfs", contentOffset=0)
        self.client.upload_blob(key, data, overwrite=True)
        self.announce("FlushWithClose", key, host="dfs", contentOffset=0)

    def announce(self, api: str, key: str, *, host: str = "blob", **more: object) -> None:
        """Tell what was done, unless the subscription's filter holds it back."""
        subject = f"/blobServices/default/containers/{self.name}/blobs/{key}"
        if subject.startswith(f"/blobServices/default/containers/{self.name}/blobs/{EXCLUDED}"):
            return
        for schema in self.schemas:
            self.send(self.event(api, key, subject, schema, host, **more))

    def event(
        self,
        api: str,
        key: str,
        subject: str = "",
        schema: Schema = "event_grid",
        host: str = "blob",
        **more: object,
    ) -> dict[str, Any]:
        """Return what Event Grid says of a blob as it is now."""
        found = self.client.get_blob_client(key).get_blob_properties()
        data = {
            "api": api,
            "clientRequestId": str(uuid.uuid4()),
            "requestId": str(uuid.uuid4()),
            "eTag": found.etag,
            "contentType": found.content_settings.content_type,
            "contentLength": found.size,
            "blobType": "BlockBlob",
            "accessTier": "Default",
            "url": f"https://acmeuploads.{host}.core.windows.net/{self.name}/{quote(key, safe='~/')}",
            "sequencer": f"{next(self._sequence):032X}",
            "storageDiagnostics": {"batchId": str(uuid.uuid4())},
            **more,
        }
        now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}7Z"  # noqa: TID251 - plays a service, which has a clock
        common = {"id": str(uuid.uuid4()), "subject": subject, "data": data}
        kind = "Microsoft.Storage.BlobCreated"
        if schema == "cloud_events":
            return {**common, "specversion": "1.0", "source": TOPIC, "type": kind, "time": now}
        own = {"topic": TOPIC, "eventType": kind, "eventTime": now}
        return {**common, **own, "dataVersion": "", "metadataVersion": "1"}

    def send(self, event: dict[str, Any]) -> None:
        """Put an event into the queue."""
        self._queue.send_message(b64encode(json.dumps(event).encode()).decode(), time_to_live=7 * 24 * 3600)
