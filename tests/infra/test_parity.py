"""template.yaml and infra/aws deploy the same system: property by property, permission by permission."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from support.cloudformation import Rendering
from support.comparing import at, plain, snake, uncovered
from support.parity import SAME
from support.template import TEMPLATE
from support.terraform import MODULE, copy_module, terraform_in

pytestmark = pytest.mark.xdist_group("terraform")
NAME = "beagle"
ARN = "arn:aws:{}:eu-west-1:123456789012:{}"
LEAST = {"BucketName": "acme-uploads", "Team": "acme", "Dataset": "cars", "Storage": "acme-uploads"}
KEY = ARN.format("kms", "key/11111111-2222-3333-4444-555555555555")
CASES: dict[str, dict[str, str]] = {
    "least": LEAST,
    "mailed": LEAST | {"Access": "read_only", "AlarmEmail": "ops@example.com"},
    "most": {
        "BucketName": "acme-archive",
        "CreateBucket": "true",
        "Prefix": "scans/2026/",
        "Team": "acme-labs",
        "Dataset": "scans",
        "Storage": "archive",
        "Access": "read_only",
        "Routes": "file",
        "ApiKeySecretArn": ARN.format("secretsmanager", "secret:darwin-Ab12Cd"),
        "DarwinUrl": "https://darwin.example.com",
        "ItemsPerRequest": "500",
        "RequestsPerMinute": "7",
        "PrepareConcurrency": "4",
        "ExtractMemory": "3008",
        "ExtractConcurrency": "3",
        "Architecture": "x86_64",
        "AlarmTopicArn": ARN.format("sns", "ops"),
        "LogRetentionDays": "365",
        "Tracing": "true",
        "BucketKmsKeyArn": KEY.replace("1", "9"),
        "KmsKeyArn": KEY,
        "PermissionsBoundaryArn": "arn:aws:iam::123456789012:policy/bounds",
    },
}
KINDS = [(case, kind) for case in CASES for kind in SAME]


def identities() -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """Return what the template's references mean, and what Terraform's resources are told to be called."""
    names = {
        "AWS::AccountId": "123456789012",
        "AWS::Partition": "aws",
        "AWS::Region": "eu-west-1",
        "AWS::StackName": NAME,
        "State": "state",
        "State.Arn": "arn:aws:s3:::state",
        "Created": f"{NAME}-created",
        "Created.Arn": ARN.format("events", "rule/created"),
        "ApiKey.Id": ARN.format("secretsmanager", "secret:created"),
        "Alarms": ARN.format("sns", "alarms"),
        "Ffmpeg": ARN.format("lambda", "layer:ffmpeg:1"),
        "Dashboard": NAME,
    }
    known = {
        'aws_s3_bucket.kept["state"]': {
            "id": names["State"],
            "bucket": names["State"],
            "arn": names["State.Arn"],
        },
        "aws_cloudwatch_event_rule.created": {"arn": names["Created.Arn"]},
        'aws_secretsmanager_secret.darwin["api_key"]': {"arn": names["ApiKey.Id"]},
        'aws_sns_topic.alarms["alarms"]': {"arn": names["Alarms"]},
        'aws_lambda_layer_version.ffmpeg["ffmpeg"]': {"arn": names["Ffmpeg"]},
    }
    for queue in ("Uploads", "Videos", "Items", "DeadLetters"):
        name = f"{NAME}-{snake(queue).replace('_', '-')}"
        url, arn = f"https://sqs.eu-west-1.amazonaws.com/123456789012/{name}", ARN.format("sqs", name)
        names |= {queue: url, f"{queue}.Arn": arn, f"{queue}.QueueName": name}
        address = "dead_letters" if queue == "DeadLetters" else f'work["{snake(queue)}"]'
        known[f"aws_sqs_queue.{address}"] = {"url": url, "arn": arn}
    for function in ("Prepare", "Extract", "Register"):
        key = function.lower()
        logs = ARN.format("logs", f"log-group:/aws/lambda/{NAME}-{key}")
        role = f"arn:aws:iam::123456789012:role/{key}"
        names |= {
            function: f"{NAME}-{key}",
            f"{function}Logs": f"/aws/lambda/{NAME}-{key}",
            f"{function}Logs.Arn": f"{logs}:*",  # Terraform leaves away what CloudFormation adds
            f"{function}Role.Arn": role,
        }
        known[f'aws_cloudwatch_log_group.stage["{key}"]'] = {"arn": logs}
        known[f'aws_iam_role.stage["{key}"]'] = {"arn": role}
    return names, known


def variables(parameters: Mapping[str, str]) -> dict[str, Any]:
    """Return a template's parameters as the module takes them."""
    given: dict[str, Any] = {snake(name): value for name, value in parameters.items()}
    if arn := given.pop("api_key_secret_arn", None):
        given["api_key_secret"] = {"arn": arn}
    return given


def key_of(logical: str) -> str:
    """Return what a resource's counterparts are called: the last word of its name may only be its type."""
    return snake(re.sub(r"(Policy|Logs|Role|Alarm)$", "", logical))


