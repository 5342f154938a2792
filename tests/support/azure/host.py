"""
Plays the Functions host for queue triggers, around Microsoft's own worker: `python host.py FOLDER`.

It reads what the host reads, host.json and the app settings that override it, and does what the queues
extension does: so many messages at a time, hidden while their function works, deleted when it returns, hidden
for the visibility time-out when it raises, and put into the poison queue after the last try, or at once where
they are no base64. https://learn.microsoft.com/azure/azure-functions/functions-bindings-storage-queue
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import re
import sys
import threading
import uuid
from base64 import b64decode
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.storage.queue import QueueServiceClient
from worker import Function, Worker, metadata_of

ENVIRONMENT = os.environ  # noqa: TID251 - app settings are environment variables
OVERRIDES = "AzureFunctionsJobHost__extensions__queues__"
IDLE_SECONDS = 0.05, 0.4
"""From the first empty answer on, up to the longest pause; the real host's are longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the queues extension is told; times are seconds."""

    batch_size: int
    new_batch_threshold: int
    max_dequeue_count: int
    visibility_timeout: float
    message_encoding: str

    @classmethod
    def read(cls, folder: Path) -> Options:
        """Return what host.json says, as far as no app setting says otherwise."""
        told = json.loads((folder / "host.json").read_text())["extensions"]["queues"]
        told |= {
            name.removeprefix(OVERRIDES): value
            for name, value in ENVIRONMENT.items()
            if name.startswith(OVERRIDES)
        }
        batch = int(told.get("batchSize", 16))
        return cls(
            batch_size=batch,
            new_batch_threshold=int(told.get("newBatchThreshold", batch // 2)),
            max_dequeue_count=int(told.get("maxDequeueCount", 5)),
            visibility_timeout=_seconds(told.get("visibilityTimeout", "00:00:00")),
            message_encoding=told.get("messageEncoding", "base64"),
        )


def _seconds(span: str) -> float:
    hours, minutes, seconds = span.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def resolve(expression: str) -> str:
    """Return a binding's text with `%NAME%` replaced by app settings; one that is missing is an error."""
    return re.sub(r"%([^%]+)%", lambda found: ENVIRONMENT[found[1]], expression)


class Listener:
    """Takes the messages of one function's queue through it."""

    def __init__(
        self, worker: Worker, function: Function, options: Options, *, faster: float, lease: int
    ) -> None:
        self._worker, self._function, self._options = worker, function, options
        self._hidden = round(options.visibility_timeout / faster)
        self._lease = lease
        service = QueueServiceClient.from_connection_string(ENVIRONMENT[function.trigger["connection"]])
        name = resolve(function.trigger["queueName"])
        self._queue = service.get_queue_client(name)
        self._poison = service.get_queue_client(f"{name}-poison")
        self._working: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Listen for ever."""
        pause, longest = IDLE_SECONDS
        while True:
            found = []
            if len(self._working) <= self._options.new_batch_threshold:
                found = await asyncio.to_thread(self._receive)
            for message in found:
                task = asyncio.create_task(self._take(message))
                self._working.add(task)
                task.add_done_callback(self._working.discard)
            pause = IDLE_SECONDS[0] if found else min(2 * pause, longest)
            await asyncio.sleep(0 if found else pause)

    def _receive(self) -> list[Any]:
        size = self._options.batch_size
        return list(
            self._queue.receive_messages(
                messages_per_page=size, max_messages=size, visibility_timeout=self._lease
            )
        )

    async def _take(self, message: Any) -> None:
        renewal = asyncio.create_task(self._renew(message))
        try:
            body = self._decoded(message.content)
            if body is None or message.dequeue_count > self._options.max_dequeue_count:
                await asyncio.to_thread(self._give_up, message)
                return
            name = str(uuid.uuid4())
            failed = await self._worker.invoke(self._function, name, body, metadata_of(message))
        finally:
            renewal.cancel()
        await asyncio.to_thread(self._end, message, failed)

    def _decoded(self, content: str) -> str | None:
        if self._options.message_encoding != "base64":
            return content
        try:
            return b64decode(content, validate=True).decode(errors="replace")
        except ValueError:
            return None

    async def _renew(self, message: Any) -> None:
        while True:
            await asyncio.sleep(self._lease / 2)
            await asyncio.to_thread(self._hide, message, self._lease)

    def _end(self, message: Any, failed: str | None) -> None:
        try:
            if failed is None:
                self._queue.delete_message(message)
            elif message.dequeue_count >= self._options.max_dequeue_count:
                self._give_up(message)
            else:
                self._hide(message, self._hidden)
        except HttpResponseError as error:  # somebody else has it by now
            logging.getLogger("host").warning("%s: %s", self._function.name, error.reason)

    def _hide(self, message: Any, seconds: int) -> None:
        message.pop_receipt = self._queue.update_message(message, visibility_timeout=seconds).pop_receipt

    def _give_up(self, message: Any) -> None:
        """Move a message to the poison queue, which is made when first needed; there it lives for a week."""
        try:
            self._poison.send_message(message.content)
        except ResourceNotFoundError:
            self._poison.create_queue()
            self._poison.send_message(message.content)
        self._queue.delete_message(message)


def end_with_the_parent() -> None:
    """Wait for the end of standard input, which comes however the parent ends; then end."""
    while os.read(0, 1):
        continue
    os._exit(0)


async def main() -> None:
    """Run an app's functions."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--faster", type=float, default=1, help="by how much waits are shortened")
    parser.add_argument("--lease", type=int, default=600, help="seconds that a message is hidden, renewed")
    parser.add_argument("--index", action="store_true", help="only say what is there")
    told = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")  # as the worker has it
    worker = await Worker.start(told.folder)
    [handler] = logging.getLogger().handlers
    handler.addFilter(worker.is_heard)
    indexed = {function.name: function.trigger for function in worker.functions}
    sys.stdout.write(json.dumps({"indexed": indexed}) + "\n")
    sys.stdout.flush()
    if told.index:
        return
    threading.Thread(target=end_with_the_parent, daemon=True).start()
    options = Options.read(told.folder)
    listeners = [
        Listener(worker, function, options, faster=told.faster, lease=told.lease)
        for function in worker.functions
    ]
    await asyncio.gather(*(listener.run() for listener in listeners))


if __name__ == "__main__":
    asyncio.run(main())
