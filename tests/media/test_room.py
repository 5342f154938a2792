"""What the machine must have before a video is extracted: room for the file, and an ffmpeg."""

import platform
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from beagle.domain.errors import ConfigurationError, DecoderStoppedError, MediaTooLargeError
from beagle.domain.items import ReadyItem
from beagle.domain.routes import parse_routes
from beagle.domain.routing import route_event
from beagle.media.maker import Maker
from beagle.media.room import lent_folder
from beagle.media.video import ffmpeg
from beagle.playground.packaging import build_layer, project_root
from beagle.ports import Deadline
from beagle.providers.pieces import write_pieces
from support.world import ROUTES, Budget, World

pytestmark = pytest.mark.xdist_group("packages")


class Enormous:
    """An object that no disk holds."""

    size = 1 << 60

    def read(self, start: int, length: int) -> bytes:
        raise AssertionError((start, length))

    def download(self, to: Path, deadline: Deadline | None = None) -> None:
        write_pieces(self.pieces(), to, self.size, deadline)

    def pieces(self) -> Iterator[bytes]:
        raise AssertionError
        yield b""


def test_a_video_that_fits_on_no_disk_is_refused_before_its_download() -> None:
    """It is a dead letter that says how large it is, not an invocation that fails again and again."""
    maker = Maker(lambda _: Enormous(), lambda *_: None, invocation_seconds=900)

    with pytest.raises(MediaTooLargeError, match="1,152,921,504,606,846,976 bytes"):
        maker.make(film(), Budget(World().clock, 60))


def test_a_video_larger_than_memory_is_not_fetched_where_files_lie_in_memory() -> None:
    """The disk would seem to have room until Linux kills the process; elsewhere the disk alone decides."""

    class Large(Enormous):
        size = 17 << 30

        def download(self, to: Path, deadline: Deadline | None = None) -> None:
            raise DecoderStoppedError(f"begun to {to} in {deadline}")

    world, ready = World(), film()
    maker = Maker(lambda _: Large(), lambda *_: None, invocation_seconds=600, memory=16 << 30)

    with pytest.raises(MediaTooLargeError, match=r"17,408 MB.* 16,384 in all.*extract_memory"):
        replace(maker, files_in_memory=True).make(ready, Budget(world.clock, 60))
    with pytest.raises(DecoderStoppedError, match="begun"):
        maker.make(ready, Budget(world.clock, 60))


def film() -> ReadyItem:
    """Return a video of a read-only route."""
    event = World().event("a/film.mp4")
    [route] = ROUTES["routes"]
    routes = parse_routes({"team": "acme", "routes": [{**route, "access": "read_only"}]})
    return ReadyItem(event=event, item=route_event(routes, event).item, route="r")


def test_without_the_wheel_the_layers_program_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Lambda: no imageio-ffmpeg, but /opt/bin on the PATH. The layer is the one that is deployed."""
    machine = platform.machine()
    if machine not in {"x86_64", "aarch64"}:
        pytest.skip(f"no layer runs on {machine}")
    layer = build_layer(
        project_root(), project_root() / ".cache" / "package" / machine / "ffmpeg", machine=machine
    )
    monkeypatch.setattr(ffmpeg, "_packaged", lambda: None)
    monkeypatch.setenv("PATH", str(layer / "bin"))

    assert ffmpeg.find_ffmpeg().path == layer / "bin" / "ffmpeg"


def test_a_program_that_may_not_be_run_is_copied_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Azure may mount a package so: the wheel's program is there, and no bit says that it is one."""
    (tmp_path / "binaries").mkdir()
    packaged = tmp_path / "binaries" / "ffmpeg-linux"
    packaged.write_text("#!/bin/sh\necho ffmpeg version 9.0.2\n")
    packaged.chmod(0o444)
    monkeypatch.setattr("importlib.resources.files", lambda _: tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    first, second = ffmpeg.find_ffmpeg().path, ffmpeg.find_ffmpeg().path

    ffmpeg._runnable.cache_clear()  # as the next process of the instance has nothing in it
    third = ffmpeg.find_ffmpeg().path

    assert first == second == third != packaged
    assert first.read_bytes() == packaged.read_bytes()
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == {packaged, first}
    assert first.parent.stat().st_mode & 0o777 == 0o700


def test_without_any_ffmpeg_the_deployer_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a fault of the deployment: videos wait until it is mended."""
    monkeypatch.setattr(ffmpeg, "_packaged", lambda: None)
    monkeypatch.setenv("PATH", "")

    with pytest.raises(ConfigurationError, match="no ffmpeg"):
        ffmpeg.find_ffmpeg()


LENDING = """
import sys
sys.path[:0] = sys.argv[1:]
from beagle.media.room import lent_folder
with lent_folder() as folder:
    (folder / "source").write_bytes(bytes(1000))
    print(folder, flush=True)
    sys.stdin.read()
"""


def lending(temporary: Path) -> tuple[subprocess.Popen[str], Path]:
    """Start a process that has downloaded something and works on it; return where that lies, too."""
    process = subprocess.Popen(
        [sys.executable, "-c", LENDING, *filter(None, sys.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={"TMPDIR": str(temporary)},
        text=True,
    )
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def test_what_a_killed_process_had_downloaded_is_removed_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lambda keeps the disk: else a video would find no room after a few attempts that were killed.

    What lies there for a process that still works stays, and so does everybody else's.
    """
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "others").mkdir()
    killed, _abandoned = lending(tmp_path)
    working, in_use = lending(tmp_path)
    killed.kill()
    killed.wait()
    with lent_folder() as own:
        left = set(tmp_path.iterdir())

    assert left == {own, in_use, tmp_path / "others"}
    assert (in_use / "source").stat().st_size == 1000
    assert working.communicate("")[0] == ""
    assert list(tmp_path.iterdir()) == [tmp_path / "others"]
