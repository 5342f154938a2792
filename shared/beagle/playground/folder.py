"""A folder whose new or changed files are found by looking again and again."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

Look = tuple[int, int]
"""What tells one content of a file from another: when it was changed, and how long it is."""


@dataclass(slots=True)
class WatchedFolder:
    """Remembers what it has reported; a file that is still growing is reported once it stands still."""

    folder: Path
    _seen: dict[str, Look] = field(default_factory=dict)
    _reported: dict[str, Look] = field(default_factory=dict)

    def poll(self) -> list[tuple[str, Path]]:
        """Return each new or changed file that looks as it did at the last call, with its key."""
        found = dict(self._look())
        still = [
            key
            for key, look in sorted(found.items())
            if look == self._seen.get(key) and look != self._reported.get(key)
        ]
        self._seen = found
        self._reported = {key: look for key, look in self._reported.items() if key in found}
        self._reported |= {key: found[key] for key in still}
        return [(key, self.folder / key) for key in still]

    def _look(self) -> Iterator[tuple[str, Look]]:
        for path in self.folder.rglob("*"):
            try:
                told = path.stat()
                if path.is_file():
                    yield path.relative_to(self.folder).as_posix(), (told.st_mtime_ns, told.st_size)
            except OSError:  # gone between the two looks
                continue
