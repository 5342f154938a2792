"""A worker that starts, draws the thumbnail of one image, and ends: `python one_thumbnail.py FILE`."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "shared"))

from beagle.media.child import Children
from beagle.media.stills import make_still


class File:
    """An object that is a local file."""

    def __init__(self, path: Path) -> None:
        self.size = path.stat().st_size
        self._descriptor = os.open(path, os.O_RDONLY)

    def read(self, start: int, length: int) -> bytes:
        return os.pread(self._descriptor, length, start)

    def download(self, to: Path) -> None:
        to.write_bytes(self.read(0, self.size))


class Kept(dict[str, bytes]):
    """Artifacts, kept in memory."""

    def put(self, name: str, data: bytes, _content_type: str, _content_encoding: str = "") -> None:
        self[name] = data

    def key(self, name: str) -> str:
        return name


if __name__ == "__main__":
    with Children() as children:
        make_still(File(Path(sys.argv[1])), Kept(), children=children)
