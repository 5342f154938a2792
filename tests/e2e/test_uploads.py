"""From a bucket to a dataset: exactly the objects that should, under exactly their keys, each once."""

import json
import unicodedata
from collections import Counter
from collections.abc import Callable

import pytest

from beagle.emulator import Fault
from beagle.messages import load_letter
from beagle.pipeline.replay import Choice, plan_replay, run_replay
from beagle.playground.stack import Stack
from beagle.ports import KeptLetter
from beagle.providers.aws.queue import SqsLetterBox, SqsOutbox
from beagle.providers.local.clock import EPOCH
from e2e.announcements import bare, in_sns
from e2e.books import Books, lines_of, wait_until_settled
from e2e.conftest import World

PICTURE = b"no picture, but bytes"
# What follows the folder, and where the item stands below the folder's own path.
ODD = {
    "plain.png": ("", "plain.png"),
    "with space.png": ("", "with space.png"),
    "a+b.png": ("", "a+b.png"),
    "100%.png": ("", "100%.png"),
    "a%2Bb.png": ("", "a%2Bb.png"),
    "a%20b.png": ("", "a%20b.png"),
    "%25.png": ("", "%25.png"),
    "deep//doubled.png": ("/deep", "doubled.png"),
    unicodedata.normalize("NFC", "caf\u00e9.png"): ("", "caf\u00e9.png"),
    unicodedata.normalize("NFD", "caf\u00e9.png"): ("", "cafe\u0301.png"),
    "\U0001f436.png": ("", "\U0001f436.png"),
    "UPPER.JPG": ("", "UPPER.JPG"),
    "scan.nii.gz": ("", "scan.nii.gz"),
    "quo'te&amp;=;?#,!.png": ("", "quo'te&amp;=;?#,!.png"),
}


def places(world: World) -> Counter[tuple[tuple[str, ...], str, str]]:
    """Count what is registered, by storage keys, path and name."""
    return Counter((item.storage_keys, item.path, item.name) for item in world.darwin.items())


def expected(folder: str) -> dict[tuple[tuple[str, ...], str, str], int]:
    """Return the one item of each odd key."""
    return {((f"{folder}/{key}",), f"/{folder}{path}", name): 1 for key, (path, name) in ODD.items()}


def letters(stack: Stack) -> tuple[SqsLetterBox, list[KeptLetter]]:
    """Return the dead letters, as an operator's command reads them."""
    box = SqsLetterBox(stack.aws.client("sqs"), stack.outputs["DeadLettersQueueUrl"], "test")
    return box, list(box.list_letters())


def codes(stack: Stack) -> dict[str, str]:
    """Map each dead letter's key to its code; copies of one letter must agree. Nobody is kept from them."""
    bodies = [message.body for message in stack.messages("dead_letters")]
    kept = [load_letter(body, attempts=1, sent_at=EPOCH, version="test") for body in bodies]
    found = {(letter.event.ref.key if letter.event else "", letter.code) for letter in kept}
    assert len({key for key, _ in found}) == len(found)
    return dict(found)


@pytest.mark.usefixtures("twice")
def test_every_upload_becomes_one_item_under_its_own_key(world: World, folder: str) -> None:
    """
    Raw keys, through S3, EventBridge and SQS, each event delivered twice.

    Darwin finds every key in the bucket, and one of the two deliveries is told to be the second.
    """
    for key in ODD:
        world.stack.upload(PICTURE, f"{folder}/{key}")
    wait_until_settled(world.stack, folder, 2 * len(ODD))

    assert places(world) == expected(folder)
    assert {item.status for item in world.darwin.items()} == {"complete"}
    assert world.stack.depth("dead_letters") == 0
    books = Books.of(world.stack, folder)
    assert {key: books.of_key(f"{folder}/{key}", "register") for key in ODD} == {
        key: ["already_registered", "registered"] for key in ODD
    }


