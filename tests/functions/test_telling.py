"""What a function tells CloudWatch and X-Ray: metrics that the alarms read, and traces where asked for."""

import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from beagle.domain.errors import BugError, DarwinThrottledError, DarwinUnauthorizedError, GroupWaitingError
from beagle.domain.events import ObjectRef
from beagle.domain.outcomes import Ending, Outcome
from beagle.playground.packaging import project_root
from beagle.providers.aws.worker import CloudWatchJournal

ROOT = project_root()
TRACE = "Root=1-5e1b4151-43a0913a12345678901234567;Parent=53995c3f42cd8ad8;Sampled=1"
REF = ObjectRef(provider="aws", bucket="b", key="patients/jane doe.png")


def told(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """Return the lines of an invocation; a metric is one that says `_aws`."""
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def again(error: type[BugError | DarwinThrottledError | DarwinUnauthorizedError]) -> Outcome:
    return Outcome(ending=Ending.AGAIN, code=error.code, ref=REF, content="c")


def test_an_invocation_counts_endings_and_reasons_to_wait(capsys: pytest.CaptureFixture[str]) -> None:
    """One metric each, in the dimensions of the stage and the deployment; the next one starts at nothing."""
    journal = CloudWatchJournal.of("register", "beagle-prod")
    for outcome in (Outcome(ending=Ending.REGISTERED, ref=REF), *[again(DarwinThrottledError)] * 2):
        journal.note("register", outcome)
    journal.flush()
    journal.note("register", again(DarwinUnauthorizedError))
    journal.alarm(DarwinUnauthorizedError.code, "The key is none.")
    journal.flush()
    journal.flush()
    first, second = [line for line in told(capsys) if "_aws" in line]

    [measured] = first["_aws"]["CloudWatchMetrics"]
    assert measured["Namespace"] == "Beagle"
    assert [sorted(names) for names in measured["Dimensions"]] == [["deployment", "service"]]
    assert (first["deployment"], first["service"]) == ("beagle-prod", "register")
    assert {one["Name"]: first[one["Name"]] for one in measured["Metrics"]} == {
        "registered": [1.0],
        "again": [2.0],
        "darwin_throttled": [2.0],
        "throttled_percent": [pytest.approx(200 / 3)],
    }
    assert second["person_needed"] == [1.0]
    assert "throttled_percent" not in second
    assert second["darwin_unauthorized"] == [1.0]
    assert "registered" not in second


def test_an_invocation_tells_for_how_long_the_oldest_has_waited(capsys: pytest.CaptureFixture[str]) -> None:
    """In seconds, of what must come again; what waits for its group waits as it should."""
    journal = CloudWatchJournal.of("prepare", "beagle-prod")
    for error, waited in ((BugError, 60.5), (BugError, 7200.0), (BugError, None), (GroupWaitingError, 9e4)):
        journal.note("prepare", Outcome(ending=Ending.AGAIN, code=error.code, ref=REF, waited=waited))
    journal.flush()
    journal.note("prepare", Outcome(ending=Ending.AGAIN, code=GroupWaitingError.code, waited=9e4))
    journal.flush()
    first, second = [line for line in told(capsys) if "_aws" in line]

    assert first["waited_seconds"] == [7200.0]
    assert {"Name": "waited_seconds", "Unit": "Seconds"} in first["_aws"]["CloudWatchMetrics"][0]["Metrics"]
    assert "waited_seconds" not in second


def test_no_metric_names_an_object(capsys: pytest.CaptureFixture[str]) -> None:
    """A key can be personal data: it stands in a field of the log, and nowhere else."""
    # A logger of a name that no other test has begun writes to where this one looks.
    journal = CloudWatchJournal.of("telling", "beagle")
    journal.note("telling", again(BugError))
    journal.flush()
    lines = told(capsys)

    assert [line["key"] for line in lines if "_aws" not in line] == [REF.key]
    assert not [line for line in lines if "_aws" in line and "jane" in json.dumps(line)]
    assert not [line for line in lines if "jane" in line.get("message", "")]


def test_tracing_is_imported_only_where_it_is_on() -> None:
    """It costs half a second of a cold start."""
    program = "import sys, beagle.bootstrap.aws; print('aws_xray_sdk' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(ROOT / "shared")},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout == "False\n"


def test_a_trace_has_a_part_for_the_stage(tmp_path: Path) -> None:
    """What X-Ray's daemon is sent names the stage, and says nothing of what it returned."""
    program = "from beagle.bootstrap.aws import _tracer\nwith _tracer('prepare')(): pass"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as daemon:
        daemon.bind(("127.0.0.1", 0))
        daemon.settimeout(10)
        subprocess.run(
            [sys.executable, "-c", program],
            env={
                "PYTHONPATH": str(ROOT / "shared"),
                "AWS_XRAY_DAEMON_ADDRESS": f"127.0.0.1:{daemon.getsockname()[1]}",
                "LAMBDA_TASK_ROOT": os.fspath(tmp_path),
                "_X_AMZN_TRACE_ID": TRACE,
            },
            check=True,
        )
        sent = daemon.recv(65_536).decode()
    header, document = (json.loads(text) for text in re.split(r"\n", sent, maxsplit=1))

    assert header["format"] == "json"
    assert document["name"] == "## prepare"
    assert not document.get("metadata")
