"""The functions on Google Cloud: free of their environment until called, one of each in an instance."""

import json
import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path

import pytest

from beagle.bootstrap import gcp
from beagle.domain.errors import RoutesError
from beagle.playground.packaging import project_root
from beagle.ports import Deadline, Received, Report
from beagle.providers.gather import Gather
from beagle.providers.gcp.worker import ACKNOWLEDGED, AGAIN, Alone, Worker
from beagle.providers.local.clock import SystemClock

ROOT = project_root()
FUNCTIONS = sorted((ROOT / "functions" / "gcp").glob("*.py"))


@pytest.mark.parametrize("path", FUNCTIONS, ids=lambda path: path.stem)
def test_importing_needs_no_environment(path: Path) -> None:
    """No variable, no credentials; nothing is connected, and neither gRPC nor another provider is loaded."""
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
    assert not {"grpc", "google.auth", "google.protobuf", "boto3", "azure", "typer", "beagle.cli"} & loaded


def deploy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set what a function needs to be built."""
    for name in ("UPLOADS_QUEUE", "ITEMS_QUEUE", "DEAD_LETTERS_QUEUE", "STATE_BUCKET", "API_KEY_SECRET"):
        monkeypatch.setenv(f"BEAGLE_{name}", "x")
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:1")


def test_requests_that_come_at_once_are_answered_by_one_worker(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Two of them would be two gatherings, and two that keep Darwin's pace."""
    deploy(monkeypatch)
    gate = threading.Barrier(16)

    def first(_: int) -> Worker:
        gate.wait()
        return gcp.worker("register", tmp_path)

    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(first, range(16)))

    assert len({id(worker) for worker in found}) == 1


@pytest.mark.parametrize(("asked", "starts"), [("", True), (", wait_hours: 24", False)])
def test_no_route_waits_for_longer_than_pubsub_pushes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, asked: str, starts: bool
) -> None:
    """Prepare refuses to start, and says so; what a route leaves open is shortened."""
    deploy(monkeypatch)
    group = f"{{slots: [a.mp4, b.mp4]{asked}}}"
    (tmp_path / "routes.yaml").write_text(
        f"team: acme\nroutes: [{{watch: {{bucket: up}}, dataset: cars, storage: up, group: {group}}}]\n"
    )
    with nullcontext() if starts else pytest.raises(RoutesError, match="14 at most"):
        gcp.worker("prepare", tmp_path)


class Stage:
    """Asks for what says so again; stumbles over what says so."""

    def run(self, batch: Sequence[Received], _: Deadline) -> Report:
        if any(message.body == "bug" for message in batch):
            raise ZeroDivisionError
        return Report({message.id: 60.0 for message in batch if message.body == "again"}, ())


@pytest.mark.parametrize("gathered", [False, True])
def test_a_status_acknowledges_what_has_ended_and_nothing_else(*, gathered: bool) -> None:
    """
    Pub/Sub takes a success for the end of a message; a bug is raised, which is a status 500.

    To come again is no server's error, or somebody would be called for it.

    https://cloud.google.com/pubsub/docs/push#receive_push
    """
    clock = SystemClock()
    taking = Gather(Stage(), clock, most=10, window=0) if gathered else Alone(Stage())
    worker = Worker(taking, clock, 600)

    assert worker.answer({}, b"done") == ("", ACKNOWLEDGED)
    assert worker.answer({}, b"again") == ("", AGAIN)
    with pytest.raises(ZeroDivisionError):
        worker.answer({}, b"bug")
    assert worker.answer({}, b"done") == ("", ACKNOWLEDGED)
    assert 200 <= ACKNOWLEDGED < 400 <= AGAIN < 500