@dataclass(frozen=True, slots=True)
class Both:
    """One deployment, as the template and as the module describe it."""

    template: Rendering
    planned: dict[tuple[str, str], dict[str, Any]]
    """By type and key; the key of what there is one of is its name."""
    outputs: dict[str, Any]


def suite(known: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """Return a file for `terraform test` that plans every case in an account that exists nowhere."""
    at_once = {"override_during": "plan"}
    return {
        "mock_provider": {"aws": {"source": "./tests/aws", **at_once}},
        "override_resource": [
            {"target": address, "values": said, **at_once} for address, said in known.items()
        ],
        "run": {
            case: {"command": "plan", "variables": {"packages": "./tests/packages", **variables(given)}}
            for case, given in CASES.items()
        },
    }


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Both]:
    """Plan every case, all in one run of Terraform."""
    folder = copy_module(tmp_path_factory.mktemp("parity"))
    names, known = identities()
    for written in (folder / "tests").glob("*.tftest.hcl"):
        written.unlink()
    # One case is for the other processors, and has a routes file.
    (folder / "tests" / "packages" / "architecture").unlink()
    (folder / "tests" / "packages" / "functions" / "aws" / "routes").unlink()
    (folder / "tests" / "parity.tftest.json").write_text(json.dumps(suite(known)))
    said = terraform_in(folder)("test", "-json", "-verbose", may_fail=True)
    lines = [json.loads(line) for line in said.splitlines()]
    assert [line for line in lines if line["type"] == "diagnostic"] == []
    plans = {line["@testrun"]: line["test_plan"] for line in lines if line["type"] == "test_plan"}
    return {
        case: Both(
            Rendering(given, names),
            {
                (change["type"], snake(change.get("index", change["name"]))): change["change"]["after"]
                for change in plans[case]["resource_changes"]
            },
            {name: change["after"] for name, change in plans[case]["output_changes"].items()},
        )
        for case, given in CASES.items()
    }


def properties_of(both: Both, kind: str) -> dict[str, dict[str, Any]]:
    """Return the template's resources of a kind; of a function, `Event` is the one that starts it."""
    found = both.template.of_type(kind)
    if kind != "AWS::Serverless::Function":
        return found
    flat = {}
    for logical, properties in found.items():
        [event] = properties["Events"].values()
        others = {name: value for name, value in properties.items() if name != "Events"}
        flat[logical] = {**others, "Event": event["Properties"]}
    return flat


@pytest.mark.parametrize(("case", "kind"), KINDS)
def test_both_describe_the_same(case: str, kind: str, cases: dict[str, Both]) -> None:
    """Every property of every resource has the same value in both, or is said by neither."""
    both, table = cases[case], SAME[kind]
    resources = properties_of(both, kind)

    template, terraform = {}, {}
    for logical, properties in resources.items():
        for path, same in table.items():
            value = at(properties, path)
            arguments = both.planned.get((same.type, key_of(logical)), {})
            argument = at(arguments, same.path)
            template[logical, path] = plain(same.absent if value is None else same.cfn(value))
            terraform[logical, path] = plain(None if argument is None else same.tf(argument))

    assert terraform == template


@pytest.mark.parametrize("case", CASES)
def test_no_property_escapes_the_comparison(case: str, cases: dict[str, Both]) -> None:
    """What is new in the template is compared, or this fails."""
    escaped = {
        logical: list(uncovered(properties, SAME.get(kind, {})))
        for kind in {body["Type"] for body in cases[case].template.resources.values()}
        for logical, properties in properties_of(cases[case], kind).items()
    }

    assert {logical: paths for logical, paths in escaped.items() if paths} == {}


@pytest.mark.parametrize("case", CASES)
def test_terraform_makes_nothing_else(case: str, cases: dict[str, Both]) -> None:
    """Every resource of the plan stands for one of the template."""
    wanted = {
        (same.type, key_of(logical))
        for kind, table in SAME.items()
        for logical in cases[case].template.of_type(kind)
        for same in table.values()
    }

    assert set(cases[case].planned) <= wanted


@pytest.mark.parametrize("case", CASES)
def test_the_outputs_are_the_same(case: str, cases: dict[str, Both]) -> None:
    """By the same words; what the template leaves out is null."""
    both = cases[case]
    told = {name: value for name, value in both.outputs.items() if value is not None}

    assert told == {snake(name): value for name, value in both.template.outputs.items()}
    assert set(both.outputs) == {snake(name) for name in TEMPLATE["Outputs"]}


def test_the_buckets_outlive_both() -> None:
    """
    CloudFormation keeps what Terraform refuses to destroy; neither deletes a ledger or an upload.

    Only a creation that fails takes away again what it made: the next would find the names taken.
    """
    buckets = [body for body in TEMPLATE["Resources"].values() if body["Type"] == "AWS::S3::Bucket"]
    [block] = re.findall(
        r'(?s)resource "aws_s3_bucket" "kept" \{.*?\n\}', Path(MODULE / "buckets.tf").read_text()
    )

    assert {body["DeletionPolicy"] for body in buckets} == {"RetainExceptOnCreate"}
    assert "prevent_destroy = true" in block
