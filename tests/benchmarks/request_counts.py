"""How many requests a thousand objects take, counted at the emulated Darwin."""

import json
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from urllib.parse import quote_plus

from obstore.store import MemoryStore

from beagle.emulator import DEFAULT_KEY, DEFAULT_TEAM, EmulatedDarwin, serve
from benchmarks import v7_lambda
from benchmarks.beagle_stages import (
    PREPARE_BATCH,
    announcements,
    events,
    prepare_all,
    register_all,
)
from benchmarks.rows import Row
from support.darwin_py import REGISTERS, sdk_python
from support.own_venv import NotInstalledError

GROUP = "Requests per 1,000 objects"
OBJECTS = 1000


def measure(advance: Callable[[str], None]) -> Iterator[Row]:
    """Register a thousand objects in each way, each with a Darwin of its own."""
    ways: list[tuple[str, Callable[[str], None], str]] = [
        ("Beagle, default (100 items a request)", lambda url: _beagle(url, 100), ""),
        ("Beagle, 500 items a request", lambda url: _beagle(url, 500), "V7's documented ceiling"),
        ("V7's own Lambda", _v7_lambda, "re-created: one object a request"),
        ("darwin-py", _darwin_py, "V7's SDK itself: ten items a request"),
    ]
    for what, way, note in ways:
        advance(what)
        darwin = EmulatedDarwin.with_defaults()
        with serve(darwin) as server:
            try:
                way(server.url)
            except NotInstalledError as error:
                yield Row(group=GROUP, what=what, value=None, unit="requests", note=str(error))
                continue
        registered = len(darwin.items())
        if registered != OBJECTS:
            raise RuntimeError(f"{what}: {registered} of {OBJECTS} objects stand in Darwin.")
        sent = [served for served in darwin.requests() if served.path.endswith("register_existing")]
        yield Row(group=GROUP, what=what, value=len(sent), unit="requests", note=note)


def _beagle(url: str, items_per_request: int) -> None:
    items = prepare_all(events(announcements(OBJECTS, "many"), PREPARE_BATCH))
    batches = events(items, items_per_request)
    register_all(batches, url=url, state=MemoryStore(), items_per_request=items_per_request)


def _v7_lambda(url: str) -> None:
    for number in range(OBJECTS):
        key = quote_plus(f"many/{number:06d}.jpg", safe="/")
        event = {"Records": [{"s3": {"object": {"key": key}}}]}
        v7_lambda.handler(event, url, DEFAULT_TEAM, "incoming", "acme-uploads", DEFAULT_KEY)


def _darwin_py(url: str) -> None:
    plan = {
        "key": DEFAULT_KEY,
        "team": DEFAULT_TEAM,
        "dataset": "incoming",
        "storage": "acme-uploads",
        "calls": [{"storage_keys": [f"many/{number:06d}.jpg" for number in range(OBJECTS)]}],
    }
    python = sdk_python()
    with tempfile.TemporaryDirectory() as home:
        subprocess.run(
            [python, REGISTERS],
            input=json.dumps(plan),
            env={"DARWIN_BASE_URL": url, "HOME": home},
            capture_output=True,
            text=True,
            timeout=600,
            check=True,
        )
