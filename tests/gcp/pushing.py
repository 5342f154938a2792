"""Plays Pub/Sub's push at its real width.

The emulator pushes two messages of a subscription at a time, and leaves out which attempt it is. Pub/Sub
pushes as many as are answered well. So this pulls from the emulator, which counts attempts, waits between
them and dead-letters, and pushes what it has pulled.
"""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, Self, TypeVar

import urllib3

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from gcp.functions import Instance
    from gcp.pubsub import PubSub

T = TypeVar("T")
IDLE_SECONDS = 0.05
ACKNOWLEDGED = frozenset({102, 200, 201, 202, 204})


class Pusher:
    """Brings a subscription's messages to a function's instances, so many at a time to each."""

    def __init__(
        self, pubsub: PubSub, subscription: str, instances: Sequence[Instance], concurrency: int
    ) -> None:
        self._pubsub, self._subscription = pubsub, subscription
        self._instances = instances
        self._http = urllib3.PoolManager(maxsize=concurrency * len(instances), retries=False, timeout=600)
        self._concurrency = concurrency
        self._busy = [0] * len(instances)
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._puller = threading.Thread(target=self._pull, daemon=True)
        self.paused = False
        """Whether messages stay where they are for now."""
        self.acknowledged = 0
        self.again = 0

    def __enter__(self) -> Self:
        self._puller.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._puller.join()

    @property
    def idle(self) -> bool:
        """Whether nothing is on its way."""
        return not any(self._busy)

    def _pull(self) -> None:
        with ThreadPoolExecutor(self._concurrency * len(self._instances)) as pool:
            while not self._stopping.is_set():
                free = 0 if self.paused else self._concurrency * len(self._instances) - sum(self._busy)
                pull = partial(self._pubsub.pull, self._subscription, min(free, 100))
                found = _once_or_twice(pull) if free else []
                for one in found:
                    with self._lock:
                        place = self._busy.index(min(self._busy))
                        self._busy[place] += 1
                    pool.submit(self._push, one, place)
                if not found:
                    time.sleep(IDLE_SECONDS)

    def _push(self, one: dict[str, Any], place: int) -> None:
        try:
            well = self._bring(one, place)
            if well:
                _once_or_twice(partial(self._pubsub.acknowledge, self._subscription, [one["ackId"]]))
            else:
                _once_or_twice(partial(self._pubsub.give_back, self._subscription, one["ackId"]))
            with self._lock:
                self.acknowledged += well
                self.again += not well
        finally:
            with self._lock:
                self._busy[place] -= 1

    def _bring(self, one: dict[str, Any], place: int) -> bool:
        """Push a message to an instance; say whether that acknowledges it."""
        body = {
            "message": {**one["message"], "message_id": one["message"]["messageId"]},
            "subscription": self._subscription,
            "deliveryAttempt": one["deliveryAttempt"],
        }
        try:
            answer = self._http.request("POST", self._instances[place].url, json=body)
        except urllib3.exceptions.HTTPError:
            return False
        return answer.status in ACKNOWLEDGED


def _once_or_twice(call: Callable[[], T]) -> T:
    """Ask the emulator once more when it has failed: on a busy machine it may, and all would stand still."""
    try:
        return call()
    except (urllib3.exceptions.HTTPError, AssertionError):
        return call()


def wrapped(data: str, attributes: dict[str, str] | None = None, **fields: Any) -> str:
    """Return the body of one push."""
    message = {"data": data, "messageId": "1", "attributes": attributes or {}}
    return json.dumps({"message": message, "subscription": "projects/p/subscriptions/s", **fields})
