"""`letters` and `replay` on Google Cloud: against Google's own Pub/Sub emulator, where there is one."""

import base64
import json
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from beagle.messages import load_event
from support.command import Beagle, kept, letter

if TYPE_CHECKING:
    from gcp.pubsub import PubSub


@dataclass(frozen=True, slots=True)
class Topics:
    """What a deployment keeps its dead letters and its uploads in, and a file of its outputs."""

    pubsub: "PubSub"
    dead_letters: str
    letters: str
    uploads: str
    uploaded: str
    outputs: Path

    def keep(self, *bodies: str) -> None:
        """Put messages among the dead letters."""
        self.pubsub.publish(
            self.dead_letters, [{"data": base64.b64encode(body.encode()).decode()} for body in bodies]
        )

    def left(self) -> int:
        return len(self.pubsub.pull(self.letters, 100))

    def sent(self) -> list[str]:
        """Return what was sent to the uploads topic."""
        found = self.pubsub.pull(self.uploaded, 100)
        return [base64.b64decode(one["message"]["data"]).decode() for one in found]


@pytest.fixture
def topics(pubsub: "PubSub", beagle: Beagle, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Topics:  # noqa: ARG001 - cleans the environment first
    """Make what infra/gcp makes of queues, and tell the command of it as Terraform does."""
    name = uuid.uuid4().hex
    dead_letters, uploads = pubsub.topic(f"letters-{name}"), pubsub.topic(f"uploads-{name}")
    letters = pubsub.subscription(f"letters-{name}", dead_letters, ackDeadlineSeconds=60)
    outputs = tmp_path / "outputs.json"
    told = {"provider": "gcp", "dead_letters_subscription": letters, "uploads_topic": uploads}
    outputs.write_text(json.dumps({"beagle": {"value": told}}))
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", pubsub.host)
    uploaded = pubsub.subscription(f"uploads-{name}", uploads)
    return Topics(pubsub, dead_letters, letters, uploads, uploaded, outputs)


def test_letters_are_listed_and_stay_where_they_are(beagle: Beagle, topics: Topics) -> None:
    """Copies of one letter, which a redelivery may write, are one line that counts them."""
    topics.keep(*kept(letter("b.jpg"), letter("a.jpg"), letter("b.jpg")))

    first = beagle("letters", "--terraform", topics.outputs)
    second = beagle("letters", "--terraform", topics.outputs)

    assert (first.code, second.code) == (0, 0)
    assert {r["object"]["key"]: r["copies"] for r in first.records} == {"a.jpg": 1, "b.jpg": 2}
    assert first.records == second.records
    assert "the Terraform configuration" in first.err


def test_a_replay_sends_each_object_once_and_removes_its_letter(beagle: Beagle, topics: Topics) -> None:
    """By code, as on AWS; the others stay."""
    topics.keep(*kept(letter("a.jpg"), letter("a.jpg"), letter("b.jpg", "item_blocked")))

    ran = beagle("replay", "--yes", "--code", "name_collision", "--terraform", topics.outputs)

    [sent] = topics.sent()
    notification = load_event(sent)
    assert notification
    assert (notification.announced, notification.replayed) == ((letter("a.jpg").event,), 1)
    assert [(r["object"]["key"], r["sent"], r["copies"]) for r in ran.records] == [("a.jpg", True, 2)]
    assert (ran.code, topics.left()) == (0, 1)


def test_the_environment_may_name_them_too(
    beagle: Beagle, topics: Topics, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which provider it is, their names tell."""
    topics.keep(*kept(letter("a.jpg")))
    monkeypatch.setenv("BEAGLE_DEAD_LETTERS_QUEUE", topics.letters)
    listed, refused = beagle("letters"), beagle("replay", "--yes")
    monkeypatch.setenv("BEAGLE_UPLOADS_QUEUE", topics.uploads)

    assert [record["object"]["key"] for record in listed.records] == ["a.jpg"]
    assert (refused.code, "BEAGLE_UPLOADS_QUEUE" in refused.err) == (2, True)
    assert beagle("replay", "--yes").code == 0
    assert len(topics.sent()) == 1


def test_a_topic_cannot_be_read(beagle: Beagle, monkeypatch: pytest.MonkeyPatch) -> None:
    """The functions name it in the same variable, so it is easily taken for what is meant."""
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", "127.0.0.1:1")
    monkeypatch.setenv("BEAGLE_DEAD_LETTERS_QUEUE", "projects/acme/topics/beagle-dead-letters")

    ran = beagle("letters")

    assert (ran.code, ran.out) == (2, "")
    assert "a topic keeps nothing" in " ".join(ran.err.split())


def test_who_is_not_signed_in_is_told_how(
    beagle: Beagle, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """In one sentence, at once, and without a traceback."""
    monkeypatch.setenv("BEAGLE_DEAD_LETTERS_QUEUE", "projects/acme/subscriptions/beagle-dead-letters")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    for name in ("GOOGLE_APPLICATION_CREDENTIALS", "PUBSUB_EMULATOR_HOST"):
        monkeypatch.delenv(name, raising=False)

    ran = beagle("letters")

    assert (ran.code, ran.out) == (2, "")
    assert "gcloud auth application-default login" in " ".join(ran.err.split())
