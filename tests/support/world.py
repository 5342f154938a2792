"""A whole Beagle in this process, on a fake clock: local queues, a ledger in memory, the emulated Darwin."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from obstore.store import MemoryStore
from pydantic import SecretStr

from beagle import messages
from beagle.domain.events import Notification, ObjectCreated, ObjectRef
from beagle.domain.outcomes import Ending, Outcome
from beagle.domain.routes import parse_routes
from beagle.emulator import DEFAULT_KEY, EmulatedDarwin
from beagle.pipeline.crashes import CrashGuard
from beagle.pipeline.endings import Endings
from beagle.pipeline.groups import Groups
from beagle.pipeline.limits import Tries
from beagle.pipeline.passing import Onward
from beagle.pipeline.prepare import Prepare
from beagle.pipeline.register import Register
from beagle.ports import Attempts, Ledger, Stage
from beagle.providers.attempts import StoreAttempts
from beagle.providers.letters import QueueDeadLetters
from beagle.providers.local.clock import FakeClock
from beagle.providers.local.queue import LocalLetterBox, LocalQueue
from beagle.providers.parcels import StoreParcels
from beagle.providers.state import StoreGroupMembers, StoreLedger
from beagle.registration.client import DarwinClient
from beagle.registration.pacing import Pacer
from beagle.registration.registrar import DarwinRegistrar
from support.inprocess import InProcess

if TYPE_CHECKING:
    from beagle.domain.letters import DeadLetter
    from beagle.ports import Parse, Registrar

BASE_URL = "http://127.0.0.1:1"
BUCKET = "acme-uploads"

ROUTES = {
    "team": "acme",
    "routes": [
        {
            "name": "incoming",
            "watch": {"bucket": BUCKET},
            "dataset": "incoming",
            "storage": "acme-uploads",
        }
    ],
}


class Killed(BaseException):
    """The process ends here, as `kill -9` ends it: nothing after it runs."""


@dataclass
class Budget:
    """An invocation's time, on the fake clock."""

    clock: FakeClock
    seconds: float
    started: float = field(init=False)

    def __post_init__(self) -> None:
        self.started = self.clock.monotonic()

    def remaining(self) -> float:
        return self.seconds - (self.clock.monotonic() - self.started)


@dataclass
class Notebook:
    """A journal that remembers."""

    notes: list[tuple[str, Outcome]] = field(default_factory=list)
    alarms: list[tuple[str, str]] = field(default_factory=list)
    bugs: list[tuple[str, Exception]] = field(default_factory=list)

    def note(self, stage: str, outcome: Outcome) -> None:
        self.notes.append((stage, outcome))

    def alarm(self, code: str, message: str) -> None:
        self.alarms.append((code, message))

    def bug(self, stage: str, error: Exception) -> None:
        self.bugs.append((stage, error))


