"""A whole Beagle for read-only storage in this process: every stage, real media, a bucket in memory."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import obstore
from obstore.store import MemoryStore

from beagle import messages
from beagle.domain.events import ObjectCreated, ObjectRef
from beagle.domain.routes import parse_routes
from beagle.emulator import Hooks
from beagle.media.child import Children
from beagle.media.maker import Maker
from beagle.pipeline.extract import Extract
from beagle.pipeline.passing import Onward
from beagle.pipeline.series import SeriesOnce
from beagle.providers.local.queue import LocalQueue
from beagle.providers.objects import Objects
from beagle.providers.parcels import StoreParcels, StorePartResults
from support.world import Budget, World

if TYPE_CHECKING:
    from beagle.ports import Deadline

PLAYLIST = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{}\n#EXT-X-ENDLIST\n"
BUCKET = "acme-archive"
ROUTE = {
    "name": "archive",
    "watch": {"bucket": BUCKET, "prefix": "in/"},
    "dataset": "incoming",
    "storage": "acme-archive",
    "access": "read_only",
    "video": {"fps": 5},
}


@dataclass
class Archive:
    """A world whose one route is read-only, and the stage that makes videos' artifacts."""

    invocation_seconds: float = 900
    route: dict[str, object] = field(default_factory=lambda: ROUTE)

    def __post_init__(self) -> None:
        self.bucket = MemoryStore()
        self.world = World(routes={"team": "acme", "routes": [self.route]})
        self.world.darwin.context.hooks = Hooks(open_object=self.read)
        self.videos = LocalQueue(self.world.clock)
        self.children = Children()
        objects = Objects(lambda _bucket: self.bucket, self._no_odd_keys, ".beagle/")
        maker = Maker(objects.open, objects.sink, self.invocation_seconds, self.children)
        onward = Onward(self.world.items, StoreParcels(self.world.state))
        self.change()
        self.world.prepare = replace(
            self.world.prepare,
            artifacts=SeriesOnce(maker, StorePartResults(self.world.state, "groups"), self.world.clock),
            videos=Onward(self.videos, StoreParcels(self.world.state)),
        )
        self.no_libraries = Children(tasks="not.in.the.package")
        self.extract = Extract(
            artifacts=replace(maker, children=self.no_libraries),
            results=StorePartResults(self.world.state),
            ledger=self.world.ledger,
            items=onward,
            videos=self.videos,
            tries=self.world.tries("extract"),
            endings=self.world._endings("extract"),
            journal=self.world.journal,
        )

    def change(self, **route: object) -> None:
        """Deploy the route anew, with what differs."""
        routes = parse_routes({"team": "acme", "routes": [{**self.route, **route}]})
        self.world.prepare = replace(self.world.prepare, routes=routes)

    @staticmethod
    def _no_odd_keys(event):
        raise AssertionError(event)

    def read(self, _bucket: str, key: str) -> bytes | None:
        try:
            return bytes(obstore.get(self.bucket, key).bytes())
        except FileNotFoundError:
            return None

    @staticmethod
    def ref(key: str) -> ObjectRef:
        return ObjectRef(provider="aws", bucket=BUCKET, key=key)

    def upload(self, key: str, data: bytes, times: int = 2) -> ObjectCreated:
        put = obstore.put(self.bucket, key, data)
        event = replace(
            self.world.event(key, str(put["e_tag"]).strip('"'), size=len(data)), ref=self.ref(key)
        )
        self.world.uploads.send([messages.dump_event(event, 0)] * times)
        return event

    def settle(self) -> None:
        while self.world.uploads or self.videos or self.world.items:
            worked = self.world.run_prepare() + self.world.run_register()
            if not self.run_extract(Budget(self.world.clock, 900)) and not worked:
                waits = [q.next_visible_in() for q in (self.world.uploads, self.videos, self.world.items)]
                self.world.clock.advance(min(wait for wait in waits if wait is not None) + 0.001)

    def run_extract(self, deadline: Deadline) -> int:
        """Take one message through extract, as it is deployed; say how many there were."""
        batch = self.videos.receive(1)
        if batch:
            stage = self.world.guard("extract", self.extract)
            self.videos.answer(batch, stage.run(batch, deadline))
        return len(batch)

    def artifacts(self) -> dict[str, bytes]:
        listed = [meta["path"] for page in self.bucket.list(".beagle/") for meta in page]
        return {path: bytes(obstore.get(self.bucket, path).bytes()) for path in listed}
