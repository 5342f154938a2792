"""The services that contracts are checked against: in this process, and on a local AWS."""

from collections.abc import Iterator

import pytest

from beagle.playground.ministack import Ministack


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ministack]:
    """Start a local AWS, on loopback only."""
    with Ministack(tmp_path_factory.mktemp("aws")) as running:
        yield running
