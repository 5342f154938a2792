"""Azurite: Microsoft's own emulator of Blob Storage and Storage Queues, on loopback."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

import pytest
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

from beagle.playground.ministack import free_port
from support.azure.installing import installed
from support.own_venv import NotInstalledError

if TYPE_CHECKING:
    from types import TracebackType

PACKAGE = Path(__file__).parents[2] / "azure"
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""Published by Microsoft for this very purpose, and the same everywhere."""
START_SECONDS = 60.0
# It ends when its standard input does: however the tests end, it does not outlive them.
ENDS_WITH_US = "data:text/javascript,process.stdin.on('end',()=>process.exit()).resume()"


class Azurite:
    """One storage account."""

    def __init__(self, folder: Path) -> None:
        """Log into a folder."""
        self._log = folder / "azurite.log"
        self.ports = free_port(), free_port()
        """Of blobs, and of queues."""

    def __enter__(self) -> Self:
        blob, queue = self.ports
        program = _install() / "node_modules" / "azurite" / "dist" / "src" / "azurite.js"
        options = ["--silent", "--skipApiVersionCheck", "--disableTelemetry"]
        # In memory each message would be an extent; collecting thousands of those halts it for minutes.
        options += ["--location", str(self._log.with_name("azurite"))]
        places = ["--blobHost", "127.0.0.1", "--queueHost", "127.0.0.1", "--tableHost", "127.0.0.1"]
        ports = ["--blobPort", str(blob), "--queuePort", str(queue), "--tablePort", str(free_port())]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                ["node", "--import", ENDS_WITH_US, str(program), *options, *places, *ports],  # noqa: S607 - found
                cwd=self._log.parent,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            for port in self.ports:
                self._wait_for(port)
        except BaseException:
            self._process.kill()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait(10)
        assert self._process.stdin is not None
        self._process.stdin.close()

    def _wait_for(self, port: int) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            assert self._process.poll() is None, self._log.read_text()
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
            except OSError:
                assert time.monotonic() < deadline, self._log.read_text()
                time.sleep(0.05)
            else:
                return

    @property
    def connection_string(self) -> str:
        """What clients need to know."""
        return connection_string(*self.ports)

    @cached_property
    def blobs(self) -> BlobServiceClient:
        """The account's containers."""
        return BlobServiceClient.from_connection_string(self.connection_string)

    @cached_property
    def queues(self) -> QueueServiceClient:
        """The account's queues."""
        return QueueServiceClient.from_connection_string(self.connection_string)


def connection_string(blob: int, queue: int) -> str:
    """Return what clients need to know of an account behind two ports."""
    return (
        f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={KEY};"
        f"BlobEndpoint=http://127.0.0.1:{blob}/{ACCOUNT};QueueEndpoint=http://127.0.0.1:{queue}/{ACCOUNT};"
    )


def require_azurite() -> None:
    """Skip where Azurite cannot run."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("no node and npm on this machine, in which Azurite runs: nothing of Azure is tested")
    try:
        _install()
    except NotInstalledError as error:
        pytest.skip(str(error))


def _install() -> Path:
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
    return installed("azurite", PACKAGE / "package-lock.json", command, beside=[PACKAGE / "package.json"])
