"""A Darwin that looks into a container, and a Beagle on a local Azure that registers what lands there."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from azure.core.exceptions import ResourceNotFoundError

from beagle.emulator import DEFAULT_TEAM, EmulatedDarwin, Hooks, serve
from support.azure.deployment import Deployment
from support.azure.event_grid import Container

if TYPE_CHECKING:
    from collections.abc import Iterator

    from beagle.ports import KeptLetter
    from e2e.books import Books
    from support.azure.azurite import Azurite

DATASET, STORAGE, ARCHIVE, BARE = "incoming", "acme-uploads", "acme-archive", "acme-bare"


@dataclass(frozen=True, slots=True)
class World:
    """A Darwin, and a deployed Beagle that registers with it what lands in a container."""

    darwin: EmulatedDarwin
    deployment: Deployment
    container: Container

    def keys(self, folder: str) -> Counter[str]:
        """Count the items of a folder by their one storage key, as Darwin has it."""
        found = [item.storage_keys for item in self.darwin.items()]
        return Counter(key for (key,) in found if folder in key)

    def letters(self, folder: str) -> list[KeptLetter]:
        """Return the dead letters of a folder, and leave them for the next reader."""
        box = self.deployment.letter_box()
        kept = list(box.list_letters())
        box.release()
        return [one for one in kept if folder in one.letter.raw]

    def settle(self, folder: str, announced: int) -> Books:
        """Return the books of a folder once so many announcements have left every stage."""

        def claim() -> bool:
            books = self.deployment.books(folder)
            return (
                books.left("prepare") >= announced
                and books.left("register") + books.ended("extract") >= books.count("prepare")["passed_on"]
            )

        self.deployment.wait_until(claim, f"The end of {announced} announcements")
        self.deployment.wait_until_idle()
        return self.deployment.books(folder)


@contextmanager
def playing_darwin(azurite: Azurite, container: str) -> Iterator[tuple[EmulatedDarwin, str]]:
    """Start a Darwin that looks into a container: whether a key exists, and what the artifacts are."""

    def exists(where: str, key: str) -> bool:
        return azurite.blobs.get_blob_client(where, key).exists()

    def open_object(where: str, key: str) -> bytes | None:
        try:
            return azurite.blobs.get_blob_client(where, key).download_blob(decompress=False).readall()
        except ResourceNotFoundError:
            return None

    hooks = Hooks(object_exists=exists, open_object=open_object)
    darwin = EmulatedDarwin.with_defaults(hooks=hooks, processing_seconds=0)
    darwin.add_storage(STORAGE, provider="azure", bucket=container)
    darwin.add_storage(ARCHIVE, provider="azure", bucket=container, readonly=True)
    # One that was told its container once, and takes keys without it: they look like those of others.
    darwin.add_storage(BARE, bucket=container, readonly=True)
    with serve(darwin) as server:
        yield darwin, server.url


def routes(container: str) -> str:
    """Return routes for a container: below `archive/` and `bare/`, Darwin only reads."""
    return f"""\
team: {DEFAULT_TEAM}
routes:
  - name: archive
    watch: {{bucket: {container}, prefix: archive/}}
    dataset: {DATASET}
    storage: {ARCHIVE}
    access: read_only
  - name: bare
    watch: {{bucket: {container}, prefix: bare/}}
    dataset: {DATASET}
    storage: {BARE}
    access: read_only
    azure_container: false
  - name: everything-else
    watch: {{bucket: {container}}}
    dataset: {DATASET}
    storage: {STORAGE}
"""
