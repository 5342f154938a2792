import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from support.command import COMMAND, ENVIRONMENT, ROOT, Beagle

FOLDER = ROOT / "tests" / "recordings"
RECORDINGS = sorted(
    path for provider in ("aws", "azure", "gcp") for path in FOLDER.glob(f"{provider}/*.json")
)
ROUTES = """
team: acme
routes:
  - name: cars
    watch: {bucket: acme-uploads, exclude: ["**/drafts/**"]}
    dataset: cars
    storage: acme-uploads
    tags: incoming
  - name: archive
    watch: {bucket: acme-archive}
    dataset: archive
    storage: acme-archive
    access: read_only
  - name: rigs
    watch: {bucket: acme-rigs}
    dataset: rigs
    storage: acme-rigs
    group: {slots: [front.mp4, back.mp4]}
"""
FIELDS = {"outcome", "code", "route", "storage_key", "dataset", "item", "object", "detail"}


@pytest.fixture
def routes(tmp_path: Path) -> Path:
    file = tmp_path / "routes.yaml"
    file.write_text(ROUTES)
    return file


def notification(key: str, *, bucket: str = "acme-uploads", size: int = 7) -> bytes:
    event = {
        "source": "aws.s3",
        "detail-type": "Object Created",
        "time": "2026-11-20T09:14:27Z",
        "detail": {"bucket": {"name": bucket}, "object": {"key": key, "size": size, "etag": "b1946ac9"}},
    }
    return json.dumps(event).encode()


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_recording_has_one_record_for_each_announced_object(path: Path, beagle: Beagle, routes: Path):
    """Whatever a provider sends, the objects it announces are told one a line, in order; nothing crashes."""
    recording = json.loads(path.read_text())
    body, announced = recording["body"], recording["expected"].get("announced")
    data = body if isinstance(body, str) else json.dumps(body)

    ran = beagle("explain", "-", "--routes", routes, stdin=data.encode())

    assert all(set(record) == FIELDS for record in ran.records)
    assert ran.code == int(any(record["outcome"] == "dead_lettered" for record in ran.records))
    if announced is None:
        assert [record["code"] for record in ran.records] == ["unparsable_message"]
    else:
        objects = [record["object"] for record in ran.records]
        assert [about and about["key"] for about in objects] == [one.get("key") for one in announced]
        assert [about and about["bucket"] for about in objects] == [one.get("bucket") for one in announced]


def test_the_item_is_what_darwin_would_be_sent(beagle: Beagle, routes: Path):
    ran = beagle("explain", "-", "--routes", routes, "--json", stdin=notification("a/b +%.JPG"))

    [record] = ran.records
    assert ran.code == 0
    assert record["item"] == {
        "path": "/a",
        "name": "b +%.JPG",
        "storage_key": "a/b +%.JPG",
        "type": "image",
        "tags": ["incoming"],
    }
    assert (record["outcome"], record["code"]) == ("register", None)
    assert (record["route"], record["dataset"], record["storage_key"]) == ("cars", "cars", "a/b +%.JPG")


@pytest.mark.parametrize(
    ("key", "bucket", "outcome", "code"),
    [
        ("a.jpg", "acme-archive", "extract", None),
        ("a.pdf", "acme-archive", "dead_lettered", "unsupported_media"),
        ("one/front.mp4", "acme-rigs", "wait_for_group", None),
        ("a.txt", "acme-uploads", "ignored", "unknown_type"),
        ("x/drafts/a.jpg", "acme-uploads", "ignored", "excluded"),
        ("a.jpg", "somebody-elses", "ignored", "no_route"),
        (".beagle/a.jpg", "acme-uploads", "ignored", "own_artifact"),
        ("/a.jpg", "acme-uploads", "dead_lettered", "unregisterable_key"),
    ],
)
def test_each_fate_is_told_by_its_code(  # noqa: PLR0913, PLR0917 - a table's columns
    key: str, bucket: str, outcome: str, code: str | None, beagle: Beagle, routes: Path
):
    ran = beagle("explain", "-", "--routes", routes, stdin=notification(key, bucket=bucket))

    [record] = ran.records
    assert (record["outcome"], record["code"]) == (outcome, code)
    assert ran.code == (1 if outcome == "dead_lettered" else 0)
    assert bool(record["item"]) == (outcome in {"extract", "wait_for_group"})


def test_a_read_only_object_is_told_without_the_artifacts_that_are_still_to_be_made(
    beagle: Beagle, routes: Path
):
    ran = beagle("explain", "-", "--routes", routes, stdin=notification("a.jpg", bucket="acme-archive"))

    [record] = ran.records
    slot = {"slot_name": "0", "file_name": "a.jpg", "storage_key": "a.jpg", "type": "image"}
    assert record["item"] == {"path": "/", "name": "a.jpg", "slots": [slot]}


def test_what_darwin_would_refuse_is_dead_lettered_here_too(beagle: Beagle, tmp_path: Path):
    """A route that makes an item no request can hold is told before anybody deploys it."""
    file = tmp_path / "routes.yaml"
    file.write_text(ROUTES.replace("tags: incoming", 'tags: [""]'))

    ran = beagle("explain", "-", "--routes", file, stdin=notification("a.jpg"))

    [record] = ran.records
    assert (ran.code, record["outcome"], record["code"]) == (1, "dead_lettered", "invalid_request")
    assert record["item"] is None


