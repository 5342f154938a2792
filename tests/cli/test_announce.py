"""A bucket that exists starts to announce its objects, and loses nothing that it had set up."""

import json
import uuid
from pathlib import Path
from typing import Any

import pytest

from beagle.bootstrap.operator import aws_client
from beagle.domain.errors import ConfigurationError
from beagle.playground.ministack import Ministack
from beagle.providers.aws.announcing import Announcing, write_announcing
from support.command import Beagle

EVENTS = ["s3:ObjectCreated:*"]


class Bucket:
    """A bucket with whatever notifications a test gives it."""

    def __init__(self, aws: Ministack) -> None:
        self.s3 = aws.client("s3")
        self.sqs = aws.client("sqs")
        self.name = f"b-{uuid.uuid4().hex}"
        self.s3.create_bucket(Bucket=self.name)

    def queue(self) -> str:
        url = self.sqs.create_queue(QueueName=f"q-{uuid.uuid4().hex}")["QueueUrl"]
        answer = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        arn = str(answer["Attributes"]["QueueArn"])
        allow = {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Resource": arn}
        policy = {"Version": "2012-10-17", "Statement": [{**allow, "Action": "sqs:SendMessage"}]}
        self.sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
        return arn

    def tell(self, **document: Any) -> None:
        self.s3.put_bucket_notification_configuration(Bucket=self.name, NotificationConfiguration=document)

    def told(self) -> dict[str, Any]:
        answer = self.s3.get_bucket_notification_configuration(Bucket=self.name)
        return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


@pytest.fixture
def bucket(aws: Ministack, beagle: Beagle, monkeypatch: pytest.MonkeyPatch) -> Bucket:  # noqa: ARG001 - as queues
    for variable, value in aws.environment.items():
        monkeypatch.setenv(variable, value)
    return Bucket(aws)


def test_a_bucket_keeps_all_that_it_had(beagle: Beagle, bucket: Bucket) -> None:
    """A queue with a filter, and another one: both are told afterwards as before, and EventBridge besides."""
    keep = {"Key": {"FilterRules": [{"Name": "prefix", "Value": "invoices/"}]}}
    first, second = bucket.queue(), bucket.queue()
    bucket.tell(
        QueueConfigurations=[
            {"Id": "theirs", "QueueArn": first, "Events": EVENTS, "Filter": keep},
            {"Id": "others", "QueueArn": second, "Events": ["s3:ObjectRemoved:*"]},
        ]
    )
    before = bucket.told()

    ran = beagle("announce", bucket.name, "--yes")

    assert ran.code == 0
    assert ran.records == [
        {"bucket": bucket.name, "to_eventbridge": True, "changed": True, "others": [first, second]}
    ]
    assert "eventbridge = true" in ran.err  # whoever manages those would take it back
    after = bucket.told()
    assert after.pop("EventBridgeConfiguration") == {}
    assert after == before


def test_a_bucket_without_any_begins_with_this_one(beagle: Beagle, bucket: Bucket) -> None:
    ran = beagle("announce", bucket.name, "--yes")

    assert ran.records[0]["changed"]
    assert "eventbridge = true" not in ran.err
    assert bucket.told() == {"EventBridgeConfiguration": {}}


def test_twice_is_the_same_as_once(beagle: Beagle, bucket: Bucket) -> None:
    beagle("announce", bucket.name, "--yes")

    [again] = beagle("announce", bucket.name, "--yes").records

    assert (again["to_eventbridge"], again["changed"]) == (True, False)


def test_a_dry_run_only_tells(beagle: Beagle, bucket: Bucket) -> None:
    [told] = beagle("announce", bucket.name, "--dry-run").records

    assert (told["to_eventbridge"], told["changed"]) == (False, False)
    assert bucket.told() == {}


def test_nobody_to_ask_changes_nothing(beagle: Beagle, bucket: Bucket) -> None:
    ran = beagle("announce", bucket.name)

    assert ran.code == 2
    assert "No terminal to confirm on: pass --yes to proceed, or --dry-run to preview." in ran.err
    assert bucket.told() == {}


def test_a_bucket_that_is_not_there_is_named(beagle: Beagle, bucket: Bucket) -> None:
    """The message says what it takes."""
    ran = beagle("announce", f"{bucket.name}-not", "--yes")

    assert ran.code == 2
    assert f"{bucket.name}-not" in ran.err
    assert "NoSuchBucket" in ran.err


@pytest.fixture
def nowhere(beagle: Beagle, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Beagle:
    """Run the command where nobody has set up AWS."""
    for variable in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(variable, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return beagle


def test_without_credentials_those_are_asked_for_and_no_permission(nowhere: Beagle) -> None:
    ran = nowhere("announce", "acme-uploads", "--dry-run")

    assert (ran.code, ran.out) == (2, "")
    assert "AWS cannot be asked from here: Unable to locate credentials: run `aws configure`" in ran.err
    assert "s3:GetBucketNotification" not in ran.err


@pytest.mark.usefixtures("nowhere")
def test_a_change_that_is_not_answered_is_told_as_such() -> None:
    """It says neither that a permission is missing, nor that nothing was changed."""
    with pytest.raises(ConfigurationError, match=r"Unable to locate credentials.*another run") as told:
        write_announcing(aws_client("s3"), Announcing("acme-uploads", {}))

    assert "s3:PutBucketNotification" not in str(told.value)
    assert "Nothing was changed" not in str(told.value)


def test_an_endpoint_that_is_not_there_is_named(nowhere: Beagle, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in (
        ("AWS_ACCESS_KEY_ID", "a"),
        ("AWS_SECRET_ACCESS_KEY", "b"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
    ):
        monkeypatch.setenv(variable, value)

    ran = nowhere("announce", "acme-uploads", "--dry-run")

    assert ran.code == 2
    assert "AWS cannot be asked from here: Could not connect" in ran.err
    assert "s3:GetBucketNotification" not in ran.err


def test_a_name_that_no_bucket_has_is_told(nowhere: Beagle) -> None:
    ran = nowhere("announce", "acme uploads", "--dry-run")

    assert (ran.code, "'acme uploads' is not a valid name of a bucket." in ran.err) == (2, True)


def test_without_a_region_the_way_to_name_one_is_told_and_works(
    nowhere: Beagle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """boto3 reads another variable than other tools of AWS."""
    ran = nowhere("letters", "--stack", "beagle")

    assert ran.code == 2
    assert "You must specify a region: set AWS_DEFAULT_REGION, or run `aws configure`." in ran.err
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    assert aws_client("sqs").meta.region_name == "eu-west-1"


def test_replaying_without_a_terminal_is_told_in_the_same_words(beagle: Beagle) -> None:
    ran = beagle("replay")

    assert ran.code == 2
    assert "No terminal to confirm on: pass --yes to proceed, or --dry-run to preview." in ran.err
