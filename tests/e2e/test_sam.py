"""The template in the hands of AWS's own SAM CLI: validated, deployed, updated under load, deleted."""

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest

from beagle.emulator import DEFAULT_KEY, DEFAULT_TEAM, EmulatedDarwin, Fault
from beagle.playground.ministack import REGION, Ministack
from beagle.playground.packaging import FUNCTIONS
from beagle.playground.stack import FUNCTION_OUTPUTS, Stack
from e2e.books import Books, wait_until_settled
from e2e.conftest import DATASET, READ_WRITE, ROOT, Connected, deliver_twice, limit_instances
from e2e.sam_cli import Sam, make_project
from support.own_venv import NotInstalledError

PICTURE = b"no picture, but bytes"
NAME, BUCKET = "sam", "sam-uploads"
BURST = 30
PACE = 0.2
SECOND = "the second version is at work"


@pytest.fixture(scope="module")
def sam(aws: Ministack, code: Path, tmp_path_factory: pytest.TempPathFactory) -> Sam:
    project = make_project(tmp_path_factory.mktemp("project"), ROOT / "template.yaml", code)
    try:
        return Sam.installed(aws, tmp_path_factory.mktemp("home"), project)
    except NotInstalledError as error:
        pytest.skip(f"no SAM CLI: {error}")


@pytest.fixture(scope="module")
def connected(connect: Callable[[str], Connected]) -> Connected:
    return connect(BUCKET)


@pytest.fixture(scope="module")
def parameters(connected: Connected) -> dict[str, str]:
    return {
        "BucketName": BUCKET,
        "CreateBucket": "true",
        "Team": DEFAULT_TEAM,
        "Dataset": DATASET,
        "Storage": READ_WRITE,
        "DarwinUrl": connected.server.url,
        "RequestsPerMinute": "1000",
    }


@pytest.fixture(scope="module")
def stack(sam: Sam, parameters: dict[str, str]) -> Stack:
    """Deploy the template with `sam deploy`; every event is delivered twice."""
    sam.end(sam.deploy(NAME, **parameters))
    stack = deployed(sam.aws)
    stack.put_api_key(DEFAULT_KEY)
    limit_instances(stack, prepare=2, register=1)
    deliver_twice(stack)
    return stack


@pytest.fixture
def darwin(connected: Connected) -> Iterator[EmulatedDarwin]:
    connected.darwin.reset()
    yield connected.darwin
    connected.darwin.clear_faults()


def deployed(aws: Ministack) -> Stack:
    """Return the stack as it stands."""
    described = aws.client("cloudformation").describe_stacks(StackName=NAME)["Stacks"][0]
    return Stack(aws, NAME, {one["OutputKey"]: one["OutputValue"] for one in described["Outputs"]})


def existing(aws: Ministack) -> set[str]:
    """List what there is, by the names that CloudFormation has for it."""
    functions, s3 = aws.client("lambda"), aws.client("s3")
    # Other tests' stacks are there too, and a page of alarms holds fifty.
    alarms = aws.client("cloudwatch").get_paginator("describe_alarms").paginate()
    return {
        *aws.client("sqs").list_queues().get("QueueUrls", ()),
        *(one["FunctionName"] for one in functions.list_functions()["Functions"]),
        *(one["UUID"] for one in functions.list_event_source_mappings()["EventSourceMappings"]),
        *(one["LatestMatchingVersion"]["LayerVersionArn"] for one in functions.list_layers()["Layers"]),
        *(one["Name"] for one in aws.client("events").list_rules()["Rules"]),
        *(one["RoleName"] for one in aws.client("iam").list_roles()["Roles"]),
        *(one["Name"] for one in aws.client("secretsmanager").list_secrets()["SecretList"]),
        *(one["logGroupName"] for one in aws.client("logs").describe_log_groups()["logGroups"]),
        *(one["AlarmName"] for page in alarms for one in page["MetricAlarms"]),
        *(one["Name"] for one in s3.list_buckets()["Buckets"]),
    }


def built(project: Path) -> dict[str, bytes]:
    """Map each built file to its bytes."""
    folder = project / ".build"
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_sam_is_content(sam: Sam) -> None:
    """Its linter finds neither an error nor a warning."""
    assert "is a valid SAM Template" in sam.run("validate", "--lint")


def test_sam_build_takes_what_make_built(sam: Sam) -> None:
    """
    It succeeds without a Python to build with, changes no package, and its template points at each.
    """
    before = built(sam.project)
    sam.run("build")
    folder = sam.project / ".aws-sam" / "build"
    named = re.findall(r"(?m)^ +(?:CodeUri|ContentUri): (.+)$", (folder / "template.yaml").read_text())

    assert built(sam.project) == before
    assert [path.name for path in folder.iterdir()] == ["template.yaml"]
    places = [f".build/functions/aws/{name}" for name in FUNCTIONS] + [".build/layers/ffmpeg"]
    assert sorted((folder / name).resolve() for name in named) == sorted(sam.project / one for one in places)


def test_sam_deploy_makes_a_stack_that_works(
    stack: Stack, sam: Sam, darwin: EmulatedDarwin, folder: str
) -> None:
    """
    What `make build` made is uploaded, file by file, and an object goes the whole way.
    """
    packages = [
        sam.project / ".build" / "functions" / "aws" / "prepare",
        sam.project / ".build/layers/ffmpeg",
    ]
    stack.upload(PICTURE, f"{folder}/a b+c.png")
    wait_until_settled(stack, folder, 2)

    assert [(item.storage_keys, item.status) for item in darwin.items()] == [
        ((f"{folder}/a b+c.png",), "complete")
    ]
    assert sorted(uploaded(sam.aws)) == sorted(
        sorted(str(path.relative_to(package)) for path in package.rglob("*") if path.is_file())
        for package in packages
    )


