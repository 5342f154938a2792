"""The module by Terraform's own tools: its form, what it refuses, and a plan of its example."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from beagle.playground.ministack import REGION, Ministack
from support.parity import SAME
from support.template import walk
from support.terraform import MODULE, bare_terraform, copy_module, terraform_in

pytestmark = pytest.mark.xdist_group("terraform")
# What an argument of the module may be that the template has no property for.
NAMES = {
    "name",
    "name_prefix",
    "bucket_prefix",
    "alarm_name",
    "dashboard_name",
    "function_name",
    "layer_name",
}
LINKS = {"bucket", "rule", "role", "topic_arn"}
UPLOADED = {"key", "source_hash", "source_code_hash", "s3_bucket", "s3_key"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_module(tmp_path_factory.mktemp("terraform"))


@pytest.fixture(scope="module")
def refusals(folder: Path) -> dict[str, str]:
    """Run the module's own tests; return how each ended."""
    said = terraform_in(folder)("test", "-json", may_fail=True)
    lines = [json.loads(line) for line in said.splitlines()]
    return {
        line["test_run"]["run"]: line["test_run"]["status"]
        for line in lines
        if line["type"] == "test_run" and line["test_run"]["progress"] == "complete"
    }


@pytest.fixture(scope="module")
def planned(folder: Path) -> dict[str, Any]:
    """Plan the example, as its README says, with packages that nobody built."""
    example = folder / "examples" / "one_bucket"
    shutil.copytree(folder / "tests" / "packages", folder.parents[1] / ".build")
    given = {"region": REGION, "bucket_name": "acme", "team": "acme", "dataset": "cars", "storage": "acme"}
    with Ministack(folder.parents[1] / "aws") as aws:
        variables = {f"TF_VAR_{name}": value for name, value in given.items()}
        terraform = terraform_in(example, **aws.environment, **variables)
        terraform("plan", "-input=false", "-out=planned")
        plan: dict[str, Any] = terraform.data("show", "-json", "planned")
    return plan


def test_terraform_would_not_format_it_otherwise() -> None:
    """Nor its example, nor its tests."""
    assert bare_terraform(MODULE)("fmt", "-check", "-recursive") == ""


def test_slips_of_the_finger_are_refused(refusals: dict[str, str]) -> None:
    """By the module itself, before anything is made; what is just allowed is not."""
    assert len(refusals) > 5
    assert set(refusals.values()) == {"pass"}


def test_the_example_can_be_planned(planned: dict[str, Any]) -> None:
    """With the real provider, which checks what mocks do not; nothing is left to be asked."""
    changes = planned["resource_changes"]

    assert planned["errored"] is False
    assert {action for change in changes for action in change["change"]["actions"]} <= {"create", "read"}
    assert len(changes) > 30
    assert planned["output_changes"]["beagle"]["actions"] == ["create"]


def test_nothing_is_announced_before_eventbridge_may(planned: dict[str, Any]) -> None:
    """What it may bring neither into the queue nor into that of dead letters, it loses."""
    module = planned["configuration"]["root_module"]["module_calls"]["beagle"]["module"]
    [target] = [one for one in module["resources"] if one["type"] == "aws_cloudwatch_event_target"]

    assert target["depends_on"] == ["aws_sqs_queue_policy.written_by_the_rule"]


def test_no_argument_escapes_the_comparison(planned: dict[str, Any]) -> None:
    """Every argument that the module gives is one that the comparison with the template reads."""
    read: dict[str, set[str]] = {}
    for same in (same for table in SAME.values() for same in table.values()):
        read.setdefault(same.type, set()).add(same.path.partition(".")[0])
    module = planned["configuration"]["root_module"]["module_calls"]["beagle"]["module"]

    assert {
        (resource["type"], argument)
        for resource in module["resources"]
        if resource["mode"] == "managed"
        for argument in resource["expressions"]
        if argument not in read.get(resource["type"], set()) | NAMES | LINKS | UPLOADED
    } == set()


def test_the_key_has_no_value_in_the_plan(planned: dict[str, Any]) -> None:
    """Nor has any resource that could hold one."""
    kinds = {change["type"] for change in planned["resource_changes"]}

    assert "aws_secretsmanager_secret" in kinds
    assert not [kind for kind in kinds if kind.endswith("_version") and "secret" in kind]
    assert not [node for node in walk(planned["planned_values"]) if "secret_string" in node]
