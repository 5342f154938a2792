from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from beagle.emulator import EmulatedDarwin, Server, serve
from registration.samples import client_of, registrar_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from beagle.registration.client import DarwinClient
    from beagle.registration.registrar import DarwinRegistrar


@pytest.fixture
def darwin() -> EmulatedDarwin:
    return EmulatedDarwin.with_defaults()


@pytest.fixture
def server(darwin: EmulatedDarwin) -> Iterator[Server]:
    with serve(darwin) as server:
        yield server


@pytest.fixture
def client(server: Server) -> DarwinClient:
    return client_of(server.url)


@pytest.fixture
def registrar(client: DarwinClient) -> DarwinRegistrar:
    return registrar_of(client)
