"""`letters` and `replay` on Azure: against Azurite, where there is node to run it."""

import json
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from beagle.messages import load_event
from beagle.providers.azure.queue import StorageOutbox, text_of
from support.command import Beagle, kept, letter

if TYPE_CHECKING:
    from azure.storage.queue import QueueClient

    from support.azure.azurite import Azurite


@dataclass(frozen=True, slots=True)
class Queues:
    """The queues of a deployment, and a file of its outputs."""

    dead_letters: "QueueClient"
    uploads: "QueueClient"
    given_up: "QueueClient"
    outputs: Path

    def left(self) -> int:
        return self.dead_letters.get_queue_properties().approximate_message_count or 0

    def sent(self) -> list[str]:
        """Return what was sent to the uploads queue."""
        return [text_of(message.content) for message in self.uploads.receive_messages()]


def keep(queue: "QueueClient", *bodies: str) -> None:
    """Put messages into a queue, as the functions and the host do."""
    StorageOutbox(queue).send(bodies)


@pytest.fixture
def queues(azurite: "Azurite", beagle: Beagle, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Queues:  # noqa: ARG001 - cleans the environment first
    """Make the queues of infra/azure, and tell the command of them as Terraform does."""
    run = uuid.uuid4().hex[:8]
    names = {name: f"{run}-{name}" for name in ("dead-letters", "uploads", "uploads-poison")}
    dead_letters, uploads, given_up = map(azurite.queues.create_queue, names.values())
    outputs = tmp_path / "outputs.json"
    told = {
        "provider": "azure",
        "queues_url": "https://nowhere.queue.core.windows.net",
        "dead_letters_queue": names["dead-letters"],
        "uploads_queue": names["uploads"],
        "working_queues": [names["uploads"], f"{run}-items"],
    }
    outputs.write_text(json.dumps({"beagle": {"value": told}}))
    monkeypatch.setenv("BEAGLE_QUEUES", azurite.connection_string)
    return Queues(dead_letters, uploads, given_up, outputs)


def test_letters_are_listed_and_stay_where_they_are(beagle: Beagle, queues: Queues) -> None:
    """
    What the host gave up is listed as well, of each queue that has a poison queue; to look is an attempt.
    """
    keep(queues.dead_letters, *kept(letter("b.jpg"), letter("a.jpg"), letter("b.jpg")))
    keep(queues.given_up, "no event of anybody's")

    first = beagle("letters", "--terraform", queues.outputs)
    second = beagle("letters", "--terraform", queues.outputs)

    assert (first.code, second.code) == (0, 0)
    copies = {record["object"] and record["object"]["key"]: record["copies"] for record in first.records}
    assert copies == {"a.jpg": 1, "b.jpg": 2, None: 1}
    assert [one | {"attempts": 0} for one in first.records] == [
        one | {"attempts": 0} for one in second.records
    ]
    assert "the Terraform configuration" in first.err


def test_a_replay_sends_each_object_once_and_removes_its_letter(beagle: Beagle, queues: Queues) -> None:
    """By code, as on AWS; the others stay."""
    keep(queues.dead_letters, *kept(letter("a.jpg"), letter("a.jpg"), letter("b.jpg", "item_blocked")))

    ran = beagle("replay", "--yes", "--code", "name_collision", "--terraform", queues.outputs)

    [sent] = queues.sent()
    notification = load_event(sent)
    assert notification
    assert (notification.announced, notification.replayed) == ((letter("a.jpg").event,), 1)
    assert [(r["object"]["key"], r["sent"], r["copies"]) for r in ran.records] == [("a.jpg", True, 2)]
    assert (ran.code, queues.left()) == (0, 1)


def test_the_environment_may_name_them_too(
    beagle: Beagle, queues: Queues, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the functions have them: that they are Azure's, the place of the queues tells."""
    keep(queues.dead_letters, *kept(letter("a.jpg")))
    monkeypatch.setenv("BEAGLE_DEAD_LETTERS_QUEUE", queues.dead_letters.queue_name)
    listed, refused = beagle("letters"), beagle("replay", "--yes")
    monkeypatch.setenv("BEAGLE_UPLOADS_QUEUE", queues.uploads.queue_name)

    assert [record["object"]["key"] for record in listed.records] == ["a.jpg"]
    assert (refused.code, "BEAGLE_UPLOADS_QUEUE" in refused.err) == (2, True)
    assert beagle("replay", "--yes").code == 0
    assert len(queues.sent()) == 1


def test_who_is_not_signed_in_is_told_how(
    beagle: Beagle, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """In one sentence, and without a paragraph about every way of signing in that was tried."""
    monkeypatch.setenv("BEAGLE_DEAD_LETTERS_QUEUE", "dead-letters")
    monkeypatch.setenv("BEAGLE_QUEUES__queueServiceUri", "https://acme.queue.core.windows.net")
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "AzureCliCredential")
    monkeypatch.setenv("PATH", str(tmp_path))

    ran = beagle("letters")

    assert (ran.code, ran.out) == (2, "")
    assert "az login" in " ".join(ran.err.split())
    assert len(ran.err.splitlines()) < 4


def test_what_is_no_connection_string_is_refused(beagle: Beagle, monkeypatch: pytest.MonkeyPatch) -> None:
    """An address is easily taken for one; nothing of what may be a key is repeated."""
    monkeypatch.setenv("BEAGLE_DEAD_LETTERS_QUEUE", "dead-letters")
    monkeypatch.setenv("BEAGLE_QUEUES", "https://acme.queue.core.windows.net/?sig=secret")

    ran = beagle("letters")

    assert (ran.code, ran.out) == (2, "")
    assert "BEAGLE_QUEUES is no connection string" in " ".join(ran.err.split())
    assert "secret" not in ran.err
