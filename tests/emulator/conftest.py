"""A Darwin on a fake clock, and one on a real port."""

from collections.abc import Iterator

import pytest

from beagle.emulator import EmulatedDarwin, Server, serve
from emulator.samples import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def darwin(clock: FakeClock) -> EmulatedDarwin:
    """Make the ready-made world, on the fake clock."""
    return EmulatedDarwin.with_defaults(clock, wall=lambda: 1_800_000_000.0)


@pytest.fixture
def server(darwin: EmulatedDarwin) -> Iterator[Server]:
    """Put the same world on a port of this machine."""
    with serve(darwin) as running:
        yield running
