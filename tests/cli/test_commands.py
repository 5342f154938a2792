import json
import os
import re
import signal
import subprocess
import urllib.request
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from beagle import __version__
from beagle.bootstrap.operator import LocalStack, find_deployment
from beagle.cli.main import app
from beagle.domain.errors import ConfigurationError
from beagle.playground.folder import WatchedFolder
from beagle.playground.outcomes import Account, Ended, parse_ended
from beagle.settings import Settings, read_settings
from docs.readme import settings_table
from support.command import COMMAND, ENVIRONMENT, Beagle

ROUTES = """
team: acme
routes:
  - watch: {bucket: acme-uploads, include: "**/*.jpg"}
    dataset: cars
    storage: acme-uploads
    name: cars
    item_name: "{stem}"
    examples: [{key: a/1.jpg, item: {path: /a, name: "1"}}]
"""


def test_the_version_is_the_packages(beagle: Beagle):
    assert beagle("--version").out == f"beagle {__version__}\n"


def test_every_commands_help_begins_with_an_example():
    groups = [(app, ""), *((group.typer_instance, "routes ") for group in app.registered_groups)]
    commands = [
        (prefix, command.callback) for typed, prefix in groups for command in typed.registered_commands
    ]

    assert len(commands) == 11
    for prefix, command in commands:
        assert command.__doc__.startswith(f"`beagle {prefix}{command.__name__}")


@pytest.mark.parametrize("arguments", [["no-such-command"], ["explain"], ["letters", "--limit", "0"]])
def test_misuse_ends_with_2(arguments: list[str], beagle: Beagle):
    ran = beagle(*arguments)

    assert (ran.code, ran.out) == (2, "")


def test_good_routes_are_told_one_a_line(beagle: Beagle, tmp_path: Path):
    file = tmp_path / "routes.yaml"
    file.write_text(ROUTES)

    ran = beagle("routes", "check", file)

    assert (ran.code, [record["route"] for record in ran.records]) == (0, ["cars"])
    assert ran.records[0]["examples"] == 1


def test_routes_whose_examples_end_otherwise_are_refused(beagle: Beagle, tmp_path: Path):
    file = tmp_path / "routes.yaml"
    file.write_text(ROUTES.replace("path: /a", "path: /b"))

    ran = beagle("routes", "check", file)

    assert (ran.code, ran.out) == (2, "")
    assert "expected cars: /b 1, but it is cars: /a 1" in ran.err


def test_the_schema_takes_what_the_loader_takes(beagle: Beagle):
    """An editor that checks by the schema marks mistakes, and nothing else."""
    schema = json.loads(beagle("routes", "schema").out)
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    good = yaml.safe_load(ROUTES)

    assert not list(validator.iter_errors(good))
    del good["routes"][0]["name"]
    assert not list(validator.iter_errors(good))
    good["routes"][0]["name"] = "{stem}"
    assert not list(validator.iter_errors(good))
    good["routes"][0]["naem"] = "cars"
    assert list(validator.iter_errors(good))


def test_the_emulator_says_where_it_is_and_ends_cleanly():
    with subprocess.Popen(
        [*COMMAND, "emulator"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT
    ) as process:
        assert process.stdout
        told = json.loads(process.stdout.readline())
        with urllib.request.urlopen(told["url"], timeout=10) as page:  # noqa: S310 - loopback
            assert page.status == 200
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)

    assert (process.returncode, "Traceback" in errors) == (0, False)
    assert told["datasets"] == ["incoming"]
    assert told["api_key"]


def test_a_port_that_is_taken_is_misuse(beagle: Beagle):
    from beagle.emulator import EmulatedDarwin, serve  # noqa: PLC0415 - for this test alone

    with serve(EmulatedDarwin.with_defaults()) as server:
        ran = beagle("emulator", "--port", str(server.port))

    assert (ran.code, ran.out) == (2, "")
    assert "cannot be listened on" in ran.err


# --- which deployment --------------------------------------------------------------------------------


def test_without_any_deployment_the_three_ways_to_name_one_are_told(tmp_path: Path):
    with pytest.raises(ConfigurationError, match=r"--stack NAME.*BEAGLE_DEAD_LETTERS_QUEUE.*beagle up"):
        find_deployment("", Settings(), tmp_path / "stack.json")