@pytest.mark.parametrize("announce", [bare, in_sns])
@pytest.mark.usefixtures("silent")
def test_form_encoded_keys_become_the_same_items(
    world: World, folder: str, announce: Callable[..., str]
) -> None:
    """
    As S3 sends them to SQS itself, or through SNS: decoded once, by what brought them.

    Each body comes twice. The bucket's own events are switched off, so nothing else can have done it.
    """
    bucket = world.stack.outputs["SourceBucket"]
    for key in ODD:
        etag = world.stack.upload(PICTURE, f"{folder}/{key}")
        body = announce(bucket, f"{folder}/{key}", etag=etag, size=len(PICTURE))
        world.stack.send("uploads", body)
        world.stack.send("uploads", body)
    wait_until_settled(world.stack, folder, 2 * len(ODD))

    assert places(world) == expected(folder)
    assert {item.status for item in world.darwin.items()} == {"complete"}
    assert world.stack.depth("dead_letters") == 0
    assert Books.of(world.stack, folder).count("register") == {
        "registered": len(ODD),
        "already_registered": len(ODD),
    }


@pytest.mark.usefixtures("twice")
def test_what_is_no_upload_is_ignored(world: World, folder: str) -> None:
    """A console's folder, a text file, a suffix alone, S3's test message: acknowledged, and nothing else."""
    bucket = world.stack.outputs["SourceBucket"]
    world.stack.upload(b"", f"{folder}/empty folder/")
    for key in ("notes.txt", "README", "archive.zip", "picture.png.bak"):
        world.stack.upload(b"text", f"{folder}/{key}")
    world.stack.upload(PICTURE, f"{folder}/last.png")
    world.stack.send(
        "uploads", json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": bucket})
    )
    wait_until_settled(world.stack, folder, 12)

    assert [item.name for item in world.darwin.items()] == ["last.png"]
    assert world.stack.depth("dead_letters") == 0
    books = Books.of(world.stack, folder)
    assert books.codes("ignored") == {
        f"{folder}/empty folder/": "folder_marker",
        f"{folder}/notes.txt": "unknown_type",
        f"{folder}/README": "unknown_type",
        f"{folder}/archive.zip": "unknown_type",
        f"{folder}/picture.png.bak": "unknown_type",
    }
    assert books.count("prepare") == {"ignored": 10, "passed_on": 2}


@pytest.mark.usefixtures("twice")
def test_what_darwin_writes_back_starts_nothing(world: World, folder: str) -> None:
    """
    Darwin's thumbnails land in the watched bucket and are announced like any upload.

    There are as many as items and no more, and each was seen and ignored: there is no loop.
    """
    keys = [f"{folder}/{number}.png" for number in range(5)]
    for key in keys:
        world.stack.upload(PICTURE, key)
    world.stack.wait_until(lambda: len(world.darwin.items()) == 5, what="Registration")
    world.stack.wait_until(
        lambda: Books.of(world.stack, f"darwin/{folder}").count("prepare")["ignored"] == 10,
        what="The write-backs' announcement",
    )
    world.stack.wait_until_idle()

    listed = world.stack.aws.client("s3").list_objects_v2(
        Bucket=world.stack.outputs["SourceBucket"], Prefix=f"darwin/{folder}/"
    )
    assert {entry["Key"].partition("/uploads/")[0] for entry in listed["Contents"]} == {
        f"darwin/{key}" for key in keys
    }
    assert listed["KeyCount"] == 5
    books = Books.of(world.stack, f"darwin/{folder}")
    assert set(books.codes("ignored").values()) == {"darwin_write_back"}
    assert len(world.darwin.items()) == 5


def test_what_lies_in_our_own_folder_starts_nothing(world: World, folder: str) -> None:
    """The rule does not announce it, and if something else does, the code refuses it."""
    bucket = world.stack.outputs["SourceBucket"]
    own = f".beagle/{folder}/thumbnail.png"
    etag = world.stack.upload(PICTURE, own)
    world.stack.upload(PICTURE, f"{folder}/last.png")
    wait_until_settled(world.stack, folder, 1)

    assert not Books.of(world.stack, f".beagle/{folder}").lines

    world.stack.send("uploads", bare(bucket, own, etag=etag, size=len(PICTURE)))
    world.stack.wait_until(lambda: bool(Books.of(world.stack, f".beagle/{folder}").lines), what="Refusal")

    assert Books.of(world.stack, f".beagle/{folder}").codes("ignored") == {own: "own_artifact"}
    assert [item.name for item in world.darwin.items()] == ["last.png"]


