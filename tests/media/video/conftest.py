"""Clips made by ffmpeg itself, once a session, and a folder that stands for the bucket."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from beagle.domain.items import HlsArtifacts, Item, ItemId, SectionsArtifacts, Slot
from beagle.domain.making import VideoOptions
from beagle.emulator import EmulatedDarwin, Hooks
from beagle.media.video.extract import extract_video
from beagle.media.video.ffmpeg import Ffmpeg, find_ffmpeg
from beagle.registration.payloads import build_item
from emulator.samples import post
from media.video.recipes import RECIPES, SHAPES, USUAL

if TYPE_CHECKING:
    from pathlib import Path


class Clips:
    """Clips by name; each is made when first asked for. `long_` before a name makes seven seconds of it."""

    def __init__(self, folder: Path, ffmpeg: Path) -> None:
        self._folder = folder
        self._ffmpeg = ffmpeg

    def __call__(self, name: str) -> Path:
        path = self._folder / name
        if not path.exists():
            longer = "long_" if name.startswith("long_") else ""
            recipe = name.removeprefix(longer)
            shape = {**USUAL, **SHAPES.get(recipe, {}), **({"seconds": "7"} if longer else {})}
            if callable(make := RECIPES[recipe]):
                path.write_bytes(make(lambda other: self(longer + other).read_bytes()))
            else:
                words = [self._word(word, shape, longer) for word in make]
                subprocess.run([self._ffmpeg, "-v", "error", "-y", *words, path], check=True)
        return path

    def _word(self, word: str, shape: dict[str, str], longer: str) -> str:
        if word.startswith("{"):
            return str(self(longer + word[1:-1]))
        return word.format(**shape) if "{" in word else word


class Time:
    """A deadline so many seconds from now."""

    def __init__(self, seconds: float = 120) -> None:
        self._end = time.monotonic() + seconds

    def remaining(self) -> float:
        return self._end - time.monotonic()


class Folder:
    """A folder that stands for the bucket, and remembers how each object was put."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.puts: list[str] = []
        self.types: dict[str, tuple[str, str]] = {}
        self._lock = threading.Lock()

    def put(self, name: str, data: bytes, content_type: str, content_encoding: str = "") -> None:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        with self._lock:
            self.puts.append(name)
            self.types[name] = (content_type, content_encoding)

    def key(self, name: str) -> str:
        return f"artifacts/clip/{name}"

    def read(self, name: str) -> bytes:
        return (self.path / name).read_bytes()

    def names(self, below: str = "") -> list[str]:
        """Return all names below a folder, sorted."""
        files = (path for path in (self.path / below).rglob("*") if path.is_file())
        return sorted(str(path.relative_to(self.path)) for path in files)


def problems_of(made: HlsArtifacts | SectionsArtifacts, sink: Folder, size: int = 1) -> list[str]:
    """Register what was made, and return what the emulated Darwin finds wrong with it."""

    def open_object(_bucket: str, key: str) -> bytes | None:
        path = sink.path / key.removeprefix("artifacts/clip/")
        return b"the video" if key == "videos/clip" else path.read_bytes() if path.is_file() else None

    darwin = EmulatedDarwin.with_defaults(hooks=Hooks(open_object=open_object))
    slot = Slot(
        name="0", file_name="clip", storage_key="videos/clip", media_type="video", size=size, artifacts=made
    )
    item = Item(
        id=ItemId(team="acme", dataset="incoming", path="/", name="clip"),
        storage="acme-archive",
        access="read_only",
        slots=(slot,),
    )
    reply = post(darwin, build_item(item), read_only=True)
    assert reply.status == 200, reply
    return list(darwin.items()[0].problems)


def pixels(ffmpeg: Ffmpeg, *source: object, form: str = "rgb24") -> list[str]:
    """Return a checksum of every frame's pixels."""
    done = subprocess.run(
        [
            *(ffmpeg.path, "-v", "error"),
            *map(str, source),
            *("-fps_mode", "passthrough", "-pix_fmt", form, "-f", "framemd5", "-"),
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    return [line.split(",")[-1].strip() for line in done.stdout.splitlines() if not line.startswith("#")]


def streams(ffmpeg: Ffmpeg, path: Path) -> str:
    """Return what ffmpeg says about a file's streams."""
    done = subprocess.run(
        [ffmpeg.path, "-hide_banner", "-i", path], check=False, capture_output=True, text=True
    )
    return "\n".join(line for line in done.stderr.splitlines() if "Stream #0" in line)


@pytest.fixture(scope="session")
def ffmpeg() -> Ffmpeg:
    """Return the ffmpeg that is shipped."""
    return find_ffmpeg()


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory, ffmpeg: Ffmpeg) -> Callable[[str], Path]:
    """Return a maker of clips by name."""
    return Clips(tmp_path_factory.mktemp("clips"), ffmpeg.path)


@pytest.fixture
def sink(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "bucket")


Extract = Callable[..., Any]


@pytest.fixture
def extract(clip: Callable[[str], Path], sink: Folder, ffmpeg: Ffmpeg) -> Extract:
    """Return a function that extracts a clip by name into the sink."""

    def run(name: str, **options: Any) -> HlsArtifacts | SectionsArtifacts:
        return extract_video(clip(name), sink, VideoOptions(**options), Time(), ffmpeg=ffmpeg)

    return run


@pytest.fixture
def script(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Return a writer of programs that are taken for ffmpeg; what they leave running fails the test."""

    def write(body: str) -> Path:
        path = tmp_path / "ffmpeg"
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)
        return path

    return write


def json_round_trip(value: Any) -> Any:
    """Return what a queue or a bucket would give back."""
    return json.loads(json.dumps(value))
