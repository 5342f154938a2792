"""What the Functions host is told: triggers, retries, and for how long a message may wait."""

import json
import shutil
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from beagle.bootstrap import azure
from beagle.pipeline.replay import Choice, plan_replay, run_replay
from beagle.playground.packaging import project_root
from beagle.settings import PREFIX, Settings
from e2e.books import alarms_of, lines_of
from support.azure.azurite import Azurite, connection_string
from support.azure.deployment import Deployment
from support.azure.event_grid import Container
from support.azure.instances import deployed_python, index
from support.azure.key_vault import KeyVault
from support.azure.world import playing_darwin

if TYPE_CHECKING:
    from beagle.ports import KeptLetter

HOST_JSON = project_root() / "functions" / "azure" / "host.json"
TOLD = json.loads(HOST_JSON.read_text())
QUEUES = TOLD["extensions"]["queues"]
DAY = 24 * 3600.0


def seconds(span: str) -> float:
    hours, minutes, rest = map(int, span.split(":"))
    return hours * 3600.0 + minutes * 60 + rest


@pytest.fixture(params=["this Python", "the deployed Python"])
def python(request: pytest.FixtureRequest) -> str:
    """Return a Python with azure-functions: 1.x up to 3.12, 2.x from 3.13 on."""
    if request.param == "this Python":
        return sys.executable
    found = deployed_python()
    if found is None:
        pytest.skip("no Python 3.13 on this machine, on which the functions on Azure run")
    return found


def test_each_app_has_the_function_of_its_stage_behind_its_queue(tmp_path: Path, python: str) -> None:
    """By Microsoft's own worker, which needs no setting but the stages; the queues are settings of ours."""
    found = {
        stages: index(tmp_path / stages, {"BEAGLE_STAGES": stages}, python)
        for stages in ("extract,prepare,register", "register")
    }
    queues = {"prepare": "uploads_queue", "extract": "videos_queue", "register": "items_queue"}

    assert {stages: ",".join(sorted(functions)) for stages, functions in found.items()} == {
        stages: stages for stages in found
    }
    assert {queues[name] for name in queues} <= set(Settings.model_fields)
    for functions in found.values():
        for name, trigger in functions.items():
            assert trigger["type"] == "queueTrigger"
            assert trigger["queueName"] == f"%{PREFIX}{queues[name].upper()}%"
            assert trigger["connection"] == "BEAGLE_QUEUES"


@pytest.mark.parametrize("stage", ["prepare", "extract", "register"])
def test_the_first_messages_of_an_instance_meet_one_worker(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, stage: str
) -> None:
    """They come at once, on as many threads; two would pace themselves to Darwin's limits each for itself."""
    told = {"queues": connection_string(1, 1), "api_key_secret": "https://v/secrets/k", "team": "acme"}
    told |= {f"{name}_queue": name for name in ("uploads", "items", "videos", "dead_letters")}
    told |= dict.fromkeys(("dataset", "storage", "bucket", "state_bucket"), "acme")
    for name, value in told.items():
        monkeypatch.setenv(f"{PREFIX}{name.upper()}", value)
    shutil.copy(HOST_JSON, tmp_path)
    gate = threading.Barrier(8)

    def first(_: int) -> object:
        gate.wait()
        return getattr(azure, stage)(tmp_path)

    with ThreadPoolExecutor(8) as pool:
        assert len(set(map(id, pool.map(first, range(8))))) == 1


def test_a_message_is_tried_for_longer_than_a_day() -> None:
    """Its function may be away for so long, before the last deliveries but one make it a letter."""
    assert seconds(QUEUES["visibilityTimeout"]) * (QUEUES["maxDequeueCount"] - 2) >= DAY


def test_an_invocation_ends_before_the_host_ends_it() -> None:
    """Which would take the whole process down, and whatever else it works on."""
    assert Settings().invocation_seconds < seconds(TOLD["functionTimeout"])


def test_messages_are_read_as_event_grid_writes_them() -> None:
    """In base64: said, and not left to a default that has changed before."""
    assert QUEUES["messageEncoding"] == "base64"


def settings_for(folder: str) -> dict[str, str]:
    """Return the settings of a deployment without a routes file."""
    return {
        "BEAGLE_TEAM": "acme",
        "BEAGLE_DATASET": "incoming",
        "BEAGLE_STORAGE": "acme-uploads",
        "BEAGLE_BUCKET": f"{folder}-uploads",
        "BEAGLE_GATHER_SECONDS": "0",
    }


def test_with_a_wrong_key_a_person_is_called_and_the_message_is_a_letter_at_last(
    azurite: Azurite, vault: KeyVault, tmp_path: Path, folder: str
) -> None:
    """
    The alarms' lines reach the host, which drops what no invocation wrote.

    Before the last delivery the message is a letter for ever, and nothing is left to the host to give up.
    """
    with playing_darwin(azurite, f"{folder}-uploads") as (_, url):
        deployment = Deployment(
            *(azurite, vault, tmp_path / "apps", folder, url),
            instances={"prepare": 1, "register": 1},
            settings=settings_for(folder),
            deliveries=3,
        )
        vault.secrets[f"{folder}-api-key"] = "no.key"
        container = Container(azurite, f"{folder}-uploads", deployment.queues["uploads"])
        with deployment:
            container.put("1.png", b"no picture, but bytes")
            deployment.wait_until(lambda: deployment.depth("dead-letters") == 1, "The letter")
            deployment.wait_until_idle()
        [kept] = deployment.letter_box().list_letters()
        log = deployment.logs("register")

        assert (kept.letter.code, kept.letter.attempts) == ("gave_up", 2)
        assert not [name for name in azurite.queues.list_queues(f"{folder}-") if "poison" in name.name]
        assert set(alarms_of(log)) == {"darwin_unauthorized"}
        assert [line.ending for line in lines_of(log)] == ["again", "again", "dead_lettered"]
        waited = [json.loads(line)["waited"] for line in log if '"ending": "again"' in line]
        assert waited == sorted(waited)
        assert all(seconds >= 0 for seconds in waited)


def test_what_the_host_gives_up_can_be_replayed(
    azurite: Azurite, vault: KeyVault, tmp_path: Path, folder: str
) -> None:
    """
    What the functions do not keep themselves, as they would at its 299th delivery, is in a poison queue.

    The operator's commands read it there; with Darwin's key in place, its replay registers it.
    """
    with playing_darwin(azurite, f"{folder}-uploads") as (darwin, url):
        deployment = Deployment(
            *(azurite, vault, tmp_path / "apps", folder, url),
            instances={"prepare": 1, "register": 1},
            settings={
                **settings_for(folder),
                "AzureFunctionsJobHost__extensions__queues__maxDequeueCount": "2",
            },
        )
        secret = vault.secrets.pop(f"{folder}-api-key")
        container = Container(azurite, f"{folder}-uploads", deployment.queues["uploads"])
        with deployment:
            container.put("1.png", b"no picture, but bytes")
            box = deployment.letter_box()
            found: list[KeptLetter] = []

            def given_up() -> bool:
                found.extend(box.list_letters())
                return bool(found)

            deployment.wait_until(given_up, "The letter")
            letter = found[0].letter

            vault.secrets[f"{folder}-api-key"] = secret
            [done] = run_replay(plan_replay(found, Choice()), deployment.outbox(), box)
            deployment.wait_until(lambda: len(darwin.items()) == 1, "Registration")
            deployment.wait_until_idle()

            assert (letter.code, done.error) == ("gave_up", None)
            assert letter.event is not None
            assert not list(deployment.letter_box().list_letters())
            assert any("secret_unavailable" in line for line in deployment.logs("register"))
