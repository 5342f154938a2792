"""How many objects a second one core takes through each stage: CPU seconds of this process alone."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar
from urllib.parse import quote_plus

from obstore.store import MemoryStore, S3Store

from beagle.emulator import DEFAULT_KEY, DEFAULT_TEAM
from beagle.playground.ministack import OWNER, REGION, Ministack
from benchmarks import v7_lambda
from benchmarks.beagle_stages import (
    PREPARE_BATCH,
    announcements,
    events,
    prepare_all,
    register_all,
)
from benchmarks.rows import Row

Result = TypeVar("Result")

GROUP = "Objects a second, per core"
OBJECTS = 3000
PEERS_OBJECTS = 500
ITEMS_PER_REQUEST = 100


def measure(advance: Callable[[str], None], aws: Ministack) -> Iterator[Row]:
    """Take objects through each stage, and through the peer, against a Darwin in a process of its own."""
    advance("prepare")
    incoming = events(announcements(OBJECTS, "memory"), PREPARE_BATCH)
    prepared, items = _seconds(lambda: prepare_all(incoming))
    again = prepare_all(events(announcements(OBJECTS, "bucket"), PREPARE_BATCH))

    advance("register, ledger in memory")
    with _darwin() as url:
        in_memory = _register(items, url, MemoryStore())
    advance("register, ledger in S3")
    bucket = "benchmark-state"
    aws.client("s3").create_bucket(Bucket=bucket)
    state = S3Store(
        bucket,
        endpoint=aws.endpoint,
        region=REGION,
        access_key_id=OWNER,
        secret_access_key=OWNER,
        virtual_hosted_style_request=False,
        client_options={"allow_http": True},
    )
    with _darwin() as url:
        in_bucket = _register(again, url, state)
    advance("V7's own Lambda")
    with _darwin() as url:
        peer, _ = _seconds(lambda: _v7_lambda(url))

    for what, seconds, objects, note in (
        ("prepare", prepared, OBJECTS, "notification to item"),
        ("register, ledger in memory", in_memory, OBJECTS, "100 items a request, over a socket"),
        ("register, ledger in S3", in_bucket, OBJECTS, "two conditional writes an object, on the local AWS"),
        ("prepare + register, ledger in S3", prepared + in_bucket, OBJECTS, "the whole way"),
        ("V7's own Lambda", peer, PEERS_OBJECTS, "the whole way, without ledger, log or retry"),
    ):
        yield Row(group=GROUP, what=what, value=objects / seconds, unit="objects/s", note=note)


def _register(items: list[str], url: str, state: MemoryStore | S3Store) -> float:
    batches = events(items, ITEMS_PER_REQUEST)
    seconds, _ = _seconds(
        lambda: register_all(batches, url=url, state=state, items_per_request=ITEMS_PER_REQUEST)
    )
    return seconds


def _v7_lambda(url: str) -> None:
    for number in range(PEERS_OBJECTS):
        key = quote_plus(f"peer/{number:06d} of many.jpg", safe="/")
        event = {"Records": [{"s3": {"object": {"key": key}}}]}
        v7_lambda.handler(event, url, DEFAULT_TEAM, "incoming", "acme-uploads", DEFAULT_KEY)


def _seconds(work: Callable[[], Result]) -> tuple[float, Result]:
    started = time.process_time()
    result = work()
    return time.process_time() - started, result


@contextmanager
def _darwin() -> Iterator[str]:
    """Start an emulated Darwin whose work is not counted as ours."""
    command = [sys.executable, "-m", "beagle.emulator", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        if process.stdout is None:
            raise RuntimeError("The emulator has no output.")
        try:
            yield process.stdout.readline().split()[0]
        finally:
            process.terminate()
