"""The artifacts of real files on this machine, and what the emulated Darwin says of them."""

import io
import json
import os
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pillow_heif
import pydicom
import pytest
from PIL import Image

from beagle.bootstrap.local import UNHURRIED, Workbench
from beagle.emulator import EmulatedDarwin, Hooks
from beagle.media.video.ffmpeg import find_ffmpeg
from beagle.playground.pictures import draw_ship, encode
from beagle.registration.payloads import build_item
from emulator.samples import post
from support.command import COMMAND, ENVIRONMENT, Beagle, Ran

FILES = ("frames_manifest.txt", "thumbnail.jpg", "audio_peaks.gz")
SCAN = Path(pydicom.__file__).parent / "data" / "test_files" / "CT_small.dcm"


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make two seconds with sound."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    picture = ("-f", "lavfi", "-i", "testsrc2=s=160x90:r=25:d=2", "-c:v", "libx264", "-preset", "veryfast")
    sound = ("-f", "lavfi", "-i", "sine=f=330:d=2", "-c:a", "aac")
    command = [find_ffmpeg().path, "-v", "error", *picture[:4], *sound[:4], *picture[4:], *sound[4:], path]
    subprocess.run(command, check=True)
    return path


@pytest.fixture
def photograph(tmp_path: Path) -> Path:
    """Make a picture that a camera took on its side."""
    path = tmp_path / "photograph.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    draw_ship("noon", size=(640, 400)).save(path, exif=exif)
    return path


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Watch the place where temporary files go."""
    place = tmp_path / "scratch"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    return place


def _problems(ran: Ran, source: Path, out: Path) -> list[str]:
    """Register what was printed, and return what the emulated Darwin misses in the bucket."""
    payload = json.loads(ran.out)
    slot = payload["slots"][0] if "slots" in payload else payload
    thumbnail: str = slot["storage_thumbnail_key"]
    prefix = thumbnail.removesuffix("thumbnail.jpg")

    def open_object(_bucket: str, key: str) -> bytes | None:
        if not key.startswith(prefix):
            return source.read_bytes() if key == slot["storage_key"] else None
        path = out / key.removeprefix(prefix)
        return path.read_bytes() if path.is_file() else None

    darwin = EmulatedDarwin.with_defaults(hooks=Hooks(open_object=open_object))
    reply = post(darwin, payload, read_only=True)
    assert reply.status == 200, reply
    assert not reply.json()["blocked_items"]
    return list(darwin.items()[0].problems)


def _names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_film_gets_all_that_darwin_wants(beagle: Beagle, film: Path, tmp_path: Path, scratch: Path):
    """The payload is one JSON object, Darwin takes it, and every file it speaks of is there."""
    out = tmp_path / "made"
    ran = beagle("artifacts", film, "--out", out, "--storage-key", "clips/sea/film.mp4", "--fps", "5")

    assert ran.code == 0, ran.err
    [payload] = ran.records
    [slot] = payload["slots"]
    assert (payload["path"], payload["name"]) == ("/clips/sea", "film.mp4")
    assert slot["storage_key"] == "clips/sea/film.mp4"
    assert slot["size_bytes"] == film.stat().st_size
    assert (slot["visible_frames"], slot["total_frames"]) == (10, 50)
    frames = [f"sections/{quality}/{n:09d}" for quality in ("high", "low") for n in range(10)]
    names = _names(out)
    assert {*FILES, "segments/high/index.m3u8", "segments/high/000000000.ts"} <= set(names)
    assert [name.rpartition(".")[0] for name in names if name.startswith("sections/")] == frames
    assert _problems(ran, film, out) == []
    assert list(scratch.iterdir()) == []
    assert slot["storage_thumbnail_key"].removesuffix("thumbnail.jpg") in ran.err


def test_the_same_file_and_key_give_the_same_payload(beagle: Beagle, film: Path, tmp_path: Path):
    """Artifacts lie where a hash of key and content says, or below the prefix that is named."""
    arguments = ("--storage-key", "a b/film.mp4", "--frames", "jpeg:5", "--no-preview")
    first = beagle("artifacts", film, "--out", tmp_path / "1", *arguments)
    again = beagle("artifacts", film, "--out", tmp_path / "2", *arguments)
    other = beagle("artifacts", film, "--out", tmp_path / "3", *arguments[2:], "--storage-key", "b/film.mp4")
    named = beagle("artifacts", film, "--out", tmp_path / "4", *arguments, "--artifact-prefix", "made/")

    assert first.out == again.out
    keys = {json.loads(ran.out)["slots"][0]["storage_thumbnail_key"] for ran in (first, other)}
    assert len(keys) == 2
    assert all(key.startswith(".beagle/") and key.endswith("-film/thumbnail.jpg") for key in keys)
    slot = json.loads(named.out)["slots"][0]
    assert slot["storage_thumbnail_key"] == "made/thumbnail.jpg"
    assert slot["storage_sections_key_extension"] == "jpg"
    assert "storage_low_quality_sections_key_prefix" not in slot
    assert _problems(named, film, tmp_path / "4") == []


def test_a_film_as_sections(beagle: Beagle, film: Path, tmp_path: Path):
    """The documentation's shape lists every frame, and has no segments."""
    out = tmp_path / "made"
    ran = beagle(
        "artifacts", film, "--out", out, "--storage-key", "film.mp4", "--shape", "sections", "--fps", "2"
    )

    [payload] = ran.records
    assert [section["section_index"] for section in payload["sections"]] == [1, 2, 3, 4]
    assert not (out / "segments").exists()
    assert _problems(ran, film, out) == []