@pytest.mark.usefixtures("twice")
def test_what_cannot_be_registered_is_a_dead_letter_with_its_reason(world: World, folder: str) -> None:
    """
    And is registered when it is replayed after its cause is gone; as long as it is not, it comes back.

    Two copies of a letter, as two deliveries write them, are one step of a replay.
    """
    darwin, stack = world.darwin, world.stack
    darwin.inject(Fault(kind="block", match="blocked.png", count=None, reason="UNSUPPORTED_CODEC"))
    seeded = darwin.seed_item("incoming", f"/{folder}", "taken.png", "another/taken.png")
    for key in ("blocked.png", "taken.png", "fine.png", "same/name.png"):
        stack.upload(PICTURE, f"{folder}/{key}")
    stack.upload(b"", f"{folder}/empty.png")
    stack.upload(PICTURE, f"/{folder}/slash.png")
    stack.send("uploads", "{no JSON")
    stack.wait_until(lambda: len(darwin.items()) == 3, what="Registration")
    stack.upload(PICTURE, f"{folder}/same//name.png")
    stack.wait_until(lambda: len(codes(stack)) == 6, what="Six dead letters")
    stack.wait_until_idle()

    assert codes(stack) == {
        f"{folder}/blocked.png": "item_blocked",
        f"{folder}/taken.png": "already_exists_unverified",
        f"{folder}/same//name.png": "name_collision",
        f"{folder}/empty.png": "empty_object",
        f"/{folder}/slash.png": "unregisterable_key",
        "": "unparsable_message",
    }
    box, kept = letters(stack)
    reasons = {one.letter.code: one.letter.reason for one in kept}
    assert "UNSUPPORTED_CODEC" in reasons["item_blocked"]
    assert f"{folder}/same/name.png" in reasons["name_collision"]
    assert f"{folder}/same//name.png" in reasons["name_collision"]
    assert {item.name for item in darwin.items()} == {"fine.png", "name.png", "taken.png"}

    # Replayed too early, it is blocked again, and the new letter knows that it was replayed.
    _replay(stack, box, kept, "item_blocked")
    stack.wait_until(lambda: f"{folder}/blocked.png" in codes(stack), what="Its return")
    stack.wait_until_idle()
    box, kept = letters(stack)
    assert {one.letter.replayed for one in kept if one.letter.code == "item_blocked"} == {1}

    darwin.clear_faults()
    darwin.remove_item(seeded.id)
    _replay(stack, box, kept, "item_blocked", "already_exists_unverified")
    stack.wait_until(lambda: len(darwin.items()) == 4, what="Registration")
    stack.wait_until_idle()

    assert {item.storage_keys for item in darwin.items()} == {
        (f"{folder}/{key}",) for key in ("blocked.png", "taken.png", "fine.png", "same/name.png")
    }
    assert set(codes(stack).values()) == {
        "name_collision",
        "empty_object",
        "unregisterable_key",
        "unparsable_message",
    }


def _replay(stack: Stack, box: SqsLetterBox, kept: list[KeptLetter], *chosen: str) -> None:
    """Replay letters by their codes, as the command does."""
    sqs = stack.aws.client("sqs")
    steps = plan_replay(kept, Choice(codes=frozenset(chosen)))
    assert len(steps) == len(chosen)
    done = list(run_replay(steps, SqsOutbox(sqs, stack.outputs["UploadsQueueUrl"]), box))
    assert [one.error for one in done] == [None] * len(chosen)
    box.release()


def test_the_functions_log_one_line_an_outcome(world: World, folder: str) -> None:
    """In JSON, newlines in keys and all: what a log search and the conservation law are counted from."""
    key = f"{folder}/new\nline.png"
    world.stack.upload(PICTURE, key)
    wait_until_settled(world.stack, folder, 1)

    logged = [line for line in lines_of(world.stack.logs("register")) if line.key == key]
    assert [line.ending for line in logged] == ["registered"]