def test_a_local_stack_that_ended_without_a_word_is_named(tmp_path: Path):
    """A file that a killed `beagle up` left behind does not lead anywhere."""
    file = tmp_path / "stack.json"
    local = LocalStack(
        process=1,
        stack="beagle",
        endpoint="http://127.0.0.1:1",
        region="us-east-1",
        access_key="test",
        uploads_queue="http://127.0.0.1:1/uploads",
        dead_letters_queue="http://127.0.0.1:1/letters",
        darwin="http://127.0.0.1:2",
    )
    file.write_text(local.model_dump_json())

    with pytest.raises(ConfigurationError, match="is not running any more"):
        find_deployment("", Settings(), file)

    file.write_text("{")
    with pytest.raises(ConfigurationError, match="does not say"):
        find_deployment("", Settings(), file)


def test_what_the_readme_shows_as_a_default_can_be_set():
    """A variable with its default's text is the default."""
    shown = dict(re.findall(r"^\| `(BEAGLE_\w+)` \| `([^`]+)` \|", settings_table(), re.MULTILINE))

    assert shown["BEAGLE_STAGES"] == "prepare,extract,register"
    assert read_settings(shown) == Settings()


# --- what the demo counts ----------------------------------------------------------------------------


def ended(key: str, ending: str) -> Ended:
    return Ended(at="", stage="register", ending=ending, code="", key=key, place="", detail="")


def test_the_books_add_up_object_by_object():
    """What is lost, and what is counted twice, shows; also when the one would hide the other."""
    whole = Account(("a", "b", "b"), (ended("a", "registered"), ended("b", "ignored")), ("b",))
    between = (ended("a", "passed_on"), ended("a", "again"))

    assert whole.adds_up
    assert Account(whole.received, (*whole.ended, *between), whole.queued).adds_up
    assert not Account(whole.received, whole.ended[1:], whole.queued).adds_up
    assert not Account(whole.received, (*whole.ended, whole.ended[0]), whole.queued).adds_up
    assert not Account(("a", "b", "b"), (ended("a", "registered"), ended("a", "ignored")), ("b",)).adds_up
    assert (whole + whole).counts == {"registered": 2, "ignored": 2}


@pytest.mark.parametrize(
    "line", ["", "START RequestId: 1", "object ended", '"object ended"', '{"message": "\\"object ended\\""}']
)
def test_only_outcomes_are_read_from_the_log(line: str):
    assert parse_ended(line) is None


# --- the folder of `beagle up` -----------------------------------------------------------------------


@pytest.mark.parametrize("folder", ["/proc/x", "file", "file/x"])
def test_a_folder_that_cannot_be_used_is_misuse(folder: str, beagle: Beagle, tmp_path: Path):
    (tmp_path / "file").touch()
    place = tmp_path / folder

    ran = beagle("up", "--folder", place)

    assert (ran.code, ran.out) == (2, "")
    assert str(place) in ran.err
    assert "Errno" not in ran.err


def test_a_file_is_found_once_it_stands_still_and_again_when_it_changes(tmp_path: Path):
    watched = WatchedFolder(tmp_path)
    file = tmp_path / "a" / "b +.jpg"
    file.parent.mkdir()
    file.write_bytes(b"1")

    assert watched.poll() == []
    file.write_bytes(b"22")
    assert watched.poll() == []
    assert watched.poll() == [("a/b +.jpg", file)]
    assert watched.poll() == []
    file.write_bytes(b"333")
    assert (watched.poll(), watched.poll()) == ([], [("a/b +.jpg", file)])


def test_a_file_that_went_and_came_back_is_found_again(tmp_path: Path):
    watched = WatchedFolder(tmp_path)
    file = tmp_path / "a.jpg"
    file.write_bytes(b"1")
    assert [watched.poll(), watched.poll()] == [[], [("a.jpg", file)]]

    told = file.stat()
    file.unlink()
    assert watched.poll() == []
    file.write_bytes(b"1")
    os.utime(file, ns=(told.st_atime_ns, told.st_mtime_ns))

    assert [watched.poll(), watched.poll()] == [[], [("a.jpg", file)]]
