"""The command as a shell runs it, in this process; and real queues on a local AWS."""

import io
import os
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from beagle.cli.main import app
from beagle.playground.ministack import Ministack
from support.command import Beagle, Queues, Ran


@pytest.fixture
def beagle(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Beagle:
    """Return how to run the command: `beagle("explain", "-", stdin=b"{}")`, far from any deployment."""
    for name in [name for name in os.environ if name.startswith(("BEAGLE_", "AWS_"))]:  # noqa: TID251 - a clean slate
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: str | Path, stdin: bytes = b"") -> Ran:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            app([str(argument) for argument in arguments], prog_name="beagle")
        out, err = capfd.readouterr()
        return Ran(int(ended.value.code or 0), out, err)

    return run


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ministack]:
    """Start a local AWS."""
    with Ministack(tmp_path_factory.mktemp("aws")) as running:
        yield running


@pytest.fixture
def queues(aws: Ministack, beagle: Beagle, monkeypatch: pytest.MonkeyPatch) -> Queues:  # noqa: ARG001 - cleans the environment first
    """Make two queues and name them in the environment, as for a deployment."""
    client, name = aws.client("sqs"), uuid.uuid4().hex
    made = Queues(
        client,
        client.create_queue(QueueName=f"letters-{name}")["QueueUrl"],
        client.create_queue(QueueName=f"uploads-{name}")["QueueUrl"],
    )
    environment = {
        **aws.environment,
        "BEAGLE_DEAD_LETTERS_QUEUE": made.letters,
        "BEAGLE_UPLOADS_QUEUE": made.uploads,
    }
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    return made