def test_a_file_and_a_message_of_our_own_are_read_too(beagle: Beagle, routes: Path, tmp_path: Path):
    """A replayed message has a form of ours; a file saved by a Windows editor begins with a mark."""
    file = tmp_path / "notification.json"
    ours = (
        '{"beagle":"event/1","replayed":1,"event":{"ref":{"provider":"gcp","bucket":"acme-uploads",'
        '"key":"a.jpg"},"content":"1","size":1,"occurred_at":"2026-11-20T09:14:27Z"}}'
    )
    file.write_text(ours, encoding="utf-8-sig")

    ran = beagle("explain", file, "--routes", routes)

    assert [record["object"]["provider"] for record in ran.records] == ["gcp"]


def test_without_a_routes_file_the_environment_decides(beagle: Beagle, monkeypatch: pytest.MonkeyPatch):
    for name, value in {"TEAM": "acme", "DATASET": "d", "STORAGE": "s", "BUCKET": "acme-uploads"}.items():
        monkeypatch.setenv(f"BEAGLE_{name}", value)

    ran = beagle("explain", "-", stdin=notification("a.jpg"))

    assert [record["dataset"] for record in ran.records] == ["d"]


@pytest.mark.parametrize("data", [b"", b"no json", b"\xff\xfe", b"[" * 100_000, b'{"beagle":"event/1"}'])
def test_what_nobody_can_read_is_one_record_and_exit_1(data: bytes, beagle: Beagle, routes: Path):
    ran = beagle("explain", "-", "--routes", routes, stdin=data)

    assert (ran.code, [record["code"] for record in ran.records]) == (1, ["unparsable_message"])


@pytest.mark.parametrize(
    ("routes_text", "said"),
    [
        ("team: [", "is not valid YAML"),
        ("team: acme\nroutes: [{dataset: d, storage: s, watch: {bucket: b, prefix: a}}]", "prefix must end"),
        (None, "cannot be read"),
    ],
)
def test_misuse_ends_with_2_and_one_sentence(
    routes_text: str | None, said: str, beagle: Beagle, tmp_path: Path
):
    """Routes that do not hold together, or are not there, are named; nobody sees a traceback."""
    file = tmp_path / "routes.yaml"
    if routes_text is not None:
        file.write_text(routes_text)

    ran = beagle("explain", "-", "--routes", file, stdin=notification("a.jpg"))

    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert "Traceback" not in ran.err


def test_a_missing_notification_is_misuse(beagle: Beagle, routes: Path):
    ran = beagle("explain", "nowhere.json", "--routes", routes)

    assert (ran.code, ran.out) == (2, "")
    assert "nowhere.json cannot be read" in ran.err


HOSTILE = "a/\x1b]0;owned\x07\x1b[2J\x9b31m\u202egpj\r\nb.jpg"


def test_a_key_cannot_break_out_of_its_line(beagle: Beagle, routes: Path):
    """Line breaks and terminal codes in a key are escaped: one record is one line, in plain ASCII."""
    ran = beagle("explain", "-", "--routes", routes, stdin=notification(HOSTILE))

    assert [record["object"]["key"] for record in ran.records] == [HOSTILE]
    assert ran.out.isascii()
    assert ran.out.count("\n") == 1
    assert "\x1b" not in ran.out


def test_a_key_cannot_steer_the_terminal(routes: Path, tmp_path: Path):
    """On a real terminal the colours are ours alone: what a key holds is written out as an escape."""
    file = tmp_path / "notification.json"
    file.write_bytes(notification(HOSTILE))
    ours, theirs = pty.openpty()
    arguments = ["explain", str(file), "--routes", str(routes)]
    environment = {**ENVIRONMENT, "TERM": "xterm-256color", "COLUMNS": "120"}
    with subprocess.Popen([*COMMAND, *arguments], stdout=theirs, stderr=theirs, env=environment) as process:
        os.close(theirs)
        shown = _read_all(ours)

    assert process.returncode == 0
    assert "\\x1b]0;owned\\x07" in shown
    assert set(re.findall(r"\x1b.", shown)) == {"\x1b["}
    assert set(re.findall(r"\x1b\[[0-9;]*(.)", shown)) == {"m"}
    assert not set(shown) & {"\x07", "\x9b", "\u202e"}


def _read_all(terminal: int) -> str:
    data = b""
    while True:
        try:
            data += os.read(terminal, 65536)
        except OSError:  # Linux says so when the other end is closed
            os.close(terminal)
            return data.decode()


def test_the_command_starts_without_what_only_some_commands_need():
    """Help and versions come at once: no SDK, no models, no Rich are imported for them."""
    code = "import beagle.cli.main, sys; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=ENVIRONMENT
    )

    assert not set(said.stdout.split()) & {"boto3", "botocore", "pydantic", "yaml", "rich", "requests", "PIL"}
