"""Beagle deployed on a local Google Cloud, and an emulated Darwin: one of each for every test worker."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from beagle.emulator import DEFAULT_TEAM, EmulatedDarwin, Hooks, serve
from gcp.buckets import RefusedError
from gcp.cloud import Cloud
from gcp.deployment import Deployment
from gcp.pubsub import PubSub

DATASET, STORAGE, ARCHIVE = "incoming", "acme-uploads", "acme-archive"


@dataclass(frozen=True, slots=True)
class World:
    """A Darwin, and a deployed Beagle that registers with it what lands in a bucket."""

    darwin: EmulatedDarwin
    deployment: Deployment
    bucket: str

    def upload(self, key: str, data: bytes, content_type: str = "") -> None:
        """Upload an object with Google's own client."""
        self.deployment.upload(self.bucket, key, data, content_type)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep these tests on one worker: a local Google Cloud is started once, not once a worker."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("local-gcp"))


@contextmanager
def playing_darwin(cloud: Cloud, bucket: str) -> Iterator[tuple[EmulatedDarwin, str]]:
    """Start a Darwin that looks into a bucket: whether a key exists, and what the artifacts are."""

    def exists(where: str, key: str) -> bool:
        return key in cloud.buckets.keys(where, key)

    def open_object(where: str, key: str) -> bytes | None:
        try:
            return cloud.buckets.get(where, key).data
        except RefusedError:
            return None

    hooks = Hooks(object_exists=exists, open_object=open_object)
    darwin = EmulatedDarwin.with_defaults(hooks=hooks, processing_seconds=0)
    darwin.add_storage(STORAGE, bucket=bucket, region="europe-west1")
    darwin.add_storage(ARCHIVE, bucket=bucket, region="europe-west1", readonly=True)
    with serve(darwin) as server:
        yield darwin, server.url


def routes(bucket: str) -> str:
    """Return routes for a bucket: below `archive/`, Darwin only reads."""
    return f"""\
team: {DEFAULT_TEAM}
routes:
  - name: archive
    watch: {{bucket: {bucket}, prefix: archive/}}
    dataset: {DATASET}
    storage: {ARCHIVE}
    access: read_only
  - name: everything-else
    watch: {{bucket: {bucket}}}
    dataset: {DATASET}
    storage: {STORAGE}
"""


@pytest.fixture(scope="session")
def world(pubsub: PubSub, cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Deploy Beagle with the emulator's own push; every change of an object is announced twice."""
    bucket, folder = "beagle-uploads", tmp_path_factory.mktemp("gcp")
    (folder / "routes.yaml").write_text(routes(bucket))
    settings = {
        "BEAGLE_GATHER_SECONDS": "0.05",  # the emulator pushes two messages at a time
        "BEAGLE_REQUESTS_PER_MINUTE": "1000",
    }
    with playing_darwin(cloud, bucket) as (darwin, url):
        deployment = Deployment(
            *(pubsub, cloud, folder / "beagle", "beagle", url),
            instances={"prepare": 1, "extract": 1, "register": 1},
            settings=settings,
            routes=folder / "routes.yaml",
        )
        with deployment:
            cloud.notify(bucket, pubsub, deployment.topics["uploads"], times=2)
            yield World(darwin, deployment, bucket)


@pytest.fixture
def folder() -> str:
    """Name a folder that no other test uses: the ledger remembers what happened in the others."""
    return f"t{uuid.uuid4().hex[:8]}"


@pytest.fixture
def silent(world: World) -> Iterator[None]:
    """Have the bucket announce nothing meanwhile."""
    tell = world.deployment.cloud.buckets.tell.pop(world.bucket)
    yield
    world.deployment.cloud.buckets.tell[world.bucket] = tell
