"""A creation that fails, and a package that was built otherwise than its deployment says."""

from pathlib import Path

import pytest

from beagle.emulator import DEFAULT_TEAM
from beagle.playground.ministack import LocalAwsError, Ministack
from beagle.playground.packaging import zip_folder
from beagle.playground.stack import Stack, deploy
from e2e.conftest import DATASET, READ_WRITE, ROOT

NAME, BUCKET = "first", "first-uploads"
# It fails when everything that is kept stands already.
FAILING = """
  Failing:
    Type: AWS::CloudFormation::Stack
    DependsOn: [Source, State, DeadLetters, Videos]
    Properties: {TemplateURL: https://s3.amazonaws.com/nowhere/template.yaml}
"""
PARAMETERS = {
    "BucketName": BUCKET,
    "CreateBucket": "true",
    "Team": DEFAULT_TEAM,
    "Dataset": DATASET,
    "Storage": READ_WRITE,
    "Access": "read_only",
}


def test_a_creation_that_fails_can_be_tried_again(aws: Ministack, code: Path, tmp_path: Path) -> None:
    """
    What outlives a stack does not outlive a creation that never came about: its name would be taken.

    The second time the stack stands; and because it counts on a routes file, which its package lacks, what is
    uploaded waits, and prepare says why.
    """
    template = (ROOT / "template.yaml").read_text()
    failing, archive = tmp_path / "template.yaml", zip_folder(code)
    failing.write_text(template.replace("\nOutputs:\n", f"{FAILING}\nOutputs:\n"))
    before = kept(aws)
    with pytest.raises(LocalAwsError, match=r"ROLLBACK_COMPLETE(?s:.*)Failing: "):
        deploy(aws, failing, archive, PARAMETERS, name=NAME)
    left = kept(aws) - before
    aws.client("cloudformation").delete_stack(StackName=NAME)
    stack = deploy(aws, ROOT / "template.yaml", archive, {**PARAMETERS, "Routes": "file"}, name=NAME)
    stack.upload(b"a picture", "cars/1.png")
    stack.wait_until(lambda: refuses(stack), what="A refusal")
    depths = [stack.depth(queue) for queue in stack.queues]
    stack.delete()

    assert left == set()
    assert dict(zip(stack.queues, depths, strict=True)) == {
        "uploads": 1,
        "videos": 0,
        "items": 0,
        "dead_letters": 0,
    }


def kept(aws: Ministack) -> set[str]:
    """List the buckets, but for the functions' code, and the queues."""
    buckets = {bucket["Name"] for bucket in aws.client("s3").list_buckets()["Buckets"]}
    return {*aws.client("sqs").list_queues().get("QueueUrls", ()), *buckets} - {"beagle-code"}


def refuses(stack: Stack) -> bool:
    """Say whether prepare says that it refuses to start, and what to do about it."""
    return any("make build ROUTES=routes.yaml, and deploy again" in line for line in stack.logs("prepare"))
