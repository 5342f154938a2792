"""Children that decode, shared by the tests of a module."""

from collections.abc import Iterator

import pytest

from beagle.media.child import Children
from media.stills.samples import Sink


@pytest.fixture(scope="module")
def children() -> Iterator[Children]:
    with Children() as running:
        yield running


@pytest.fixture
def sink() -> Sink:
    return Sink()
