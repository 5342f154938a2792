"""The entry points: small, free of their environment until called, and clear in every answer."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from beagle.domain.events import Notification
from beagle.emulator import DEFAULT_KEY, Fault
from beagle.pipeline.account import Account, ConservationError
from beagle.playground.packaging import project_root
from beagle.providers.aws.notifications import parse_notification
from beagle.providers.aws.queue import SqsSource
from beagle.providers.aws.worker import CloudWatchJournal, Worker
from beagle.providers.local.queue import LocalQueue
from support.world import BUCKET, World

ROOT = project_root()
ENTRY_POINTS = sorted((ROOT / "functions").glob("*/*.py"))
AWS = [path for path in ENTRY_POINTS if path.parent.name == "aws"]


def test_there_are_entry_points() -> None:
    """What follows is about something."""
    assert [path.stem for path in AWS] == ["extract", "prepare", "register"]


@pytest.mark.parametrize("path", ENTRY_POINTS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_an_entry_point_only_says_what_is_called(path: Path) -> None:
    """It stays under forty lines; the work is in the package."""
    assert len(path.read_text().splitlines()) < 40


@pytest.mark.parametrize("path", AWS, ids=lambda path: path.stem)
def test_importing_needs_no_environment(path: Path) -> None:
    """No variable, no credentials, no region; nothing is connected, and no large SDK is loaded."""
    program = f"import json, sys, {path.stem}; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": f"{ROOT / 'shared'}:{path.parent}"},
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(json.loads(done.stdout))

    assert path.stem in loaded
    assert not {"boto3", "requests", "typer", "rich", "beagle.cli", "beagle.emulator"} & loaded


class Visibility:
    """SQS, as far as an answer needs it: hides messages, or cannot be reached."""

    def __init__(self, *, reachable: bool) -> None:
        self.reachable = reachable
        self.hidden: list[dict[str, Any]] = []

    def change_message_visibility_batch(self, **request: Any) -> None:
        if not self.reachable:
            raise EndpointConnectionError(endpoint_url="https://sqs.us-east-1.amazonaws.com")
        self.hidden += request["Entries"]


class Context:
    """Lambda's context."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def get_remaining_time_in_millis(self) -> int:
        return int(self.seconds * 1000)


