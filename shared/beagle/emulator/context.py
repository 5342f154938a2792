"""What every part of the emulated Darwin works with: its state, its clock, its hooks, its limits."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from .artifacts import Bucket, ObjectExists, OpenObject, problems_of
from .faults import Script
from .limits import Limits, TokenBuckets
from .world import World

if TYPE_CHECKING:
    from .records import Item


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """The emulator's hands in the buckets; each may be left out. They are called without any lock.

    object_exists  tells a wrong key from a right one: read-write items without their file end in error
    open_object    reads artifacts and thumbnails, and turns the checks of read-only items on
    write_back     puts what Darwin writes below a read-write storage's prefix: bucket, key, bytes
    """

    object_exists: ObjectExists | None = None
    open_object: OpenObject | None = None
    write_back: Callable[[str, str, bytes], None] | None = None


@dataclass(slots=True, kw_only=True)
class Context:
    """The world and the means to act on it."""

    clock: Callable[[], float]
    wall: Callable[[], float]
    hooks: Hooks
    limits: Limits
    processing_seconds: float
    readonly_dicom: bool
    world: World = field(default_factory=World)
    script: Script = field(default_factory=Script)
    buckets: TokenBuckets = field(init=False)

    def __post_init__(self) -> None:
        self.buckets = TokenBuckets(self.clock)

    def bucket_of(self, item: Item) -> Bucket | None:
        """Return the bucket an item's files lie in, if its storage is known."""
        storage = self.world.storages.get((item.team, item.storage))
        if storage is None:
            return None
        return Bucket(storage.locate, self.hooks.open_object, self.hooks.object_exists)

    def settle(self) -> None:
        """Bring items to the state the clock says they are in: processed, failed, or looked through.

        Time passes only when someone looks, so there is no thread and a fake clock decides all.
        """
        due = self._due()
        try:
            while due:
                self._settle(due[0])
                due.popleft()
        finally:
            # A hook that failed is asked again next time.
            self.world.unsettled.extend(item.id for item in due)

    def _settle(self, item: Item) -> None:
        settled = self._processed(item) if item.access == "read_write" else self._looked_through(item)
        if settled is not item:
            # Renamed, archived or removed meanwhile: change only what settling is about.
            self.world.change_items(
                [item],
                status=settled.status,
                problems=settled.problems,
                processing_error=settled.processing_error,
                updated_at=self.wall(),
            )

    def _due(self) -> deque[Item]:
        due: deque[Item] = deque()
        waiting: deque[str] = deque()
        with self.world.lock:
            now = self.clock()
            while self.world.unsettled:
                item = self.world.items.get(self.world.unsettled.popleft())
                if item is None:
                    continue
                if item.access == "read_write" and now - item.accepted_at < self.processing_seconds:
                    waiting.append(item.id)
                else:
                    due.append(item)
            self.world.unsettled.extend(waiting)
        return due

    def _processed(self, item: Item) -> Item:
        bucket = self.bucket_of(item)
        if bucket is not None and self.hooks.object_exists is not None:
            for key in item.storage_keys:
                if not bucket.has(key):
                    error = {
                        "message": "AccessDenied",
                        "processing_error_type": "storage",
                        "http_status_code": 403,
                        "stage": "download",
                        "storage_key": key,
                    }
                    return replace(item, status="error", processing_error=error)
        return replace(item, status="complete")

    def _looked_through(self, item: Item) -> Item:
        bucket = self.bucket_of(item)
        if bucket is None or self.hooks.open_object is None:
            return item
        problems = tuple(problems_of(item, bucket))
        return replace(item, problems=problems) if problems else item