@pytest.mark.parametrize(("profile", "told"), [("fast", b"subme=3"), ("equal", b"subme=7")])
def test_a_film_is_encoded_as_its_profile_says(
    beagle: Beagle, film: Path, tmp_path: Path, profile: str, told: bytes
):
    """`equal` has darwin-py's settings of x264, which writes what it was told into the stream."""
    out = tmp_path / "made"

    beagle("artifacts", film, "--out", out, "--storage-key", "film.mp4", "--profile", profile, "--fps", "1")

    assert told in (out / "segments/high/000000000.ts").read_bytes()


@pytest.mark.parametrize(("size", "told"), [("shown", (400, 640)), ("stored", (640, 400))])
def test_an_image_gets_its_thumbnail_and_size(
    beagle: Beagle, photograph: Path, tmp_path: Path, size: str, told: tuple[int, int]
):
    """As browsers show it, or as it is stored."""
    out = tmp_path / "made"
    ran = beagle("artifacts", photograph, "--out", out, "--storage-key", "p.jpg", "--size", size)

    [payload] = ran.records
    assert (payload["width"], payload["height"]) == told
    assert _names(out) == ["thumbnail.jpg"]
    assert "1 file in" in ran.err
    assert _problems(ran, photograph, out) == []


@pytest.mark.parametrize(("key", "kind"), [("p.heic", "HEIF"), ("p.avif", "AVIF"), ("p", "JPEG")])
def test_a_type_is_told_where_the_key_does_not_tell_it(
    beagle: Beagle, tmp_path: Path, scratch: Path, key: str, kind: str
):
    """Without it the file would be ignored, as a deployment without such a route does."""
    pillow_heif.register_heif_opener()
    picture, out = tmp_path / "picture", tmp_path / "made"
    draw_ship("noon", size=(640, 400)).save(picture, kind)
    ignored = beagle("artifacts", picture, "--out", out, "--storage-key", key)
    told = beagle("artifacts", picture, "--out", out, "--storage-key", key, "--type", "image")

    assert ignored.code == 1
    assert "unknown_type" in ignored.err
    [payload] = told.records
    assert (payload["type"], payload["width"], payload["height"]) == ("image", 640, 400)
    assert _names(out) == ["thumbnail.jpg"]
    assert _problems(told, picture, out) == []
    assert list(scratch.iterdir()) == []


def test_what_read_only_storage_does_not_know_is_converted_when_asked(beagle: Beagle, tmp_path: Path):
    """DICOM becomes an image that takes its place, a PDF pages; without being asked, neither."""
    paper = tmp_path / "paper.pdf"
    paper.write_bytes(encode(draw_ship("dusk", size=(320, 200)), "PDF"))
    refused = beagle("artifacts", SCAN, "--out", tmp_path / "0", "--storage-key", "scan.dcm")
    scan = beagle("artifacts", SCAN, "--out", tmp_path / "1", "--storage-key", "scan.dcm", "--convert")
    pages = beagle("artifacts", paper, "--out", tmp_path / "2", "--storage-key", "p.pdf", "--convert")

    assert refused.code == 1
    assert "(unsupported_media)" in refused.err
    assert json.loads(scan.out)["storage_key"].endswith("/image.png")
    assert len(json.loads(pages.out)["sections"]) == 1
    assert _problems(scan, SCAN, tmp_path / "1") == []
    assert _problems(pages, paper, tmp_path / "2") == []


@pytest.mark.parametrize(
    ("key", "data", "code"),
    [
        ("a.jpg", b"no picture", "unreadable_media"),
        ("a.mp4", b"no film", "unreadable_media"),
        ("a.png", b"", "empty_object"),
        ("a.txt", b"text", "unsupported_media"),
        ("/a.jpg", b"\xff\xd8\xff", "unregisterable_key"),
    ],
)
def test_a_verdict_is_a_sentence_with_its_code(  # noqa: PLR0913, PLR0917 - fixtures and cases
    beagle: Beagle, tmp_path: Path, scratch: Path, key: str, data: bytes, code: str
):
    """And nothing is left behind: neither artifacts nor temporary files, and nothing on standard output."""
    source, out = tmp_path / "source", tmp_path / "made"
    source.write_bytes(data)
    ran = beagle("artifacts", source, "--out", out, "--storage-key", key)

    assert (ran.code, ran.out) == (1, "")
    assert f"({code})" in ran.err
    assert len(ran.err.splitlines()) == 1
    assert not out.exists()
    assert list(scratch.iterdir()) == []


