"""What several kinds of tests need: a local Google Cloud and a local Azure, started once a worker."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from gcp.cloud import Cloud
    from gcp.pubsub import PubSub
    from support.azure.azurite import Azurite

LONG = 120

# How long an example takes says more of the machine's other work than of the code: no claim is made of it.
settings.register_profile(
    "unhurried", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("unhurried")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs Google's Pub/Sub emulator where there is none: all of it, for one reason."""
    asking = [item for item in items if "pubsub" in getattr(item, "fixturenames", ())]
    # A parameter may ask for it by name.
    asking += [item for item in items if item.name.endswith("[pubsub]")]
    if not asking:
        return
    from gcp.pubsub import NotHereError, find_jar  # noqa: PLC0415 - few tests need it

    try:
        find_jar()
    except NotHereError as error:
        for item in asking:
            item.add_marker(pytest.mark.skip(reason=str(error)))


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name long data by its length: the name is short, and the same on every worker."""
    if isinstance(val, bytes | str) and len(val) > LONG:
        return f"{argname}-of-{len(val)}"
    return None


@pytest.fixture(scope="session")
def pubsub(tmp_path_factory: pytest.TempPathFactory) -> Iterator["PubSub"]:
    """Start Google's Pub/Sub emulator."""
    from gcp.pubsub import PubSub  # noqa: PLC0415 - few tests need it

    with PubSub(tmp_path_factory.mktemp("pubsub")) as emulator:
        yield emulator


@pytest.fixture(scope="session")
def cloud() -> Iterator["Cloud"]:
    """Start a local Cloud Storage and Secret Manager."""
    from gcp.cloud import Cloud  # noqa: PLC0415 - few tests need it

    with Cloud() as running:
        yield running


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Azurite"]:
    """Start Azurite; where it cannot run, what needs it is skipped, and says so."""
    from support.azure.azurite import Azurite, require_azurite  # noqa: PLC0415 - few tests need it

    require_azurite()
    with Azurite(tmp_path_factory.mktemp("azurite")) as running:
        yield running