class Function:
    """An entry point on local queues: the deployed handler and worker, with nothing else replaced."""

    def __init__(self, name: str, world: World, monkeypatch: pytest.MonkeyPatch, *, reachable: bool) -> None:
        spec = importlib.util.spec_from_file_location(name, ROOT / "functions" / "aws" / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        self.module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(self.module)
        self.sqs = Visibility(reachable=reachable)
        journal = CloudWatchJournal.of(name, "here")
        stage = world.prepare if name == "prepare" else world.register
        object.__setattr__(stage, "journal", journal)
        worker = Worker(stage, SqsSource(self.sqs, "https://queue"), journal)
        monkeypatch.setattr(self.module, "worker", lambda stage, _: {name: worker}[stage])

    def answer(self, *bodies: str, seconds: float = 60, sent_at: float = 0) -> Any:
        records = [
            {
                "messageId": f"message-{number}",
                "receiptHandle": f"receipt-{number}",
                "body": body,
                "attributes": {
                    "ApproximateReceiveCount": "1",
                    "SentTimestamp": str(int(1000 * sent_at)),
                },
            }
            for number, body in enumerate(bodies)
        ]
        return self.module.handler({"Records": records}, Context(seconds))


def notification(key: str, size: int = 10) -> str:
    return json.dumps(
        {
            "source": "aws.s3",
            "detail-type": "Object Created",
            "time": "2026-11-20T10:11:12Z",
            "detail": {
                "bucket": {"name": BUCKET},
                "object": {"key": key, "size": size, "etag": "e1", "sequencer": "01"},
            },
        }
    )


@pytest.fixture
def world() -> World:
    made = World()
    object.__setattr__(made.prepare, "parse", parse_notification)
    return made


@pytest.fixture(params=[True, False], ids=["sqs answers", "sqs is silent"])
def reachable(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def named(answer: Any) -> list[str]:
    """Return the messages that an answer names, after checking that Lambda can read it."""
    assert isinstance(answer, dict)
    assert list(answer) == ["batchItemFailures"]
    assert isinstance(answer["batchItemFailures"], list)
    assert all(list(failure) == ["itemIdentifier"] for failure in answer["batchItemFailures"])
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def test_prepare_answers_every_batch_in_full(
    world: World, monkeypatch: pytest.MonkeyPatch, *, reachable: bool
) -> None:
    """
    Never null, which Lambda takes for a success: what must come again is named, whatever else happens.

    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
    """
    prepare = Function("prepare", world, monkeypatch, reachable=reachable)
    good, ignored, empty = notification("a.png"), notification("a.txt"), notification("b.png", size=0)

    assert named(prepare.answer()) == []
    assert named(prepare.answer(good, ignored, empty, "{garbage")) == []
    assert named(prepare.answer(good, ignored, seconds=1)) == ["message-0", "message-1"]
    monkeypatch.setattr(LocalQueue, "send", _refuse)
    assert named(prepare.answer(good, ignored, empty)) == ["message-0", "message-2"]


def _refuse(_: LocalQueue, bodies: list[str]) -> list[int]:
    return list(range(len(bodies)))


def test_register_answers_every_batch_in_full(
    world: World, monkeypatch: pytest.MonkeyPatch, *, reachable: bool
) -> None:
    """The same: with every item registered, one of two blocked, Darwin down, no time, no key."""
    register = Function("register", world, monkeypatch, reachable=reachable)

    def items(*keys: str) -> list[str]:
        for key in keys:
            world.upload(key)
        while world.run_prepare():
            pass
        return [message.body for message in world.items.receive(len(keys))]

    assert named(register.answer()) == []
    assert named(register.answer(*items("a.png", "b.png"), "{garbage")) == []
    world.darwin.inject(Fault(kind="block", match="c.png"))
    assert named(register.answer(*items("c.png", "d.png"))) == []
    assert [item.name for item in world.darwin.items()] == ["a.png", "b.png", "d.png"]
    assert named(register.answer(*items("e.png"), seconds=1)) == ["message-0"]
    world.network.down = True
    assert named(register.answer(*items("f.png", "g.png"))) == ["message-0", "message-1"]
    world.network.down = False
    world.darwin.revoke_key(DEFAULT_KEY)
    assert named(register.answer(*items("h.png"))) == ["message-0"]
    assert bool(register.sqs.hidden) == reachable


@pytest.mark.parametrize("stage", ["prepare", "register"])
def test_what_is_given_back_tells_how_old_it_is(
    stage: str, world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By when SQS took it: its own metric leaves out what comes again and again."""
    function = Function(stage, world, monkeypatch, reachable=True)
    world.upload("a.png")
    world.run_prepare()
    [item] = world.items.receive(1)
    body = notification("a.png") if stage == "prepare" else item.body
    sent_at = world.clock.now().timestamp()
    world.clock.advance(5000)

    assert named(function.answer(body, seconds=1, sent_at=sent_at)) == ["message-0"]
    assert named(function.answer(body, sent_at=sent_at)) == []
    back, done = [
        json.loads(line) for line in capsys.readouterr().out.splitlines() if "CloudWatchMetrics" in line
    ]
    assert back["waited_seconds"] == [pytest.approx(5000, abs=1)]
    assert "waited_seconds" not in done


def test_a_bug_is_never_acknowledged(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message that shows it is named, and the others are not held up by it."""
    prepare = Function("prepare", world, monkeypatch, reachable=True)
    parse = world.prepare.parse

    def with_a_bug(body: str) -> Notification:
        return parse(body) if "good" in body else parse(body[1 // 0 :])

    object.__setattr__(world.prepare, "parse", with_a_bug)

    assert named(prepare.answer(notification("good.png"), notification("bad.png"))) == ["message-1"]


def test_books_that_do_not_balance_fail_the_whole_batch(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is raised, not answered: Lambda then keeps every message."""
    prepare = Function("prepare", world, monkeypatch, reachable=True)
    monkeypatch.setattr(Account, "announce", lambda *_: None)

    with pytest.raises(ConservationError):
        prepare.answer(notification("a.png"))
