"""Extraction with real processes on one real queue: side by side, and killed in the middle."""

from __future__ import annotations

import io
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from beagle.domain.making import VideoOptions
from beagle.media.video.extract import extract_video
from beagle.media.video.ffmpeg import find_ffmpeg
from e2e.crew import work
from e2e.differing import describe, tell_differences
from e2e.gate import Gate
from e2e.hands import Hands
from support.processes import is_alive

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from e2e.archive import Archive

WAIT_SECONDS = 30.0
FRAMES = 320


class Memory:
    """A sink that keeps each artifact: all of the clip are a few megabytes."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def put(self, name: str, data: bytes, _content_type: str, _content_encoding: str = "") -> None:
        self.kept[name] = bytes(data)

    def key(self, name: str) -> str:
        return name


class Hour:
    """Time enough."""

    def remaining(self) -> float:
        return 3600


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty seconds of moving picture and sound."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    inputs = (
        *("-f", "lavfi", "-i", "testsrc2=size=320x180:rate=8:duration=40"),
        *("-f", "lavfi", "-i", "sine=frequency=440:duration=40"),
    )
    coded = ("-preset", "veryfast", "-pix_fmt", "yuv420p", "-g", "40", "-c:a", "aac")
    subprocess.run([find_ffmpeg().path, "-v", "error", *inputs, *coded, path], check=True)
    return path


def extract_undisturbed(clip: Path) -> dict[str, bytes]:
    """Return the artifacts of a clip, extracted at once."""
    memory = Memory()
    extract_video(clip, memory, VideoOptions(), Hour())
    return memory.kept


@pytest.fixture(scope="module")
def in_one_go(clip: Path) -> dict[str, bytes]:
    """The artifacts of the clip, extracted at once and undisturbed."""
    return extract_undisturbed(clip)


@pytest.fixture
def hands(archive: Archive, code: Path, tmp_path: Path) -> Iterator[Hands]:
    """Extract, run by hand: the platform leaves its queue alone meanwhile."""
    taken = Hands(archive.stack, "extract", code, tmp_path / "extract")
    yield taken
    taken.close()


def upload(archive: Archive, clip: Path, key: str) -> None:
    """Upload a clip, and wait until it waits for extraction: twice, as every event comes twice."""
    archive.stack.upload(clip, key)
    archive.stack.wait_until(lambda: archive.stack.depth("videos") == 2, what="Preparation")


def wait_for(claim: Callable[[], bool]) -> None:
    """Return when the claim holds."""
    end = time.monotonic() + WAIT_SECONDS
    while not claim():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_difference_is_told_in_full() -> None:
    """Where, how much, and of which run it is: the failure itself may not come again."""
    picture = Image.new("RGB", (20, 10))
    usual = encode(picture)
    picture.paste((0, 7, 3), (4, 5, 6, 8))
    found = encode(picture)

    told = describe("a.png", found, {"a.png": usual, "b.png": found}, found)

    assert f"{len(usual)} bytes undisturbed, {len(found)} found" in told
    assert "6 pixels differ, all within (4, 5, 6, 8), by 7 of 255 at most" in told
    assert "the undisturbed run has what was found as ['b.png']" in told
    assert "a second undisturbed run gives what was found" in told
    assert "the pixels are the same" in describe("a.png", usual + b"\0", {"a.png": usual}, usual)
    assert "no pictures" in describe("a.png", usual[:20], {"a.png": usual}, None)


def encode(picture: Image.Image) -> bytes:
    """Return a picture as a file."""
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def test_two_workers_make_of_a_video_in_parts_what_one_makes_of_it_at_once(  # noqa: PLR0913, PLR0917 - fixtures
    archive: Archive,
    hands: Hands,
    clip: Path,
    in_one_go: dict[str, bytes],
    folder: str,
    tmp_path: Path,
) -> None:
    """
    The parts go through the queue, to whichever process is free; the video itself was announced twice.

    One item ends. All its artifacts but the segments are the same to the byte, and none is too many.
    """
    upload(archive, clip, f"{folder}/long.mp4")
    before = archive.artifacts()
    disks = [tmp_path / "disk0", tmp_path / "disk1"]
    efforts = work(hands, disks, lambda: archive.stack.depth("videos") == 0, plans_for=0.25)
    archive.stack.wait_until_idle()

    [item] = archive.darwin.items()
    made = archive.artifacts_of("long.mp4")
    assert item.problems == ()
    assert item.slots[0].fields["total_frames"] == FRAMES
    assert made.keys() == in_one_go.keys()
    differences = tell_differences(archive, "long.mp4", in_one_go, lambda: extract_undisturbed(clip))
    assert not differences, differences
    assert len(archive.artifacts()) == len(before) + len(made)
    assert all(len(effort.invocations) >= 2 for effort in efforts)
    assert [list(disk.iterdir()) for disk in disks] == [[], []]
    assert archive.stack.depth("dead_letters") == 0


def test_a_killed_extraction_leaves_no_process_and_no_artifact_too_many(  # noqa: PLR0913, PLR0917 - fixtures
    archive: Archive,
    hands: Hands,
    clip: Path,
    in_one_go: dict[str, bytes],
    folder: str,
    tmp_path: Path,
) -> None:
    """
    `kill -9` while ffmpeg decodes and some artifacts are kept; then the message comes again.

    One item ends, with the artifacts of an undisturbed run and no others. What the killed process had
    downloaded does not stay on the disk.
    """
    upload(archive, clip, f"{folder}/film.mp4")
    before, disk = archive.artifacts().keys(), tmp_path / "disk"
    disk.mkdir()
    event = hands.receive(1)
    with Gate(archive.stack.aws.port, b"sections/high/000000040.png", "before") as gate:
        instance = hands.start(endpoint=gate.endpoint, TMPDIR=str(disk))
        instance.begin(event)
        wait_for(gate.held.is_set)
        children = Path(f"/proc/{instance.id}/task/{instance.id}/children").read_text().split()
        running = [int(child) for child in children if is_alive(int(child))]
        assert instance.kill() == -signal.SIGKILL
    assert running
    wait_for(lambda: not any(map(is_alive, running)))
    partly = archive.artifacts().keys() - before
    assert 40 <= len(partly) < len(in_one_go)

    hands.run(hands.redeliver(event), TMPDIR=str(disk))
    hands.run(hands.receive(1), TMPDIR=str(disk))
    archive.stack.wait_until_idle()

    [item] = archive.darwin.items()
    assert item.problems == ()
    made = archive.artifacts_of("film.mp4")
    assert made.keys() == in_one_go.keys()
    differences = tell_differences(archive, "film.mp4", in_one_go, lambda: extract_undisturbed(clip))
    assert not differences, differences
    assert len(archive.artifacts().keys() - before) == len(made)
    assert list(disk.iterdir()) == []
    assert archive.stack.depth("dead_letters") == 0