@dataclass
class World:
    """Uploads go in, items and letters come out; every part but the network is the deployed one.

    Each stage may run as several instances: `instance()` makes another that shares queues, ledger and Darwin,
    but not the pacer.
    """

    routes: dict[str, object] = field(default_factory=lambda: ROUTES)
    items_per_request: int = 100
    requests_per_minute: float = 1000
    seed: int = 0
    ledger: Ledger | None = None

    def __post_init__(self) -> None:
        self.clock = FakeClock()
        self.darwin = EmulatedDarwin.with_defaults(
            self.clock.monotonic, wall=lambda: self.clock.now().timestamp()
        )
        self.network = InProcess(self.darwin)
        self.uploads = LocalQueue(self.clock)
        self.items = LocalQueue(self.clock)
        self.dead = LocalQueue(self.clock)
        self.letter_box = LocalLetterBox(self.dead, "test")
        self.state = MemoryStore()
        self.ledger = self.ledger or StoreLedger(self.state, threads=1)
        self.attempts: dict[str, Attempts] = {
            stage: StoreAttempts(self.state, stage, threads=1) for stage in ("prepare", "extract", "register")
        }
        self.journal = Notebook()
        self.key = DEFAULT_KEY
        self.key_error: Exception | None = None
        self.key_fetches = 0
        self.chance = random.Random(self.seed)
        self.prepare = Prepare(
            parse=lambda body: messages.load_event(body) or Notification(announced=()),
            routes=parse_routes(self.routes),
            artifact_prefix=".beagle/",
            items=Onward(self.items, StoreParcels(self.state)),
            videos=None,
            artifacts=None,
            groups=Groups(StoreGroupMembers(self.state), self.clock),
            tries=self.tries("prepare"),
            endings=self._endings("prepare"),
            journal=self.journal,
        )
        self.register = self.instance()

    def instance(self, registrar: Registrar | None = None) -> Register:
        """Return another instance of register, as a platform starts them."""
        return Register(
            registrar=registrar or self.registrar(),
            ledger=self.ledger,
            parcels=StoreParcels(self.state),
            endings=self._endings("register"),
            journal=self.journal,
        )

    def tries(self, stage: str) -> Tries:
        return Tries(StoreAttempts(self.state, f"{stage}/stopped", threads=1))

    def guard(self, name: str, stage: Stage, parse: Parse | None = None) -> CrashGuard:
        """Return a stage as it is deployed: it gives up on messages that kill its process."""
        return CrashGuard(
            stage=stage,
            attempts=self.attempts[name],
            endings=self._endings(name),
            journal=self.journal,
            parse=parse,
        )

    def registrar(self) -> DarwinRegistrar:
        client = DarwinClient(BASE_URL, self._key, clock=self.clock)
        client._session().mount(f"{BASE_URL}/", self.network)
        pacer = Pacer(self.clock, self.requests_per_minute, random=random.Random(self.seed))
        return DarwinRegistrar(client, pacer, clock=self.clock, items_per_request=self.items_per_request)

    def _key(self) -> SecretStr:
        self.key_fetches += 1
        if self.key_error:
            raise self.key_error
        return SecretStr(self.key)

    def _endings(self, stage: str) -> Endings:
        return Endings(stage, QueueDeadLetters(self.dead), self.clock, "test", self.chance.random)

    # --- what happens ---

    def event(
        self, key: str, content: str = "v1", sequencer: str = "", size: int | None = 1000
    ) -> ObjectCreated:
        return ObjectCreated(
            ref=ObjectRef(provider="aws", bucket=BUCKET, key=key),
            content=content,
            size=size,
            occurred_at=datetime(2026, 1, 1, tzinfo=UTC),
            sequencer=sequencer,
        )

    def upload(self, key: str, content: str = "v1", sequencer: str = "", size: int | None = 1000) -> None:
        self.uploads.send([messages.dump_event(self.event(key, content, sequencer, size), 0)])

    def run_prepare(self, most: int = 10, seconds: float = 60) -> int:
        batch = self.uploads.receive(most)
        if batch:
            stage = self.guard("prepare", self.prepare, self.prepare.parse)
            self.uploads.answer(batch, stage.run(batch, Budget(self.clock, seconds)))
        return len(batch)

    def run_register(self, most: int = 100, seconds: float = 60, stage: Stage | None = None) -> int:
        batch = self.items.receive(most)
        if batch:
            stage = self.guard("register", stage or self.register)
            self.items.answer(batch, stage.run(batch, Budget(self.clock, seconds)))
        return len(batch)

    def settle(self, hours: float = 100) -> None:
        """Run both stages until nothing waits, moving the clock on when all that waits is hidden.

        Where one is killed, its platform starts another.
        """
        until = self.clock.monotonic() + hours * 3600
        while (self.uploads or self.items) and self.clock.monotonic() < until:
            try:
                worked = self.run_prepare() + self.run_register()
            except Killed:
                self.register = self.instance()
                continue
            if not worked:
                waits = [q.next_visible_in() for q in (self.uploads, self.items)]
                self.clock.advance(min(wait for wait in waits if wait is not None) + 0.001)

    # --- what can be seen ---

    def letters(self) -> list[DeadLetter]:
        return [kept.letter for kept in self.letter_box.list_letters()]

    def places(self) -> list[tuple[str, str, str]]:
        return [(item.dataset, item.path, item.name) for item in self.darwin.items()]

    def storage_keys(self) -> list[str]:
        return sorted(slot.storage_key for item in self.darwin.items() for slot in item.slots)

    def endings(self, stage: str = "register") -> Counter[Ending]:
        return Counter(outcome.ending for name, outcome in self.journal.notes if name == stage)

    def registrations(self) -> int:
        """Count the registration requests that Darwin has seen."""
        return sum("register_existing" in served.path for served in self.darwin.requests())
