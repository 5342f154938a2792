"""What the tests of all media share: a Beagle for read-only storage, and a server that should see nobody."""

from __future__ import annotations

import socket
import threading

import pytest

from media.archive import Archive


@pytest.fixture
def archive():
    made = []

    def make(**options):
        made.append(Archive(**options))
        return made[-1]

    yield make
    for one in made:
        one.children.close()
        one.no_libraries.close()


@pytest.fixture
def listener():
    """A server that should see nobody."""
    seen = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        over = threading.Event()

        def accept() -> None:
            while not over.is_set():
                try:
                    connection, _ = server.accept()
                except TimeoutError:
                    continue
                seen.append(connection)
                connection.close()

        thread = threading.Thread(target=accept)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/secret.mp4", seen
        over.set()
        thread.join()
