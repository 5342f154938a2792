"""From a container of Azure to a dataset: exactly the objects that should, under their keys, each once."""

import json
import unicodedata
from base64 import b64encode
from pathlib import Path

import pytest

from beagle.emulator import Fault
from beagle.pipeline.replay import Choice, plan_replay, run_replay
from beagle.playground.story import ARCHIVE_FOLDER, read_uploads
from support.azure.world import World

RECORDINGS = Path(__file__).parents[1] / "recordings" / "azure"
PICTURE = b"no picture, but bytes"
ODD = (
    "with space + plus.png",
    "100%.png",
    "100%25.png",
    "a%2Bb.png",
    "deep//doubled.png",
    "quo'te&amp;=;?#,!.png",
    "UPPER.JPG",
    unicodedata.normalize("NFC", "caf\u00e9.png"),
    unicodedata.normalize("NFD", "cafe\u0301.png"),
    "\U0001f436.png",
)


def test_what_the_demo_uploads_becomes_items_under_its_own_keys(world: World, folder: str) -> None:
    """
    By Azure's own client, announced in both of Event Grid's schemas: a JPEG, a PNG, an MP4, a PDF, a DICOM.

    The storage key begins with the container, and Darwin finds the blob there; text is ignored.
    """
    uploads, _ = read_uploads()
    files = [one for one in uploads if not one.key.startswith((f"{ARCHIVE_FOLDER}/", "cameras/south"))]
    for one in files:
        world.container.put(f"{folder}/{one.key}", one.data)
    for key in ODD:
        world.container.put(f"{folder}/{key}", PICTURE)
    books = world.settle(folder, 2 * (len(files) + len(ODD)))

    wanted = {*(one.key for one in files if one.key != "notes/readme.txt"), *ODD}
    assert world.keys(folder) == {f"{world.container.name}/{folder}/{key}": 1 for key in wanted}
    assert {item.status for item in world.darwin.items() if folder in str(item)} == {"complete"}
    assert {key: books.of_key(f"{folder}/{key}", "register") for key in wanted} == {
        key: ["already_registered", "registered"] for key in wanted
    }
    assert books.codes("ignored") == {f"{folder}/notes/readme.txt": "unknown_type"}
    assert not world.letters(folder)


def test_the_functions_log_their_outcomes_and_not_azures_requests(world: World, folder: str) -> None:
    """A line an outcome is what is paid for; Azure's own clients would write twenty for each request."""
    world.container.put(f"{folder}/1.png", PICTURE)
    world.settle(folder, 2)

    for stage in ("prepare", "register"):
        logged = world.deployment.logs(stage)
        [first, *_] = [number for number, line in enumerate(logged) if '"object ended"' in line]
        assert not [line for line in logged[first:] if not line.startswith("{")]


def test_blobs_are_registered_however_they_were_written(world: World, folder: str) -> None:
    """In one request, in blocks, by a copy; an overwritten one is the item that it was."""
    world.container.put(f"{folder}/one.png", PICTURE)
    world.container.put_in_blocks(f"{folder}/blocks.png", PICTURE * 1000)
    world.container.copy(f"{folder}/blocks.png", f"{folder}/copied.png")
    world.settle(folder, 6)
    world.container.client.upload_blob(f"{folder}/one.png", PICTURE + b"!", overwrite=True)
    world.container.announce("PutBlob", f"{folder}/one.png")
    books = world.settle(folder, 8)

    prefix = f"{world.container.name}/{folder}"
    assert world.keys(folder) == {f"{prefix}/{name}.png": 1 for name in ("one", "blocks", "copied")}
    assert books.count("register")["registered"] == 3
    assert set(books.codes("superseded").values()) <= {"overwritten"}


def test_a_file_of_data_lake_storage_waits_until_it_is_closed(world: World, folder: str) -> None:
    """Its creation, without bytes yet and at the other host's address, is ignored; the key is the same."""
    key = f"{folder}/lake file+1.png"
    world.container.write_file(key, PICTURE)
    books = world.settle(folder, 2)

    assert world.keys(folder) == {f"{world.container.name}/{key}": 1}
    assert books.count("prepare") == {"passed_on": 2}
    ignored = [line for line in world.deployment.logs("prepare") if "not_yet_written" in line]
    assert len(ignored) == 2
    assert not world.letters(folder)


def test_recorded_events_of_other_calls_are_ignored(world: World) -> None:
    """As Azure's documentation has them: created, but not closed; deleted; renamed; Event Grid's own test."""
    names = ("event_create_file", "event_deleted", "event_renamed", "event_sftp_create")
    before = world.darwin.items()
    done = len(world.deployment.books("").lines)

    def ignored() -> int:
        return sum('"ending": "ignored"' in line for line in world.deployment.logs("prepare"))

    already = ignored()
    for name in names:
        world.container.send(json.loads((RECORDINGS / f"{name}.json").read_text())["body"])
    world.deployment.wait_until(lambda: ignored() == already + len(names), "All of them")

    assert world.darwin.items() == before
    assert len(world.deployment.books("").lines) == done


def test_what_darwin_blocks_is_a_dead_letter_and_can_be_replayed(world: World, folder: str) -> None:
    """
    With its reason. Replayed after its cause is gone, it is registered, and its letter is gone.

    Two deliveries wrote two copies of one letter: one step of the replay takes both away.
    """
    key = f"{folder}/blocked.png"
    world.darwin.inject(Fault(kind="block", match=folder, count=None, reason="UNSUPPORTED_CODEC"))
    world.container.put(key, PICTURE)
    world.settle(folder, 2)
    found = [one.letter for one in world.letters(folder)]
    assert [(letter.code, letter.stage) for letter in found] == [("item_blocked", "register")] * 2
    assert "UNSUPPORTED_CODEC" in found[0].reason

    world.darwin.clear_faults()
    box = world.deployment.letter_box()
    [step] = plan_replay(box.list_letters(), Choice(prefix=key))
    done = list(run_replay([step], world.deployment.outbox(), box))
    box.release()
    world.settle(folder, 3)

    assert len(step.copies) == 2
    assert [one.error for one in done] == [None]
    assert world.keys(folder) == {f"{world.container.name}/{key}": 1}
    assert not world.letters(folder)


@pytest.mark.parametrize("form", ["base64", "bare"])
def test_garbage_ends_among_the_letters(world: World, folder: str, form: str) -> None:
    """
    What nobody can read is a dead letter at once; what is no base64 the host itself puts aside.

    Replayed, that is read, and becomes a dead letter of ours.
    """
    words = f"{{no JSON {folder}"
    body = b64encode(words.encode()).decode() if form == "base64" else words
    world.deployment.queues["uploads"].send_message(body)
    world.deployment.wait_until(lambda: bool(world.letters(folder)), "The letter")
    if form == "bare":
        box = world.deployment.letter_box()
        kept = [one for one in box.list_letters() if folder in one.letter.raw]
        assert [one.letter.code for one in kept] == ["gave_up"]
        list(run_replay(plan_replay(kept, Choice()), world.deployment.outbox(), box))
        box.release()
        world.deployment.wait_until(lambda: bool(world.letters(folder)), "The letter of ours")

    assert [one.letter.code for one in world.letters(folder)] == ["unparsable_message"]
    assert [one.letter.raw for one in world.letters(folder)] == [words]
