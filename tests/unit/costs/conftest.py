"""The real stages at a door that counts, on a local AWS."""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import suppress
from http.server import ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from beagle.emulator import DEFAULT_KEY, DEFAULT_TEAM, EmulatedDarwin, serve
from beagle.playground.ministack import REGION, Ministack
from support.counted import READ_ONLY, STATE, UPLOADS, Counting, Deployment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ministack]:
    with Ministack(tmp_path_factory.mktemp("aws")) as running:
        s3 = running.client("s3")
        s3.create_bucket(Bucket=UPLOADS)
        s3.create_bucket(Bucket=STATE)
        yield running


@pytest.fixture
def deployed(
    aws: Ministack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Callable[..., Deployment]]:
    """Return how to deploy: `deployed(access="read_only")`."""
    counts: Counter[str] = Counter()
    handler = type("Door", (Counting,), {"behind": aws.port, "counts": counts})
    door = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=door.serve_forever, daemon=True).start()
    darwin = EmulatedDarwin.with_defaults(processing_seconds=0)
    darwin.add_storage(READ_ONLY, bucket=UPLOADS, region=REGION, readonly=True)
    monkeypatch.chdir(tmp_path)
    with serve(darwin) as server:

        def deploy(access: str, **variables: str) -> Deployment:
            deployment = Deployment(aws, f"http://127.0.0.1:{door.server_port}", counts)
            secrets = aws.client("secretsmanager")
            with suppress(secrets.exceptions.ResourceExistsException):
                secrets.create_secret(Name="count-key", SecretString=DEFAULT_KEY)
            environment = {
                **aws.environment,
                "AWS_ENDPOINT_URL": deployment.door,
                "NO_PROXY": "127.0.0.1",
                "BEAGLE_TEAM": DEFAULT_TEAM,
                "BEAGLE_DATASET": "incoming",
                "BEAGLE_STORAGE": READ_ONLY if access == "read_only" else "acme-uploads",
                "BEAGLE_ACCESS": access,
                "BEAGLE_BUCKET": UPLOADS,
                "BEAGLE_DARWIN_URL": server.url,
                "BEAGLE_API_KEY_SECRET": "count-key",
                "BEAGLE_STATE_BUCKET": STATE,
                "BEAGLE_UPLOADS_QUEUE": deployment.queues["uploads"],
                "BEAGLE_VIDEOS_QUEUE": deployment.queues["videos"] if access == "read_only" else "",
                "BEAGLE_ITEMS_QUEUE": deployment.queues["items"],
                "BEAGLE_DEAD_LETTERS_QUEUE": deployment.queues["dead-letters"],
                "BEAGLE_REQUESTS_PER_MINUTE": "1000",
                **variables,
            }
            for name, value in environment.items():
                monkeypatch.setenv(name, value)
            return deployment

        yield deploy
    door.shutdown()
    door.server_close()
