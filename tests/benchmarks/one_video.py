"""A worker that starts, extracts one video, and ends: `python one_video.py FILE DIR FPS FRAMES PROFILE`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "shared"))

from beagle.domain.making import VideoOptions
from beagle.media.video.extract import extract_video


class Hour:
    """Time enough."""

    def remaining(self) -> float:
        return 3600


class Folder:
    """A folder that stands for the bucket."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, name: str, data: bytes, _content_type: str, _content_encoding: str = "") -> None:
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def key(self, name: str) -> str:
        return f"pfx/{name}"


if __name__ == "__main__":
    file, folder, fps, frames, profile = sys.argv[1:]
    rate = "native" if fps == "native" else float(fps)
    options = VideoOptions(fps=rate, frames=frames, profile=profile)
    extract_video(Path(file), Folder(Path(folder)), options, Hour())