def uploaded(aws: Ministack) -> list[list[str]]:
    """List the files of each archive that SAM uploaded; equal archives are uploaded once."""
    s3 = aws.client("s3")
    objects = [
        s3.get_object(Bucket=bucket["Name"], Key=entry["Key"])["Body"].read()
        for bucket in s3.list_buckets()["Buckets"]
        if bucket["Name"].startswith("aws-sam-cli-managed")
        for entry in s3.list_objects_v2(Bucket=bucket["Name"]).get("Contents", ())
        if not entry["Key"].endswith(".template")
    ]
    return [sorted(ZipFile(BytesIO(data)).namelist()) for data in objects]


def test_an_update_loses_nothing(
    stack: Stack, sam: Sam, parameters: dict[str, str], darwin: EmulatedDarwin, folder: str
) -> None:
    """
    Objects arrive before, while and after other code and settings are deployed; each is registered once.

    Every event comes twice, and messages are in flight when the functions are exchanged. By the functions'
    own lines, received = registered + already registered.
    """
    for name in FUNCTIONS:
        package = sam.project / ".build" / "functions" / "aws" / name
        code = (package / f"{name}.py").read_text()
        (package / f"{name}.py").write_text(
            code.replace("    return ", f'    print("{SECOND}")\n    return ')
        )
        shutil.rmtree(package / "__pycache__")  # what is compiled ahead is not held against its source
    # Slow answers: some request is on its way whenever a function is exchanged.
    darwin.inject(Fault(kind="drip", seconds=0.5, count=None))
    count = 0

    def upload() -> None:
        nonlocal count
        stack.upload(PICTURE, f"{folder}/{count}.png")
        count += 1

    for _ in range(BURST):
        upload()
    update = sam.deploy(NAME, **parameters | {"ItemsPerRequest": "2"})
    while update.poll() is None:
        upload()
        with suppress(subprocess.TimeoutExpired):
            update.wait(PACE)
    sam.end(update)
    darwin.clear_faults()
    asked = len(darwin.requests())
    for _ in range(BURST):
        upload()
    wait_until_settled(stack, folder, 2 * count)

    assert sorted(item.storage_keys for item in darwin.items()) == sorted(
        (f"{folder}/{number}.png",) for number in range(count)
    )
    books = Books.of(stack, folder)
    assert books.count("prepare") == {"passed_on": 2 * count}
    assert books.count("register") == {"registered": count, "already_registered": count}
    assert stack.depth("dead_letters") == 0
    sizes = [served.items for served in darwin.requests()]
    assert max(sizes[:asked]) > 2
    assert max(sizes[asked:]) <= 2
    assert all(SECOND in stack.logs(function) for function in stack.functions)


def test_an_update_to_read_only_adds_and_replaces_nothing(
    stack: Stack, sam: Sam, parameters: dict[str, str]
) -> None:
    """
    Extract and its queue come, on the other processor; what holds messages or memories stays what it was.
    """
    sam.end(sam.deploy(NAME, **parameters | {"Access": "read_only", "Architecture": "x86_64"}))
    changed = deployed(sam.aws)
    client = sam.aws.client("lambda")
    configurations = [
        client.get_function_configuration(FunctionName=changed.outputs[FUNCTION_OUTPUTS[function]])
        for function in changed.functions
    ]

    assert changed.functions == ("prepare", "extract", "register")
    assert dict(changed.outputs).items() > dict(stack.outputs).items()
    assert [one["Architectures"] for one in configurations] == [["x86_64"]] * 3


def test_sam_delete_leaves_the_data(stack: Stack, sam: Sam, parameters: dict[str, str], folder: str) -> None:
    """
    Nothing of the stack remains but the watched bucket, the ledger, dead letters and videos that wait.
    """
    # Whatever ran before; another test may have updated it so.
    sam.end(sam.deploy(NAME, "--no-fail-on-empty-changeset", **parameters | {"Access": "read_only"}))
    stack.upload(PICTURE, f"{folder}/kept.png")
    wait_until_settled(stack, folder, 2)
    s3, cloudformation = sam.aws.client("s3"), sam.aws.client("cloudformation")
    buckets = {stack.outputs["SourceBucket"], stack.outputs["StateBucket"]}
    contents = {bucket: s3.list_objects_v2(Bucket=bucket)["Contents"] for bucket in buckets}
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=NAME)
    owned = {one["PhysicalResourceId"] for page in pages for one in page["StackResourceSummaries"]}
    assert len(existing(sam.aws) & owned) > len(owned) - 4  # but a dashboard and two queues' policies
    changed = deployed(sam.aws)
    changed.send("dead_letters", "kept")
    sam.run("delete", "--stack-name", NAME, "--region", REGION, "--no-prompts")

    queues = {changed.outputs[output] for output in ("DeadLettersQueueUrl", "VideosQueueUrl")}
    assert existing(sam.aws) & owned == buckets | queues
    assert "kept" in [message.body for message in changed.messages("dead_letters")]
    assert {bucket: s3.list_objects_v2(Bucket=bucket)["Contents"] for bucket in buckets} == contents
