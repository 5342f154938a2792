"""A bucket that exists starts to announce its objects, and loses nothing that it had set up."""

import json
import uuid
from typing import Any

import pytest

from beagle.playground.ministack import Ministack
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
    assert "--yes" in ran.err
    assert bucket.told() == {}


def test_a_bucket_that_is_not_there_is_named(beagle: Beagle, bucket: Bucket) -> None:
    """The message says what it takes."""
    ran = beagle("announce", f"{bucket.name}-not", "--yes")

    assert ran.code == 2
    assert f"{bucket.name}-not" in ran.err
    assert "NoSuchBucket" in ran.err
