"""`--terraform`: which deployment is meant, told by Terraform itself or by a file of what it told."""

import json
from pathlib import Path
from typing import Any

import pytest

from beagle.bootstrap.terraform import read_outputs
from beagle.domain.errors import ConfigurationError
from support.command import Beagle, Queues, kept, letter
from support.terraform import bare_terraform

URLS = {
    "dead_letters_queue_url": "https://sqs.eu-west-1.amazonaws.com/123456789012/beagle-dead-letters",
    "uploads_queue_url": "https://sqs.eu-west-1.amazonaws.com/123456789012/beagle-uploads",
    "videos_queue_url": None,
}


def output(value: object) -> dict[str, object]:
    """Return a value as `terraform output -json` wraps it."""
    return {"sensitive": False, "type": "string", "value": value}


@pytest.mark.parametrize(
    "told",
    [
        {"beagle": output(URLS)},
        {"region": output("eu-west-1"), "beagle": output(URLS)},
        {name: output(url) for name, url in URLS.items()},
        URLS,
    ],
    ids=["passed on as one", "beside others", "one by one", "one output's value"],
)
def test_outputs_are_found_however_they_are_passed_on(told: dict[str, Any], tmp_path: Path) -> None:
    """As one object, each by itself, or as `terraform output -json NAME` prints a single one."""
    file = tmp_path / "outputs.json"
    file.write_text(json.dumps(told))

    assert read_outputs(file) == URLS


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ("{}", "no outputs of Beagle's. Is it applied"),
        ("[]", "no outputs of Beagle's"),
        (json.dumps({"other": output({"url": "x"})}), r"value = module\.beagle"),
        (
            json.dumps({"cars": output(URLS), "boats": output(URLS)}),
            "boats, cars.*terraform output -json boats",
        ),
        ("Outputs:", "is no JSON"),
    ],
)
def test_what_cannot_be_meant_is_told_with_the_way_out(told: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "outputs.json"
    file.write_text(told)

    with pytest.raises(ConfigurationError, match=said):
        read_outputs(file)


def test_letters_are_read_and_replayed_where_the_outputs_say(
    beagle: Beagle, queues: Queues, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Not where the environment says: what is named wins."""
    queues.keep(*kept(letter("a.jpg")))
    file = tmp_path / "outputs.json"
    file.write_text(
        json.dumps({"dead_letters_queue_url": queues.letters, "uploads_queue_url": queues.uploads})
    )
    monkeypatch.setenv("BEAGLE_DEAD_LETTERS_QUEUE", "http://127.0.0.1:1/elsewhere")

    listed = beagle("letters", "--terraform", file)
    replayed = beagle("replay", "--yes", "--terraform", file)

    assert [record["object"]["key"] for record in listed.records] == ["a.jpg"]
    assert (replayed.code, len(queues.sent()), queues.left()) == (0, 1, [])


def test_a_folder_is_asked_by_terraform(tmp_path: Path) -> None:
    """Its state may lie anywhere: only Terraform knows."""
    terraform = bare_terraform(tmp_path)
    (tmp_path / "main.tf.json").write_text(json.dumps({"output": {"beagle": {"value": URLS}}}))
    terraform("init", "-input=false")

    with pytest.raises(ConfigurationError, match="Is it applied"):
        read_outputs(tmp_path)

    terraform("apply", "-auto-approve", "-input=false")

    assert read_outputs(tmp_path) == URLS


def test_a_broken_configuration_is_told_in_terraforms_words(tmp_path: Path) -> None:
    bare_terraform(tmp_path)
    (tmp_path / "main.tf").write_text('terraform {\n  backend "elsewhere" {}\n}\n')

    with pytest.raises(ConfigurationError, match=r"does not tell the outputs of .*Error"):
        read_outputs(tmp_path)


def test_without_terraform_a_file_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(ConfigurationError, match="terraform output -json > FILE"):
        read_outputs(tmp_path)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--terraform", "nowhere"), "neither a folder"),
        (("--terraform", "nowhere", "--stack", "beagle"), "not both"),
    ],
)
def test_misuse_ends_with_two(options: tuple[str, ...], said: str, beagle: Beagle) -> None:
    ran = beagle("letters", *options)

    assert (ran.code, ran.out) == (2, "")
    assert said in " ".join(ran.err.split())
