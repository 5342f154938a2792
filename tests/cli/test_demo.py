import io
import re
import signal
import subprocess
from pathlib import Path

import pytest
from PIL import Image, ImageOps

from beagle.playground.pictures import draw_ship, encode
from support.command import COMMAND, ENVIRONMENT, ROOT

pytestmark = pytest.mark.e2e


def test_the_demo_ends_by_itself_with_books_that_add_up():
    """Ten real files, each announced twice, one replayed: every column sums to what was received."""
    ran = subprocess.run(
        [*COMMAND, "demo"], capture_output=True, text=True, timeout=170, check=False, env=ENVIRONMENT
    )

    assert ran.returncode == 0, ran.stdout + ran.stderr
    rows = {name: [int(n) for n in numbers.split()] for name, numbers in _rows(ran.stdout)}
    assert rows == {
        "received": [10, 10, 1, 21],
        "registered": [7, 0, 1, 8],
        "already registered": [1, 8, 0, 9],
        "superseded": [0, 0, 0, 0],
        "ignored": [1, 1, 0, 2],
        "dead-lettered": [1, 1, 0, 2],
        "still queued": [0, 0, 0, 0],
        "sum": [10, 10, 1, 21],
    }
    assert "logs/north side + south.png  -> /logs/north side + south.png" in ran.stdout
    assert re.search(r"registered +cameras/south/0001.jpg  -> /cameras/0001-[0-9a-f]{8}\.jpg", ran.stdout)
    assert "archive/passing-ship.mp4  -> /archive/passing-ship.mp4" in ran.stdout
    assert "ok  2 of them are on read-only storage; no thumbnail or frame is missing." in ran.stdout
    assert "\x1b" not in ran.stdout


def _rows(text: str) -> list[tuple[str, str]]:
    return re.findall(r"^ *([a-z][a-z -]*?) {2,}((?:\d+ +){3}\d+) *$", text, re.MULTILINE)


def test_up_registers_what_is_put_into_its_folder_and_ends_cleanly(tmp_path: Path):
    """The stack runs until it is told to end; its outcomes come as lines."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b +.jpg").write_bytes(b"\xff\xd8\xff")

    with subprocess.Popen(
        [*COMMAND, "up", "--folder", str(tmp_path)], stdout=subprocess.PIPE, text=True, env=ENVIRONMENT
    ) as process:
        assert process.stdout
        lines = iter(process.stdout.readline, "")
        registered = next((line for line in lines if line.startswith("registered")), None)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)

    assert registered
    assert registered.split(maxsplit=1)[1].strip() == "a/b +.jpg  -> /a/b +.jpg"
    assert process.returncode == 0


def test_the_demos_photograph_lies_on_its_side():
    """Whoever ignores its EXIF orientation sees the ship stand on its stern."""
    picture = Image.open(io.BytesIO(encode(draw_ship("noon", size=(96, 64)), "JPEG", on_its_side=True)))

    assert picture.size == (64, 96)
    assert ImageOps.exif_transpose(picture).size == (96, 64)


def test_the_demos_film_is_one():
    """An MP4 begins with its brand; the index stands before the pictures, so that it plays while it loads."""
    data = (ROOT / "shared" / "beagle" / "playground" / "files" / "passing-ship.mp4").read_bytes()

    assert data[4:8] == b"ftyp"
    assert -1 < data.find(b"moov") < data.find(b"mdat")
    assert len(data) < 20_000
