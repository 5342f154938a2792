"""Uploads that want more than to be shown, through every stage: a dead letter each, and nothing else."""

from __future__ import annotations

import os
import resource
import subprocess
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep

import pytest

from beagle.domain.outcomes import Ending
from beagle.media.video import ffmpeg
from beagle.pipeline.limits import SPARE, TRIES
from beagle.ports import Trace
from media.archive import PLAYLIST
from media.stills.bombs import gif_bomb, png_bomb, tiff_bomb
from media.video.conftest import Time

CANARY = "what lies elsewhere on the disk"
GIGABYTE = 1024 * 1024  # in the units of getrusage


@pytest.fixture(scope="module")
def canary(tmp_path_factory) -> Path:
    """A film that is no upload; whoever follows a playlist to it finds frames, and these words."""
    path = tmp_path_factory.mktemp("elsewhere") / "canary.mp4"
    film(path, "libx264")
    path.write_bytes(path.read_bytes() + CANARY.encode())
    return path


def film(path: Path, codec: str) -> None:
    source = ("-f", "lavfi", "-i", "testsrc2=s=64x64:r=5:d=1")
    subprocess.run([ffmpeg.find_ffmpeg().path, "-v", "error", *source, "-c:v", codec, path], check=True)


def concatenation(canary: Path, _url: str, _folder: Path) -> bytes:
    return f"ffconcat version 1.0\nfile {canary}\n".encode()


def local_playlist(canary: Path, _url: str, _folder: Path) -> bytes:
    return PLAYLIST.format(f"file://{canary}").encode()


def far_playlist(_canary: Path, url: str, _folder: Path) -> bytes:
    return PLAYLIST.format(url).encode()


def magicyuv(_canary: Path, _url: str, folder: Path) -> bytes:
    path = folder / "magic.avi"
    film(path, "magicyuv")
    return path.read_bytes()


@pytest.mark.parametrize(
    ("key", "attack", "code"),
    [
        ("in/list.mp4", concatenation, "unreadable_media"),
        ("in/local.mp4", local_playlist, "unreadable_media"),
        ("in/far.mp4", far_playlist, "unreadable_media"),
        ("in/hole.avi", magicyuv, "unsupported_media"),
        ("in/bomb.png", lambda *_: png_bomb(), "media_too_large"),
        ("in/bomb.tiff", lambda *_: tiff_bomb(), "media_too_large"),
        ("in/bomb.gif", lambda *_: gif_bomb(), "media_too_large"),
    ],
    ids=lambda value: value if isinstance(value, str) and "/" in value else "",
)
def test_an_attack_is_a_dead_letter_and_reaches_nothing(  # noqa: PLR0913, PLR0917 - a table's columns
    archive, listener, canary, tmp_path, key, attack, code
):
    """
    No artifact is written and nothing is registered, so nothing of another file can be in either.

    Nobody on the network hears of it, and memory stays below a gigabyte.
    """
    url, seen = listener
    sides = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    worst = {who: resource.getrusage(who).ru_maxrss for who in sides}
    place = archive()
    place.upload(key, attack(canary, url, tmp_path), times=1)
    place.settle()

    [letter] = place.world.letters()
    assert (letter.code, letter.event.ref.key) == (code, key)
    assert CANARY not in str(letter)
    assert place.artifacts() == {}
    assert place.world.registrations() == 0
    assert seen == []
    for who, before in worst.items():
        # What ran in this process before, such as Terraform's providers, may have taken more.
        assert resource.getrusage(who).ru_maxrss < GIGABYTE or resource.getrusage(who).ru_maxrss == before


class Watching(Time):
    """A deadline that sees what runs whenever it is asked."""

    def __init__(self, seconds: float, words: str) -> None:
        super().__init__(seconds)
        self.words = words
        self.seen: set[int] = set()

    def remaining(self) -> float:
        self.seen |= running(self.words)
        return super().remaining()


def running(words: str) -> set[int]:
    """Return the processes whose command line holds these words."""
    found = set()
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if words in entry.read_bytes().replace(b"\0", b" ").decode(errors="replace"):
                found.add(int(entry.parent.name))
    return found


def are_left(words: str) -> set[int]:
    """Return which of these processes do not end: who was killed may still have to be buried."""
    end = monotonic() + 10
    while (left := running(words)) and monotonic() < end:
        sleep(0.05)
    return left


def test_an_ffmpeg_that_hangs_is_killed_with_its_child_and_at_last_the_video_is_given_up(
    archive, monkeypatch, tmp_path
):
    """
    At the invocation's end both are dead. The message comes again, since the machine may be to blame.
    """
    fake = tmp_path / "ffmpeg"
    # No two runs of this test on one machine sleep for the same time: each sees its own processes only.
    forever = f"/bin/sleep 641.{os.getpid()}"
    version = 'if [ "$1" = -version ]; then echo "ffmpeg version 9.0.2"; exit; fi'
    fake.write_text(f"#!/bin/sh\n{version}\n{forever} & exec {forever}\n")
    fake.chmod(0o755)
    monkeypatch.setattr(ffmpeg, "_packaged", lambda: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    place, time = archive(), Watching(SPARE + 4, forever)
    place.upload("in/film.mp4", b"a film", times=1)
    place.world.run_prepare()
    place.run_extract(time)

    assert len(time.seen) == 2
    assert are_left(time.words) == set()
    assert [(o.ending, o.code) for stage, o in place.world.journal.notes if stage == "extract"] == [
        (Ending.AGAIN, "out_of_time")
    ]
    assert place.world.letters() == []
    [body] = place.videos.bodies()
    place.extract.tries.stopped.write([(body, Trace(TRIES - 1))])
    place.world.clock.advance(3600)
    place.run_extract(Watching(SPARE + 4, time.words))

    assert are_left(time.words) == set()
    assert [letter.code for letter in place.world.letters()] == ["media_too_slow"]
    assert len(place.videos) == 0
    assert place.artifacts() == {}
    assert place.world.registrations() == 0
