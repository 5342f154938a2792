"""Many objects at once through the deployed functions, with everything that can go wrong on the way."""

from __future__ import annotations

import re
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice
from typing import TYPE_CHECKING

from obstore.store import S3Store

from beagle.emulator import EmulatedDarwin, Fault, serve
from beagle.messages import load_letter
from beagle.playground.ministack import OWNER, REGION
from beagle.playground.stack import QUEUE_OUTPUTS, Queue, Stack
from beagle.providers.local.clock import EPOCH
from e2e.conftest import deliver_twice, limit_instances
from e2e.conserved import Ran
from e2e.invocations import read_invocations
from e2e.killing import killing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from e2e.archive import Deploy

PICTURE, OTHER_PICTURE = b"no picture, but bytes", b"other bytes"
DELIVERIES = 2
STORM = {
    "429": Fault(kind="status", status=429),
    "429 with Retry-After": Fault(kind="status", status=429, retry_after="1"),
    "500 before the commit": Fault(kind="status", status=500),
    "502 after the commit": Fault(kind="status", status=502, when="after"),
    "503 with Retry-After": Fault(kind="status", status=503, retry_after="2"),
    "reset before the commit": Fault(kind="reset"),
    "answer lost": Fault(kind="reset", when="after"),
    "answer torn": Fault(kind="truncated_json"),
    "answer without an item": Fault(kind="missing_item"),
    "silence after the commit": Fault(kind="hang", when="after", seconds=1),
}
UNHURT = 2
"""Requests that go well between two faults."""
LOOK_SECONDS = 0.25
UPLOADERS = 8
NAMED = re.compile(r"many/[0-9]{3}/[0-9]{6}-[a-z]+\.[a-z]+")


def key_of(number: int) -> str:
    """Name an object: one in a hundred is text, and Darwin will block one in two hundred."""
    kind = "blocked.png" if number % 200 == 11 else "notes.txt" if number % 100 == 7 else "picture.png"
    return f"many/{number // 1000:03d}/{number:06d}-{kind}"


def is_overwritten(number: int) -> bool:
    """Say whether an object gets a second content: one in a hundred does."""
    return number % 100 == 23


def run(  # noqa: PLR0913 - what is to happen
    deploy: Deploy,
    objects: int,
    *,
    faults: int,
    kills: int,
    hidden: int,
    seconds: float,
    items_per_request: int = 100,
    told: Callable[[int], None] = lambda _: None,
) -> Ran:
    """
    Upload objects, have each event delivered twice, and count what became of all.

    Darwin fails so often, and so often each function's processes are killed. What they had in hand comes
    again after `hidden` seconds; as deployed, it would after twelve minutes. Whatever is not done after
    `seconds` is counted as waiting. `told` hears how many items stand.
    """
    darwin = EmulatedDarwin.with_defaults(processing_seconds=0)
    with serve(darwin) as server:
        sizes = {"ItemsPerRequest": str(items_per_request), "RequestsPerMinute": "1000"}
        stack = deploy("many", server.url, **sizes)
        limit_instances(stack, prepare=2, register=2)
        deliver_twice(stack)
        _hide_for(stack, hidden)
        storm = list(islice(cycle(STORM), faults))
        darwin.inject(Fault(kind="block", match="blocked.png", count=None, reason="UNSUPPORTED_CODEC"))
        darwin.inject(*(STORM[kind].model_copy(update={"skip": UNHURT * n}) for n, kind in enumerate(storm)))
        uploaded: list[str] = []
        steps = [objects * step // (kills + 1) for step in range(1, kills + 1)]

        def standing() -> int:
            return len(darwin.context.world.items)

        began = time.monotonic()
        with killing(stack, steps, {"prepare": lambda: len(uploaded), "register": standing}) as killed:
            _upload(stack, objects, uploaded)
            while not _is_settled(stack, DELIVERIES * len(uploaded)) and time.monotonic() < began + seconds:
                told(standing())
                time.sleep(LOOK_SECONDS)
        took = time.monotonic() - began
        invocations = {function: read_invocations(stack, function) for function in stack.functions}
        keys = frozenset(uploaded)
        return Ran(
            objects=objects,
            seconds=took,
            announced=Counter(DELIVERIES * uploaded),
            registrable=frozenset(key for key in keys if key.endswith("picture.png")),
            blocked=frozenset(key for key in keys if key.endswith("blocked.png")),
            answered=tuple(line for read in invocations.values() for line in read.answered),
            queued={queue: _queued(stack, queue) for queue in ("uploads", "items")},
            items=Counter(item.storage_keys[0] for item in darwin.items()),
            letters=_letters(stack),
            requests=sum("register_existing" in served.path for served in darwin.requests()),
            faults=_happened(storm, darwin.pending_faults()),
            kills=killed,
            interrupted=Counter({function: read.died for function, read in invocations.items()}),
        )


def _hide_for(stack: Stack, seconds: int) -> None:
    for queue in ("uploads", "items"):
        stack.aws.client("sqs").set_queue_attributes(
            QueueUrl=stack.outputs[QUEUE_OUTPUTS[queue]], Attributes={"VisibilityTimeout": str(seconds)}
        )


def _upload(stack: Stack, objects: int, uploaded: list[str]) -> None:
    """Put every object into the bucket, then some of them once more with other content; note each."""
    store = S3Store(
        stack.outputs["SourceBucket"],
        endpoint=stack.aws.endpoint,
        region=REGION,
        access_key_id=OWNER,
        secret_access_key=OWNER,
        virtual_hosted_style_request=False,
        client_options={"allow_http": True},
    )

    def put(number: int, content: bytes) -> None:
        store.put(key_of(number), content)
        uploaded.append(key_of(number))

    numbers = range(objects)
    with ThreadPoolExecutor(UPLOADERS) as pool:
        list(pool.map(lambda number: put(number, PICTURE), numbers))
        list(pool.map(lambda number: put(number, OTHER_PICTURE), filter(is_overwritten, numbers)))


def _is_settled(stack: Stack, announced: int) -> bool:
    """Say whether nothing waits; what has left the first queue is in the second, so the order matters."""
    if _depth(stack, "uploads") or _depth(stack, "items"):
        return False
    # The rule brings announcements in its own time: some may not have been queued yet.
    left = [line for line in read_invocations(stack, "prepare").answered if line.ending != "again"]
    return len(left) >= announced


def _depth(stack: Stack, queue: Queue) -> int:
    """Ask only for the number: to list thousands of messages again and again would slow down all."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    answer = stack.aws.client("sqs").get_queue_attributes(
        QueueUrl=stack.outputs[QUEUE_OUTPUTS[queue]], AttributeNames=names
    )
    return sum(int(answer["Attributes"][name]) for name in names)


def _queued(stack: Stack, queue: Queue) -> Counter[str]:
    """Count what waits, by key; a message names its object more than once."""
    return Counter(key for message in stack.messages(queue) for key in set(NAMED.findall(message.body)))


def _letters(stack: Stack) -> dict[str, str]:
    bodies = [message.body for message in stack.messages("dead_letters")]
    letters = [load_letter(body, attempts=1, sent_at=EPOCH, version="test") for body in bodies]
    return {letter.event.ref.key if letter.event else "": letter.code for letter in letters}


def _happened(storm: Sequence[str], pending: Sequence[Fault]) -> Counter[str]:
    """Count the faults of a storm that are not pending any more."""
    kinds = {fault: kind for kind, fault in STORM.items()}
    left = [fault.model_copy(update={"skip": 0}) for fault in pending]
    return Counter(storm) - Counter(kinds[fault] for fault in left if fault in kinds)
