"""V7's own SDK registers against the emulator: what darwin-py sends is taken, what it reads is there."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from beagle.emulator import DEFAULT_KEY, EmulatedDarwin, Item, serve
from emulator.samples import FakeClock
from support.darwin_py import REGISTERS, sdk_python
from support.own_venv import NotInstalledError

pytestmark = pytest.mark.sdk

MANY = [f"many/{n}.png" for n in range(23)]
CALLS: list[dict[str, Any]] = [
    {"storage_keys": ["cars/a/1.jpg", "cars/b/2.jpg", "top.pdf"]},
    {"storage_keys": ["cars/a/1.jpg", "cars/c/3.jpg"], "preserve_folders": True},
    {"storage_keys": ["v/drive.mp4", "v/still.jpg"], "fps": 2.5, "preserve_folders": True},
    {"storage_keys": ["v/native.mp4"], "fps": "native"},
    {
        "storage_keys": {"both sides": ["rig/front.mp4", "rig/back.mp4"], "mixed": ["m/a.jpg", "m/b.mp4"]},
        "multi_slotted": True,
        "preserve_folders": True,
        "fps": 5,
    },
    {"storage_keys": ["ct/scan.dcm", "ct/note.jpg"], "multi_planar_view": True},
    {"storage_keys": ["cars/a/1.jpg", "new.jpg"]},
    {"storage_keys": MANY, "preserve_folders": True},
    {"storage_keys": {"planes": ["ct/one.dcm"]}, "multi_slotted": True, "multi_planar_view": True},
]


@dataclass(frozen=True)
class Outcome:
    """What the SDK said, and what the emulator holds."""

    said: dict[str, Any]
    darwin: EmulatedDarwin

    def item(self, path: str, name: str) -> Item:
        """Return the one item at a place."""
        [item] = [item for item in self.darwin.items() if (item.path, item.name) == (path, name)]
        return item


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outcome]:
    """Let darwin-py make every call once."""
    clock = FakeClock()
    darwin = EmulatedDarwin.with_defaults(clock)
    try:
        python = sdk_python()
    except NotInstalledError as error:
        pytest.skip(str(error))
    plan = {
        "key": DEFAULT_KEY,
        "team": "acme",
        "dataset": "incoming",
        "storage": "acme-uploads",
        "calls": CALLS,
    }
    with serve(darwin) as server:
        done = subprocess.run(
            [python, REGISTERS],
            input=json.dumps(plan),
            env={"DARWIN_BASE_URL": server.url, "HOME": str(tmp_path_factory.mktemp("home"))},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        yield Outcome(json.loads(done.stdout), darwin)


def test_darwin_py_logs_in_and_finds_its_way(outcome: Outcome) -> None:
    """Team, dataset, storages, features; a wrong key is a failed login."""
    assert outcome.said["dataset"] == {"id": 1, "name": "incoming", "team": "acme"}
    assert outcome.said["storages"] == [
        ["acme-uploads", "darwin", False, "eu-west-1"],
        ["acme-archive", "", True, "eu-west-1"],
    ]
    assert outcome.said["features"]
    assert outcome.said["wrong_key"] == "InvalidLogin"


def test_flat_keys_become_items_in_the_root(outcome: Outcome) -> None:
    """Named by the last part of their keys."""
    assert len(outcome.said["runs"][0]["registered"]) == 3
    assert outcome.said["runs"][0]["blocked"] == []
    assert outcome.item("/", "1.jpg").storage_keys == ("cars/a/1.jpg",)
    assert outcome.item("/", "top.pdf").slots[0].type == "pdf"


def test_folders_are_preserved(outcome: Outcome) -> None:
    """The key's folder becomes the item's path, so the name is free again."""
    assert outcome.said["runs"][1]["blocked"] == []
    assert outcome.item("/cars/a", "1.jpg").storage_keys == ("cars/a/1.jpg",)
    assert outcome.item("/cars/c", "3.jpg").layout == {"type": "simple", "version": 1, "slots": ["0"]}


def test_rates_reach_videos_only(outcome: Outcome) -> None:
    """As a number, or as the word native."""
    assert outcome.item("/v", "drive.mp4").slots[0].fps == 2.5
    assert outcome.item("/v", "still.jpg").slots[0].fps is None
    assert outcome.item("/", "native.mp4").slots[0].fps == "native"


def test_several_files_become_one_item(outcome: Outcome) -> None:
    """A slot for each, named as its file; kinds may be mixed."""
    assert len(outcome.said["runs"][4]["registered"]) == 2
    rig = outcome.item("/rig", "both sides")
    assert [(s.slot_name, s.storage_key, s.fps) for s in rig.slots] == [
        ("front.mp4", "rig/front.mp4", 5),
        ("back.mp4", "rig/back.mp4", 5),
    ]
    assert [s.type for s in outcome.item("/m", "mixed").slots] == ["image", "video"]


def test_planes_are_asked_for_with_the_word_true(outcome: Outcome) -> None:
    """And of DICOM only; the emulator keeps a boolean."""
    assert len(outcome.said["runs"][5]["registered"]) == 2
    scan = outcome.item("/", "scan.dcm").slots[0]
    assert (scan.type, scan.extract_views) == ("dicom", True)
    assert outcome.item("/", "note.jpg").slots[0].extract_views is False


def test_a_taken_name_is_reported_as_blocked(outcome: Outcome) -> None:
    """With its reason, and the other item of the request is registered."""
    run = outcome.said["runs"][6]

    assert run["blocked"] == ["Item 1.jpg was blocked for the reason: ALREADY_EXISTS"]
    assert run["registered"] == [
        f"Item new.jpg registered with item ID {outcome.item('/', 'new.jpg').id}",
    ]


def test_darwin_py_sends_ten_items_a_request(outcome: Outcome) -> None:
    """Twenty-three keys make three requests."""
    assert len(outcome.said["runs"][7]["registered"]) == 23
    sizes = [entry.items for entry in outcome.darwin.requests() if entry.path.endswith("register_existing")]
    assert sizes[-4:-1] == [10, 10, 3]


def test_planes_of_a_slot_named_as_its_file_are_refused(outcome: Outcome) -> None:
    """V7's docs want that slot called "0", which darwin-py's slotted form does not do."""
    assert outcome.said["runs"][8] == "ValidationError"


def test_the_sdk_lists_what_the_emulator_holds(outcome: Outcome) -> None:
    """Every item once, by path and id."""
    held = {item.id: f"{item.path.rstrip('/')}/{item.name}" for item in outcome.darwin.items()}

    assert {item_id: path for path, _, item_id in outcome.said["listed"]} == held
