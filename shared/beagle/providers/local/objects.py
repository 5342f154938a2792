"""One file as the object, and a folder where its artifacts go."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

from beagle.domain.errors import ObjectGoneError, StoreUnavailableError, SupersededError
from beagle.providers.pieces import write_pieces

if TYPE_CHECKING:
    from beagle.ports import Deadline

_CHUNK = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class FileReader:
    """A file as it was when it was opened; after a change it is not read any further."""

    path: Path
    size: int
    changed_at: int

    @classmethod
    def open(cls, path: Path) -> Self:
        """Return a reader of what the file holds now; raises OSError where it cannot be read twice."""
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):  # a pipe without a writer would not even open
            raise OSError(errno.EINVAL, "Not a regular file, but a pipe or a device", str(path))
        with path.open("rb") as file:
            look = os.fstat(file.fileno())
        return cls(path, look.st_size, look.st_mtime_ns)

    def digest(self) -> str:
        """Return what tells this content from any other: its SHA-256."""
        try:
            with self.path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise StoreUnavailableError(f"{self.path} cannot be read: {error.strerror}.") from error

    def read(self, start: int, length: int) -> bytes:
        """Return a range; shorter only at the file's end."""
        try:
            with self.path.open("rb") as file:
                self._require_unchanged(os.fstat(file.fileno()))
                file.seek(start)
                return file.read(max(0, min(length, self.size - start)))
        except FileNotFoundError as error:
            raise ObjectGoneError(f"{self.path} is not there any more.") from error
        except OSError as error:
            raise StoreUnavailableError(f"{self.path} cannot be read: {error.strerror}.") from error

    def download(self, to: Path, deadline: Deadline | None = None) -> None:
        """Give the file a second name where the system allows it, since films are large; else copy it."""
        self.read(0, 0)
        with suppress(OSError):
            to.hardlink_to(self.path.resolve())
            return
        try:
            with self.path.open("rb") as file:
                write_pieces(iter(lambda: file.read(_CHUNK), b""), to, self.size, deadline)
        except OSError as error:
            raise StoreUnavailableError(f"{self.path} cannot be copied: {error.strerror}.") from error

    def _require_unchanged(self, look: os.stat_result) -> None:
        if (look.st_size, look.st_mtime_ns) != (self.size, self.changed_at):
            raise SupersededError(f"{self.path} was changed while it was read.")


@dataclass(frozen=True, slots=True)
class FolderSink:
    """A folder below which artifacts lie under their own names; Darwin is told them below a prefix."""

    folder: Path
    prefix: str
    headers: dict[str, dict[str, str]] = field(default_factory=dict, compare=False)
    """What a bucket keeps with each artifact and a folder does not, by the artifact's name."""

    def put(self, name: str, data: bytes, content_type: str, content_encoding: str = "") -> None:
        """Keep one artifact; the same name again overwrites."""
        path = self.folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        except OSError as error:
            raise StoreUnavailableError(f"{path} cannot be written: {error.strerror}.") from error
        self.headers[name] = {"Content-Type": content_type}
        if content_encoding:
            self.headers[name]["Content-Encoding"] = content_encoding

    def key(self, name: str) -> str:
        """Return the storage key that Darwin is told for an artifact."""
        return self.prefix + name
