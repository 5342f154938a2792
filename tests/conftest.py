"""What several kinds of tests need: a local Google Cloud and a local Azure, started once a worker."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from gcp.cloud import Cloud
    from gcp.pubsub import PubSub
    from support.azure.azurite import Azurite


@pytest.fixture(scope="session")
def pubsub(tmp_path_factory: pytest.TempPathFactory) -> Iterator["PubSub"]:
    """Start Google's Pub/Sub emulator; where there is none, what needs it is skipped, and says so."""
    from gcp.pubsub import NotHereError, PubSub  # noqa: PLC0415 - few tests need it

    try:
        emulator = PubSub(tmp_path_factory.mktemp("pubsub"))
    except NotHereError as error:
        pytest.skip(str(error))
    with emulator:
        yield emulator


@pytest.fixture(scope="session")
def cloud() -> Iterator["Cloud"]:
    """Start a local Cloud Storage and Secret Manager."""
    from gcp.cloud import Cloud  # noqa: PLC0415 - few tests need it

    with Cloud() as running:
        yield running


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Azurite"]:
    """Start Azurite; where there is no node, what needs it is skipped, and says so."""
    from support.azure.azurite import Azurite, require_node  # noqa: PLC0415 - few tests need it

    require_node()
    with Azurite(tmp_path_factory.mktemp("azurite")) as running:
        yield running
