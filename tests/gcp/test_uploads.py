"""From a bucket of Google Cloud to a dataset: exactly what should be, under its own key, each once."""

import json
import unicodedata
from base64 import b64encode
from collections import Counter
from collections.abc import Callable

import pytest
import urllib3

from beagle.emulator import Fault
from beagle.pipeline.replay import Choice, plan_replay, run_replay
from beagle.playground.story import read_uploads
from beagle.ports import KeptLetter
from gcp.conftest import World

PICTURE = b"no picture, but bytes"
ODD = (
    "with space + plus.png",
    "100%25.png",
    "deep//doubled.png",
    "a/../b.png",
    " spaces .png",
    unicodedata.normalize("NFC", "caf\u00e9.png"),
    unicodedata.normalize("NFD", "cafe\u0301.png"),
    "\U0001f436.png",
)


def keys(world: World, folder: str) -> Counter[str]:
    """Count the items of a folder by their one storage key."""
    found = [item.storage_keys for item in world.darwin.items()]
    return Counter(key for (key,) in found if folder in key)


def letters(world: World, folder: str) -> dict[str, KeptLetter]:
    """Return the dead letters of a folder by their keys, and leave them for the next reader."""
    box = world.deployment.letter_box()
    kept = list(box.list_letters())
    box.release()
    return {one.letter.event.ref.key: one for one in kept if one.letter.event and folder in str(one.letter)}


def settled(world: World, folder: str, announced: int) -> Callable[[], bool]:
    """Say whether so many announcements of a folder have left both stages."""

    def claim() -> bool:
        books = world.deployment.books(folder)
        gone_on = books.count("prepare")["passed_on"]
        return books.left("prepare") >= announced and books.left("register") >= gone_on

    return claim


def test_what_the_demo_uploads_becomes_items_under_its_own_keys(world: World, folder: str) -> None:
    """
    By Google's own client, announced twice: a JPEG, a PNG, an MP4, a PDF, a DICOM; text is ignored.

    The storage key is the object's name alone, without its bucket, and Darwin finds it there.
    """
    uploads, _ = read_uploads()
    files = [one for one in uploads if not one.key.startswith(("archive/", "cameras/south"))]
    for one in files:
        world.upload(f"{folder}/{one.key}", one.data)
    for key in ODD:
        world.upload(f"{folder}/{key}", PICTURE)
    world.deployment.wait_until(settled(world, folder, 2 * (len(files) + len(ODD))), "Registration")

    wanted = {*(one.key for one in files if one.key != "notes/readme.txt"), *ODD}
    assert keys(world, folder) == {f"{folder}/{key}": 1 for key in wanted}
    books = world.deployment.books(folder)
    assert {key: books.of_key(f"{folder}/{key}", "register") for key in wanted} == {
        key: ["already_registered", "registered"] for key in wanted
    }
    assert books.codes("ignored") == {f"{folder}/notes/readme.txt": "unknown_type"}
    assert not letters(world, folder)


def test_what_is_no_new_content_is_ignored(world: World, folder: str) -> None:
    """Changed metadata and deletions are announced as well; a folder's marker is no picture."""
    blob = world.deployment.upload(world.bucket, f"{folder}/1.png", PICTURE)
    world.upload(f"{folder}/folder/", b"")
    world.deployment.wait_until(settled(world, folder, 4), "Registration")

    def ignored() -> int:
        return sum("not_a_creation" in line for line in world.deployment.logs("prepare"))

    before = ignored()
    blob.metadata = {"seen": "yes"}
    blob.patch()
    blob.delete()
    world.deployment.wait_until(lambda: ignored() == before + 4, "Both announcements, twice")

    assert keys(world, folder) == {f"{folder}/1.png": 1}
    assert world.deployment.books(folder).count("prepare") == {"passed_on": 2, "ignored": 2}
    assert not letters(world, folder)


def test_what_darwin_blocks_is_a_dead_letter_and_can_be_replayed(world: World, folder: str) -> None:
    """
    With its reason. Replayed after its cause is gone, it is registered, and its letter is gone.

    Two deliveries wrote two copies of one letter: one step of the replay takes both away.
    """
    key = f"{folder}/blocked.png"
    world.darwin.inject(Fault(kind="block", match="blocked.png", count=None, reason="UNSUPPORTED_CODEC"))
    world.upload(key, PICTURE)
    world.deployment.wait_until(
        lambda: world.deployment.books(folder).count("register")["dead_lettered"] == 2, "Two dead letters"
    )
    letter = letters(world, folder)[key].letter
    assert (letter.code, letter.stage) == ("item_blocked", "register")
    assert "UNSUPPORTED_CODEC" in letter.reason

    world.darwin.clear_faults()
    box = world.deployment.letter_box()
    [step] = plan_replay(box.list_letters(), Choice(prefix=key))
    done = list(run_replay([step], world.deployment.outbox(), box))
    box.release()
    world.deployment.wait_until(lambda: keys(world, folder) == {key: 1}, "Registration")

    assert len(step.copies) == 2
    assert [one.error for one in done] == [None]
    assert not letters(world, folder)


@pytest.mark.parametrize("form", ["binary", "structured"])
@pytest.mark.usefixtures("silent")
def test_what_eventarc_delivers_is_registered_as_well(world: World, folder: str, form: str) -> None:
    """
    A finalized event in either of CloudEvents' HTTP forms, brought straight to prepare.

    https://cloud.google.com/eventarc/docs/cloudevents
    """
    key = f"{folder}/eventarc {form}.png"
    blob = world.deployment.upload(world.bucket, key, PICTURE)
    data = world.deployment.cloud.buckets.get(world.bucket, key).resource()
    event = {
        "specversion": "1.0",
        "id": "1234567890",
        "type": "google.cloud.storage.object.v1.finalized",
        "source": f"//storage.googleapis.com/projects/_/buckets/{world.bucket}",
        "subject": f"objects/{key}",
        "time": data["timeCreated"],
    }
    if form == "binary":
        headers = {f"ce-{name}": value for name, value in event.items() if name != "subject"}
        headers["Content-Type"], body = "application/json", data
    else:
        headers, body = {"Content-Type": "application/cloudevents+json"}, {**event, "data": data}
    [instance] = world.deployment.instances["prepare"]
    answer = urllib3.request("POST", instance.url, body=json.dumps(body).encode(), headers=headers)
    world.deployment.wait_until(lambda: keys(world, folder) == {key: 1}, "Registration")

    assert answer.status == 204
    assert blob.generation is not None


def test_garbage_is_acknowledged_once_it_is_a_dead_letter(world: World, folder: str) -> None:
    """What nobody can read is not pushed for ever."""
    pubsub, topic = world.deployment.pubsub, world.deployment.topics["uploads"]
    pubsub.publish(topic, [{"data": b64encode(f"{{no JSON {folder}".encode()).decode()}])
    box, found = world.deployment.letter_box(), []

    def is_there() -> bool:
        found.extend(one.letter for one in box.list_letters() if folder in one.letter.raw)
        return bool(found)

    world.deployment.wait_until(is_there, "The letter")
    box.release()

    assert [letter.code for letter in found] == ["unparsable_message"]