def test_a_film_that_breaks_off_leaves_the_folder_empty(beagle: Beagle, film: Path, tmp_path: Path):
    """Frames that were made before the damage was found go again; the folder itself stays."""
    whole, source, out = film.read_bytes(), tmp_path / "film.mp4", tmp_path / "made"
    picture = whole.index(b"mdat") + 4
    source.write_bytes(whole[:picture] + bytes(len(whole[picture:])))
    out.mkdir()
    ran = beagle("artifacts", source, "--out", out, "--storage-key", "film.mp4")

    assert ran.code == 1
    assert list(out.iterdir()) == []


def test_misuse_is_told_before_anything_is_made(beagle: Beagle, photograph: Path, tmp_path: Path):
    """Exit 2, and one sentence that says what to change."""
    full = tmp_path / "full"
    full.mkdir()
    (full / "mine.txt").write_text("mine")
    out = tmp_path / "made"
    key = ("--storage-key", "p.jpg")
    for arguments, said in (
        (("nothing.jpg", "--out", out, *key), "nothing.jpg cannot be read: No such file or directory."),
        ((tmp_path, "--out", out, *key), "cannot be read: Is a directory."),
        ((photograph, "--out", full, *key), f"{full} is not empty"),
        ((photograph, "--out", photograph, *key), "cannot take the artifacts: Not a directory."),
        ((photograph, "--out", out, *key, "--frames", "jpeg:1"), "--frames 'jpeg:1' is not png, or jpeg:N"),
        ((photograph, "--out", out, *key, "--fps", "0"), "--fps '0' is not a number greater than 0"),
        ((photograph, "--out", out, *key, "--shape", "dash"), "'dash' is not one of"),
        ((photograph, "--out", out), "Missing option '--storage-key'"),
    ):
        ran = beagle("artifacts", *arguments)

        assert (ran.code, ran.out) == (2, "")
        assert said in ran.err
        assert not out.exists()
    assert _names(full) == ["mine.txt"]


def test_the_parts_of_a_long_film_are_made_one_after_the_other(tmp_path: Path):
    """A film that is split gives what one run gives; x264's bit rate alone may be another."""
    long = tmp_path / "long.mp4"
    picture = ("-f", "lavfi", "-i", "testsrc2=s=160x90:r=25:d=7", "-c:v", "libx264", "-g", "50")
    subprocess.run([find_ffmpeg().path, "-v", "error", *picture, long], check=True)
    told: list[int] = []

    def made(folder: str, seconds: float) -> str:
        told.clear()
        bench = Workbench.for_file(
            long,
            "film.mp4",
            {},
            folder=tmp_path / folder,
            prefix="made/",
            invocation_seconds=seconds,
            progress=lambda done, _total: told.append(done),
        )
        return re.sub(r'"bitrate": [\d.]+', "", json.dumps(build_item(bench.make())))

    in_parts, parts = made("parts", 0.2), told.count(1)
    assert in_parts == made("whole", UNHURRIED)
    assert parts > told.count(1) == 1
    assert _names(tmp_path / "parts") == _names(tmp_path / "whole")
    assert (tmp_path / "parts" / FILES[0]).read_bytes() == (tmp_path / "whole" / FILES[0]).read_bytes()


def test_stopped_in_the_middle_it_leaves_nothing_behind(tmp_path: Path):
    """A request to end takes the half-made artifacts, the temporary files and the decoder along."""
    scratch, out, source = tmp_path / "scratch", tmp_path / "made", tmp_path / "long.mp4"
    scratch.mkdir()
    picture = ("-f", "lavfi", "-i", "testsrc2=s=640x360:r=25:d=60", "-c:v", "libx264", "-preset", "ultrafast")
    subprocess.run([find_ffmpeg().path, "-v", "error", *picture, source], check=True)
    command = [*COMMAND, "artifacts", source, "--out", out, "--storage-key", "long.mp4"]
    environment = {**ENVIRONMENT, "TMPDIR": str(scratch)}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        _wait_until((out / "sections").is_dir)
        process.send_signal(signal.SIGTERM)
        said, told = process.communicate(timeout=30)

    assert (process.returncode, said, told) == (1, b"", b"Stopped.\n")
    assert not out.exists()
    assert list(scratch.iterdir()) == []


def test_a_terminal_sees_a_bar_and_the_data_stays_apart(photograph: Path, tmp_path: Path):
    """With standard error on a terminal, standard output is still one JSON object."""
    seen = io.BytesIO()
    ours, theirs = os.openpty()
    command = [*COMMAND, "artifacts", photograph, "--out", tmp_path / "made", "--storage-key", "p.jpg"]
    with subprocess.Popen(
        command, env={**ENVIRONMENT, "TERM": "xterm-256color"}, stdout=subprocess.PIPE, stderr=theirs
    ) as process:
        os.close(theirs)
        try:
            while data := os.read(ours, 1 << 16):
                seen.write(data)
        except OSError:
            pass  # how a terminal's end is told
        said, _ = process.communicate(timeout=60)
    os.close(ours)

    assert json.loads(said)["storage_key"] == "p.jpg"
    assert b"Making artifacts" in seen.getvalue()


def _wait_until(claim: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < deadline
        time.sleep(0.01)
