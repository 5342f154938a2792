"""Many objects at once through register's instances, with everything that can go wrong on the way."""

from __future__ import annotations

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from beagle.emulator import DEFAULT_TEAM, EmulatedDarwin, Fault, Hooks, serve
from e2e.books import Books
from gcp.deployment import Deployment
from gcp.xml_api import Reply, Request

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from beagle.emulator import Served
    from gcp.cloud import Cloud
    from gcp.pubsub import PubSub

PICTURE = b"no picture, but bytes"
REGISTERS = 2
FAILING = 50
"""One in so many requests of the state bucket is answered with 503."""
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
    codes: dict[str, str]
    """Dead letters: key to code."""
    kills: int


def run(  # noqa: PLR0913 - what is to happen
    pubsub: PubSub,
    cloud: Cloud,
    folder: Path,
    objects: int,
    *,
    faults: bool,
    poison: bool = False,
    backlog: bool = False,
    gather: float = 1,
    name: str = "many",
    told: Callable[[int], None] = lambda _: None,
) -> Ran:
    """
    Upload objects, wait until all has ended, and return the books.

    With faults every object is announced twice, Darwin throttles, fails and resets, the state bucket fails
    now and then, and an instance is killed in the midst of it. The poison kills each process that begins it.
    Of a `backlog` register is brought nothing before all is prepared, as after an outage. A request waits for
    `gather` seconds to be filled. `told` hears how many items stand.
    """
    bucket, chance, kills = f"{name}-uploads", Random(7), Counter[str]()
    patience = 120 + objects / 10
    darwin = EmulatedDarwin.with_defaults(hooks=Hooks(), processing_seconds=0)
    darwin.add_storage("acme-uploads", bucket=bucket, region="europe-west1")
    settings = {
        "BEAGLE_TEAM": DEFAULT_TEAM,
        "BEAGLE_DATASET": "incoming",
        "BEAGLE_STORAGE": "acme-uploads",
        "BEAGLE_BUCKET": bucket,
        "BEAGLE_REQUESTS_PER_MINUTE": "1000",
        "BEAGLE_GATHER_SECONDS": str(gather),
        # For so long nobody else posts what a killed instance was to post; deployed, it is two minutes.
        "BEAGLE_INVOCATION_SECONDS": "42",
    }
    with (
        serve(darwin) as server,
        Deployment(
            *(pubsub, cloud, folder, name, server.url),
            instances={"prepare": 1, "register": REGISTERS},
            settings=settings,
            wide=True,
        ) as deployment,
    ):
        registers = {instance.name: instance for instance in deployment.instances["register"]}

        def trouble(request: Request) -> Reply | None:
            if request.via in registers and b"poison.png" in request.body:
                kills["poison"] += 1
                registers[request.via].kill_worker()
                return Reply(503)
            return Reply(503) if faults and request.via and chance.randrange(FAILING) == 0 else None

        topic, usual, cloud.before = deployment.topics["uploads"], cloud.before, trouble
        if faults:
            darwin.inject(*(fault.model_copy(update={"skip": n}) for n, fault in enumerate(STORM)))
        began = time.monotonic()
        deployment.pushers["register"].paused = backlog
        if poison:
            cloud.notify(bucket, pubsub, topic)
            cloud.buckets.put(bucket, "many/poison.png", PICTURE)
        cloud.notify(bucket, pubsub, topic, times=2 if faults else 1)
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda n: cloud.buckets.put(bucket, f"many/{n:06d}.png", PICTURE), range(objects)))
        if faults:
            threading.Thread(target=_kill_midway, args=(darwin, objects, deployment, kills)).start()
        if backlog:
            deployment.wait_until(lambda: _all_prepared(deployment, objects), f"{objects} prepared", patience)
            deployment.pushers["register"].paused = False

        def settled() -> bool:
            told(len(darwin.items()))
            return (
                len(darwin.items()) >= objects
                and (not poison or '"crash_loop"' in "".join(deployment.logs("register")))
                and _drained(deployment)
            )

        deployment.wait_until(settled, f"{objects} items", seconds=patience)
        seconds = time.monotonic() - began
        cloud.before = usual
        letters = [one.letter for one in deployment.letter_box().list_letters()]
        return Ran(
            announced=objects * (2 if faults else 1) + poison,
            seconds=seconds,
            items=Counter(item.storage_keys[0] for item in darwin.items()),
            books=deployment.books("many"),
            requests=sum(is_registration(served) for served in darwin.requests()),
            codes={letter.event.ref.key if letter.event else "": letter.code for letter in letters},
            kills=kills.total(),
        )


def is_registration(served: Served) -> bool:
    """Say whether a request that Darwin has seen asks for registrations."""
    return "register_existing" in served.path


def _all_prepared(deployment: Deployment, objects: int) -> bool:
    """Say whether prepare has passed on so many objects."""
    return deployment.books("many").count("prepare")["passed_on"] >= objects


def _drained(deployment: Deployment) -> bool:
    """Say whether every message was taken by prepare, and all that it passed on by register."""
    prepare, register = deployment.pushers["prepare"], deployment.pushers["register"]
    books = deployment.books("many")
    return prepare.idle and register.idle and register.acknowledged >= books.count("prepare")["passed_on"] > 0


def _kill_midway(darwin: EmulatedDarwin, objects: int, deployment: Deployment, kills: Counter[str]) -> None:
    deadline = time.monotonic() + 60
    while len(darwin.items()) < objects / 3 and time.monotonic() < deadline:
        time.sleep(0.02)
    kills["midway"] += 1
    deployment.instances["register"][0].kill()
