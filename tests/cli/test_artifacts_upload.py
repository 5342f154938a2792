"""What `beagle artifacts` tells whoever uploads the folder: below which prefix, and with which headers."""

import json
import os
import subprocess
from pathlib import Path, PurePosixPath

import obstore
import pytest
from obstore.store import MemoryStore

from beagle.bootstrap.local import UNHURRIED, Workbench
from beagle.media.maker import Maker
from beagle.media.video.ffmpeg import find_ffmpeg
from beagle.playground.pictures import draw_ship
from beagle.providers.local.clock import SystemClock, Until
from beagle.providers.local.objects import FileReader
from beagle.providers.objects import StoreSink
from support.command import COMMAND, ENVIRONMENT, Beagle


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "p.jpg"
    draw_ship("noon", size=(640, 400)).save(path)
    return path


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """Make a second with sound."""
    path = tmp_path / "film.mp4"
    streams = ("-f", "lavfi", "-i", "testsrc2=s=160x90:r=25:d=1", "-f", "lavfi", "-i", "sine=f=330:d=1")
    subprocess.run([find_ffmpeg().path, "-v", "error", *streams, path], check=True)
    return path


@pytest.mark.parametrize("prefix", ["mine", "mine/"])
def test_a_prefix_is_a_folder_and_told_as_darwin_is_told(
    beagle: Beagle, picture: Path, tmp_path: Path, prefix: str
):
    ran = beagle(
        *("artifacts", picture, "--out", tmp_path / "made", "--storage-key", "p.jpg"),
        *("--artifact-prefix", prefix),
    )

    assert json.loads(ran.out)["storage_thumbnail_key"] == "mine/thumbnail.jpg"
    assert "for the bucket below mine/\n" in ran.err


@pytest.mark.parametrize("prefix", ["", "/", "/mine"])
def test_a_prefix_that_no_key_begins_with_is_misuse(
    beagle: Beagle, picture: Path, tmp_path: Path, prefix: str
):
    """Darwin takes no key that starts with a slash; and nothing is no folder of the file's own."""
    out = tmp_path / "made"
    ran = beagle("artifacts", picture, "--out", out, "--storage-key", "p.jpg", "--artifact-prefix", prefix)

    assert (ran.code, ran.out) == (2, "")
    assert f"--artifact-prefix {prefix!r}" in ran.err
    assert not out.exists()


def test_the_headers_that_are_told_are_those_that_functions_write(beagle: Beagle, film: Path, tmp_path: Path):
    """A line for each ending of a name; the audio peaks are of no use without their encoding."""
    ran = beagle("artifacts", film, "--out", tmp_path / "made", "--storage-key", "film.mp4")

    told = dict(line.split(maxsplit=1) for line in ran.err.splitlines() if line.startswith("  *"))
    assert told == _written_by_functions(film, tmp_path)
    assert told["*.gz"] == "Content-Type: application/octet-stream  Content-Encoding: gzip"
    assert set(told) == {f"*{path.suffix}" for path in (tmp_path / "made").rglob("*") if path.is_file()}


def _written_by_functions(film: Path, tmp_path: Path) -> dict[str, str]:
    """Make the same into a bucket, and return its objects' headers by the end of their names."""
    bench = Workbench.for_file(film, "film.mp4", {}, folder=tmp_path, progress=lambda _done, _total: None)
    bucket, clock = MemoryStore(), SystemClock()
    sink = StoreSink(bucket, bench.ready.event.ref, "a/", azure_container=False)
    maker = Maker(lambda _event: FileReader.open(film), lambda _event, _ready: sink, UNHURRIED)
    maker.make(bench.ready, Until(clock, clock.monotonic() + UNHURRIED))
    keys = [str(meta["path"]) for page in obstore.list(bucket) for meta in page]
    return {
        f"*{PurePosixPath(key).suffix}": "  ".join(
            f"{name}: {value}" for name, value in sorted(obstore.get(bucket, key).attributes.items())[::-1]
        )
        for key in keys
    }


def test_what_can_be_read_only_once_is_misuse(tmp_path: Path):
    """A pipe would be waited for, for ever: nobody may write into it."""
    pipe = tmp_path / "clip.mp4"
    os.mkfifo(pipe)
    command = [*COMMAND, "artifacts", pipe, "--out", tmp_path / "made", "--storage-key", "clip.mp4"]

    ran = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=60, check=False)

    assert (ran.returncode, ran.stdout) == (2, "")
    assert "clip.mp4 cannot be read: Not a regular file" in ran.stderr
