"""Beagle deployed on a local Azure, and an emulated Darwin: one of each for every test worker."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.azure.azurite import Azurite
from support.azure.deployment import Deployment
from support.azure.event_grid import Container
from support.azure.key_vault import KeyVault
from support.azure.world import World, playing_darwin, routes


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep these tests on one worker: a local Azure is started once, not once a worker."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("local-azure"))


@pytest.fixture(scope="session")
def vault() -> Iterator[KeyVault]:
    """Start a vault of secrets."""
    with KeyVault() as running:
        yield running


@pytest.fixture(scope="session")
def world(azurite: Azurite, vault: KeyVault, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Deploy Beagle; each event comes twice, once in each of Event Grid's schemas."""
    name = "uploads"
    with playing_darwin(azurite, name) as (darwin, url):
        deployment = Deployment(
            *(azurite, vault, tmp_path_factory.mktemp("apps") / "beagle", "beagle", url),
            instances={"prepare": 1, "extract": 1, "register": 1},
            settings={"BEAGLE_GATHER_SECONDS": "0.2", "BEAGLE_REQUESTS_PER_MINUTE": "1000"},
            routes=routes(name),
        )
        container = Container(azurite, name, deployment.queues["uploads"], ("event_grid", "cloud_events"))
        with deployment:
            yield World(darwin, deployment, container)


@pytest.fixture
def folder() -> str:
    """Name a folder that no other test uses: the ledger remembers what happened in the others."""
    return f"t{uuid.uuid4().hex[:8]}"
