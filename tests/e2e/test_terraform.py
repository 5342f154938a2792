"""The Terraform module on the local AWS: applied, used, planned again, destroyed. Takes minutes: by hand."""

import json
import shutil
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from beagle.bootstrap.terraform import read_outputs
from beagle.emulator import DEFAULT_KEY, DEFAULT_TEAM, EmulatedDarwin
from beagle.playground.ministack import REGION, Ministack
from beagle.playground.packaging import FUNCTIONS, zip_folder
from beagle.playground.stack import Stack
from e2e.archive import READ_ONLY, open_archive
from e2e.conftest import DATASET, READ_WRITE, Connected
from e2e.test_read_only import clip, picture  # noqa: F401 - a fixture
from e2e.test_uploads import codes
from support.comparing import snake
from support.template import TEMPLATE
from support.terraform import Terraform, copy_module, terraform_in

pytestmark = pytest.mark.byhand
SECONDS = 90.0
# What the local AWS does not give back as it was given, and a second plan would set again.
FORGOTTEN = {"aws_cloudwatch_metric_alarm"}


@pytest.fixture(scope="session", autouse=True)
def by_hand(request: pytest.FixtureRequest) -> None:
    """Skip, before anything is started for it, unless asked for."""
    if "byhand" not in request.config.option.markexpr:
        pytest.skip("takes six minutes; by hand: pytest -m byhand tests/e2e/test_terraform.py")


@dataclass(slots=True)
class Applying:
    """Deploys by Terraform what the other tests deploy by the template."""

    aws: Ministack
    folder: Path
    terraform: Terraform | None = None

    def deploy(self, name: str, darwin_url: str, **parameters: str) -> Stack:
        """Apply the module with a template's parameters, and fill in the secret."""
        read_only = parameters.get("Access") == "read_only"
        defaults = {
            "name": name,
            "packages": "../packages",
            "bucket_name": f"{name}-uploads",
            "create_bucket": True,
            "team": DEFAULT_TEAM,
            "dataset": DATASET,
            "storage": READ_ONLY if read_only else READ_WRITE,
            "darwin_url": darwin_url,
            "alarm_email": "ops@example.com",
        }
        given = {snake(parameter): value for parameter, value in parameters.items()}
        provider = {"region": REGION, "s3_use_path_style": True, "skip_metadata_api_check": True}
        configuration = {
            "provider": {"aws": provider},
            "module": {"beagle": {"source": "../infra/aws", **defaults, **given}},
            "output": {"beagle": {"value": "${module.beagle}"}},
        }
        root = self.folder / "root"
        root.mkdir()
        (root / "main.tf.json").write_text(json.dumps(configuration))
        self.terraform = terraform_in(root, **self.aws.environment)
        self.terraform("apply", "-auto-approve", "-input=false")
        told = read_outputs(root)
        outputs = {output: told[snake(output)] for output in TEMPLATE["Outputs"] if told.get(snake(output))}
        stack = Stack(self.aws, name, outputs)
        stack.put_api_key(DEFAULT_KEY)
        return stack


@dataclass(frozen=True, slots=True)
class Applied:
    """A deployment that Terraform made."""

    read_only: bool
    terraform: Terraform
    stack: Stack
    darwin: EmulatedDarwin


def lay_packages(folder: Path, code: Path) -> None:
    """Lay packages out as `make build` does: functions run in this interpreter, and find its ffmpeg."""
    archive = zip_folder(code)
    (folder / "functions" / "aws").mkdir(parents=True)
    for name in FUNCTIONS:
        shutil.copyfile(archive, folder / "functions" / "aws" / f"{name}.zip")
    (folder / "layers").mkdir()
    with zipfile.ZipFile(folder / "layers" / "ffmpeg.zip", "w") as writer:
        writer.writestr("README", "On the local AWS nothing lies in layers.\n")


@pytest.fixture(scope="module", params=["read_write", "read_only"])
def applied(
    request: pytest.FixtureRequest,
    aws: Ministack,
    code: Path,
    connect: Callable[[str], Connected],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Applied]:
    """Apply the module, for either access."""
    name = f"tf-{request.param.replace('_', '-')}"
    folder = tmp_path_factory.mktemp(name)
    copy_module(folder)
    lay_packages(folder / "packages", code)
    applying = Applying(aws, folder)
    with ExitStack() as closing:
        if request.param == "read_only":
            archive = closing.enter_context(open_archive(aws, applying.deploy, name))
            stack, darwin = archive.stack, archive.darwin
        else:
            connected = connect(f"{name}-uploads")
            stack, darwin = applying.deploy(name, connected.server.url), connected.darwin
        assert applying.terraform is not None
        yield Applied(request.param == "read_only", applying.terraform, stack, darwin)


def test_a_second_plan_changes_only_what_the_local_aws_forgets(applied: Applied) -> None:
    """What is applied is what was meant."""
    applied.terraform("plan", "-input=false", "-out=again")
    planned: dict[str, Any] = applied.terraform.data("show", "-json", "again")
    changed = [one for one in planned["resource_changes"] if one["change"]["actions"] != ["no-op"]]

    assert {one["type"] for one in changed} <= FORGOTTEN
    assert {tuple(one["change"]["actions"]) for one in changed} <= {("update",)}


def test_objects_go_through(applied: Applied, clip: Path) -> None:  # noqa: F811 - the fixture
    """A photograph, a film, a text and what is no picture: each to its end, by the module's permissions."""
    stack, read_only = applied.stack, applied.read_only
    stack.upload(picture("JPEG", orientation=6), "a/photo 1+2.jpg", content_type="image/jpeg")
    stack.upload(clip, "a/clip.mp4")
    stack.upload(b"words", "a/notes.txt")
    stack.upload(picture("JPEG")[:200] + b"\xff" * 2000, "a/damaged.jpg")
    names = {"photo 1+2.jpg", "clip.mp4"} | (set() if read_only else {"damaged.jpg"})
    stack.wait_until(
        lambda: len(applied.darwin.items()) == len(names) and stack.depth("dead_letters") == read_only,
        seconds=SECONDS,
        what="The end of every object",
    )
    stack.wait_until_idle(seconds=SECONDS)

    items = applied.darwin.items()
    assert {item.name for item in items} == names
    assert {item.status for item in items} == {"complete"}
    assert not any(item.problems for item in items)
    assert codes(stack) == ({"a/damaged.jpg": "unreadable_media"} if read_only else {})


def test_what_cannot_be_made_anew_is_not_destroyed(applied: Applied) -> None:
    """Terraform refuses to destroy the buckets; let go of, they stay, and everything else goes."""
    refused = applied.terraform("destroy", "-auto-approve", "-input=false", may_fail=True)
    kept = [one for one in applied.terraform("state", "list").splitlines() if "aws_s3_bucket" in one]
    applied.terraform("state", "rm", *kept)
    destroyed = applied.terraform("destroy", "-auto-approve", "-input=false")

    outputs, s3 = applied.stack.outputs, applied.stack.aws.client("s3")
    left = {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}
    ledger = s3.list_objects_v2(Bucket=outputs["StateBucket"], Prefix="ledger/")
    assert ("Destroy complete" in refused, "Destroy complete" in destroyed) == (False, True)
    assert {outputs["SourceBucket"], outputs["StateBucket"]} <= left
    assert ledger["KeyCount"] == (2 if applied.read_only else 3)
    with pytest.raises(ClientError, match="NonExistent"):
        applied.stack.aws.client("sqs").get_queue_attributes(QueueUrl=outputs["UploadsQueueUrl"])
