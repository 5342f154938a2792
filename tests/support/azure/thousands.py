"""Many objects at once through register's instances, with everything that can go wrong on the way."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from beagle.emulator import DEFAULT_TEAM, EmulatedDarwin, Fault, serve
from e2e.books import Books
from support.azure.azurite import connection_string
from support.azure.deployment import Deployment
from support.azure.door import Door
from support.azure.event_grid import Container

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.azure.azurite import Azurite
    from support.azure.key_vault import KeyVault

PICTURE = b"no picture, but bytes"
REGISTERS = 2
FAILING = 50
"""One in so many requests of containers is answered with 503."""
STORM = (
    Fault(kind="status", status=429, retry_after="1"),
    Fault(kind="status", status=502, when="after"),
    Fault(kind="status", status=500),
    Fault(kind="reset", when="after"),
    Fault(kind="truncated_json"),
    Fault(kind="missing_item"),
)


@dataclass(frozen=True, slots=True)
class Ran:
    """What became of the objects."""

    announced: int
    seconds: float
    items: Counter[str]
    """By storage key."""
    books: Books
    requests: int
    """For registrations."""
    calls: Mapping[str, Counter[str]]
    """What the functions and their hosts asked of `queues` and of `containers`."""
    letters: int
    killed: bool


def run(  # noqa: PLR0913 - what is to happen
    azurite: Azurite,
    vault: KeyVault,
    folder: Path,
    objects: int,
    *,
    faults: bool,
    lease: int = 5,
    gather: float = 1,
    name: str = "many",
    told: Callable[[int], None] = lambda _: None,
) -> Ran:
    """
    Upload objects, wait until all has ended, and return the books.

    Without faults register begins when all are prepared, as after an outage. With faults every object is
    announced twice, Darwin throttles, fails and resets, the state's container fails now and then, and an
    instance is killed in the midst of it; its messages come again after the `lease`, which is ten minutes on
    Azure. A request waits for `gather` seconds to be filled. `told` hears how many items stand.
    """
    bucket = f"{name}-uploads"
    darwin = EmulatedDarwin.with_defaults(processing_seconds=0)
    darwin.add_storage("acme-uploads", provider="azure", bucket=bucket)
    with (
        serve(darwin) as server,
        Door(azurite.ports[0]) as containers,
        Door(azurite.ports[1]) as queues,
        Deployment(
            *(azurite, vault, folder, name, server.url),
            instances={"prepare": 1, "register": REGISTERS},
            settings={
                "BEAGLE_QUEUES": connection_string(containers.port, queues.port),
                "BEAGLE_TEAM": DEFAULT_TEAM,
                "BEAGLE_DATASET": "incoming",
                "BEAGLE_STORAGE": "acme-uploads",
                "BEAGLE_BUCKET": bucket,
                "BEAGLE_REQUESTS_PER_MINUTE": "1000",
                "BEAGLE_GATHER_SECONDS": str(gather),
                # For so long nobody else posts what a killed instance was to post: on Azure five minutes,
                # and its messages come again after ten.
                "BEAGLE_INVOCATION_SECONDS": "50",
            },
            lease=lease if faults else 60,
        ) as deployment,
    ):
        schemas = ("event_grid", "cloud_events") if faults else ("event_grid",)
        container = Container(azurite, bucket, deployment.queues["uploads"], schemas)
        killer = threading.Thread(target=_kill_midway, args=(darwin, objects, deployment))
        registers = deployment.instances["register"]
        for instance in registers if not faults else ():
            instance.kill()
        if faults:
            containers.fails_one_in = FAILING
            darwin.inject(*(fault.model_copy(update={"skip": n}) for n, fault in enumerate(STORM)))
            killer.start()
        began = time.monotonic()
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda number: container.put(f"many/{number:06d}.png", PICTURE), range(objects)))
        if not faults:
            waiting = f"{objects} prepared"
            deployment.wait_until(lambda: deployment.depth("items") == objects, waiting, 60 + objects / 5)
            for instance in registers:
                instance.start()

        def stand() -> bool:
            told(len(darwin.items()))
            return len(darwin.items()) >= objects

        deployment.wait_until(stand, f"{objects} items", seconds=60 + objects / 5)
        seconds = time.monotonic() - began
        deployment.wait_until_idle()
        if faults:
            killer.join()
        return Ran(
            announced=objects * len(schemas),
            seconds=seconds,
            items=Counter(item.storage_keys[0] for item in darwin.items()),
            books=deployment.books("many"),
            requests=sum("register_existing" in served.path for served in darwin.requests()),
            calls={"queues": queues.counts, "containers": containers.counts},
            letters=deployment.depth("dead-letters"),
            killed=faults,
        )


def _kill_midway(darwin: EmulatedDarwin, objects: int, deployment: Deployment) -> None:
    """End an instance once a third of the items stand; its platform starts another."""
    deadline = time.monotonic() + 60 + objects / 5
    while len(darwin.items()) < objects / 3 and time.monotonic() < deadline:
        time.sleep(0.02)
    instance = deployment.instances["register"][0]
    instance.kill()
    instance.start()
