"""The real template, deployed on the local AWS, and what one does with it: upload, wait, look."""

import hashlib
import io
import json
import re
import time
import urllib.request
import uuid
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from beagle.playground.ministack import REGION, LocalAwsError, Ministack

CODE_BUCKET = "beagle-code"
# Where the template names what `make build` builds: a function's package, a layer.
BUILT = re.compile(r"(?m)^( +)(CodeUri|ContentUri): \.build/(\S+)$")
DEPLOY_SECONDS = 120.0
POLL_SECONDS = 0.05

Queue = Literal["uploads", "videos", "items", "dead_letters"]
Function = Literal["prepare", "extract", "register"]

QUEUE_OUTPUTS: Mapping[Queue, str] = {
    "uploads": "UploadsQueueUrl",
    "videos": "VideosQueueUrl",
    "items": "ItemsQueueUrl",
    "dead_letters": "DeadLettersQueueUrl",
}
FUNCTION_OUTPUTS: Mapping[Function, str] = {
    "prepare": "PrepareFunction",
    "extract": "ExtractFunction",
    "register": "RegisterFunction",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedMessage:
    """A message as it lies in its queue; looking at it does not receive it."""

    message_id: str
    body: str
    receives: int
    visible: bool
    visible_at: int
    """Unix time."""
    attributes: Mapping[str, Any]


class Stack:
    """A deployed template. `outputs` are the template's; without read-only access some are not there."""

    def __init__(self, aws: Ministack, name: str, outputs: Mapping[str, str]) -> None:
        self.aws = aws
        self.name = name
        self.outputs = outputs
        self.queues = tuple(queue for queue, output in QUEUE_OUTPUTS.items() if output in outputs)
        self.functions = tuple(name for name, output in FUNCTION_OUTPUTS.items() if output in outputs)

    def upload(self, source: Path | bytes, key: str, *, content_type: str = "binary/octet-stream") -> str:
        """Put an object into the watched bucket and return its ETag; the bucket announces it."""
        body = source if isinstance(source, bytes) else source.read_bytes()
        answer = self.aws.client("s3").put_object(
            Bucket=self.outputs["SourceBucket"], Key=key, Body=body, ContentType=content_type
        )
        return str(answer["ETag"]).strip('"')

    def announce(self, key: str, *, etag: str, size: int, times: int = 1) -> None:
        """Announce an object once more, under a new event id, as S3 may do: delivery is at least once."""
        bucket = self.outputs["SourceBucket"]
        for number in range(times):
            event = {
                "version": "0",
                "id": str(uuid.uuid4()),
                "detail-type": "Object Created",
                "source": "aws.s3",
                "account": "000000000000",
                "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                "region": REGION,
                "resources": [f"arn:aws:s3:::{bucket}"],
                "detail": {
                    "version": "0",
                    "bucket": {"name": bucket},
                    "object": {"key": key, "size": size, "etag": etag, "sequencer": f"{number:018X}"},
                    "request-id": "C3D13FE58DE4C810",
                    "requester": "000000000000",
                    "source-ip-address": "127.0.0.1",
                    "reason": "PutObject",
                },
            }
            # Only S3 itself may put events of the source aws.s3 on the bus, here as on AWS.
            self.send("uploads", json.dumps(event))

    def send(self, queue: Queue, body: str) -> None:
        """Send a message of one's own."""
        self.aws.client("sqs").send_message(QueueUrl=self.outputs[QUEUE_OUTPUTS[queue]], MessageBody=body)

    def messages(self, queue: Queue) -> list[QueuedMessage]:
        """List what lies in a queue, in flight or not, without receiving it: nobody else notices."""
        url = self.outputs[QUEUE_OUTPUTS[queue]]
        address = f"{self.aws.endpoint}/_ministack/sqs/messages?QueueUrl={quote(url, safe='')}"
        with urllib.request.urlopen(address, timeout=10) as answer:  # noqa: S310 - loopback
            accounts = json.load(answer)["messages"]
        return [
            QueuedMessage(
                message_id=message["MessageId"],
                body=message["Body"],
                receives=message["ReceiveCount"],
                visible=message["IsVisible"],
                visible_at=message["VisibleAt"],
                attributes=message["Attributes"],
            )
            for regions in accounts.values()
            for queues in regions.values()
            for messages in queues.values()
            for message in messages
        ]

    def depth(self, queue: Queue) -> int:
        """Count the messages of a queue, those in flight included."""
        return len(self.messages(queue))

    def wait_until(self, claim: Callable[[], bool], *, seconds: float = 30.0, what: str = "it") -> None:
        """Return as soon as the claim holds; otherwise fail with what the functions logged."""
        deadline = time.monotonic() + seconds
        while not claim():
            if time.monotonic() > deadline:
                depths = {queue: self.depth(queue) for queue in self.queues}
                logs = "\n".join(line for name in self.functions for line in self.logs(name)[-20:])
                raise LocalAwsError(f"{what} did not happen within {seconds:g} s. Queues: {depths}\n{logs}")
            time.sleep(POLL_SECONDS)

    def wait_until_idle(self, *, seconds: float = 30.0) -> None:
        """Return when nothing is queued or in flight before the dead letters."""
        working = [queue for queue in self.queues if queue != "dead_letters"]
        self.wait_until(
            lambda: not any(self.depth(queue) for queue in working), seconds=seconds, what="Idleness"
        )

    def logs(self, function: Function) -> list[str]:
        """Return what a function logged, oldest first."""
        logs = self.aws.client("logs")
        configuration = self.aws.client("lambda").get_function_configuration(
            FunctionName=self._function(function)
        )
        group = configuration["LoggingConfig"]["LogGroup"]
        try:
            pages = list(logs.get_paginator("filter_log_events").paginate(logGroupName=group))
        except logs.exceptions.ResourceNotFoundException:
            return []  # it has not run yet
        return [str(event["message"]).rstrip() for page in pages for event in page["events"]]

    def configure(self, function: Function, **variables: str) -> None:
        """Change environment variables of a deployed function."""
        client = self.aws.client("lambda")
        name = self._function(function)
        environment = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        client.update_function_configuration(
            FunctionName=name, Environment={"Variables": {**environment, **variables}}
        )

    def put_api_key(self, api_key: str) -> None:
        """Fill in the secret that the template created empty."""
        secrets = self.aws.client("secretsmanager")
        secrets.put_secret_value(SecretId=self.outputs["ApiKeySecret"], SecretString=api_key)

    def delete(self) -> None:
        """Delete the stack; the buckets stay, as on AWS."""
        cloudformation = self.aws.client("cloudformation")
        # A deleted stack is found by its id only.
        stack_id = cloudformation.describe_stacks(StackName=self.name)["Stacks"][0]["StackId"]
        cloudformation.delete_stack(StackName=stack_id)
        _await(cloudformation, stack_id, "DELETE_COMPLETE")

    def _function(self, function: Function) -> str:
        return self.outputs[FUNCTION_OUTPUTS[function]]


def deploy(
    aws: Ministack, template: Path, archive: Path, parameters: Mapping[str, str], *, name: str = "beagle"
) -> Stack:
    """
    Create the stack, or update it, from the template and a zip file of the functions; return when it stands.

    What `sam deploy` does, without it: upload the code, point the template at it, have it transformed. All
    functions get the one archive. Layers get an empty one: functions find this machine's programs.
    """
    s3, cloudformation = aws.client("s3"), aws.client("cloudformation")
    s3.create_bucket(Bucket=CODE_BUCKET)
    uploaded = {"CodeUri": _put_code(s3, archive.read_bytes()), "ContentUri": _put_code(s3, _empty_archive())}
    packaged = BUILT.sub(
        lambda found: f"{found[1]}{found[2]}: s3://{uploaded[found[2]]}", template.read_text()
    )
    request = {
        "StackName": name,
        # A request takes 51,200 bytes of template, a bucket more.
        "TemplateURL": f"{aws.endpoint}/{_put_code(s3, packaged.encode())}",
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
    }
    try:
        cloudformation.create_stack(**request)
    except cloudformation.exceptions.AlreadyExistsException:
        _update(cloudformation, request)
    stack = _await(cloudformation, name, "CREATE_COMPLETE", "UPDATE_COMPLETE")
    return Stack(aws, name, {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]})


def _put_code(s3: Any, code: bytes) -> str:  # noqa: ANN401 - a boto3 client
    key = hashlib.sha256(code).hexdigest()
    s3.put_object(Bucket=CODE_BUCKET, Key=key, Body=code)
    return f"{CODE_BUCKET}/{key}"


def _empty_archive() -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as writer:
        writer.writestr(zipfile.ZipInfo("README"), "On the local AWS nothing lies in layers.\n")
    return data.getvalue()


def _update(cloudformation: Any, request: Mapping[str, Any]) -> None:  # noqa: ANN401 - a boto3 client
    try:
        cloudformation.update_stack(**request)
    except cloudformation.exceptions.ClientError as error:
        # CloudFormation has no code of its own for "nothing to do".
        if "No updates are to be performed" not in str(error):
            raise


def _await(cloudformation: Any, name: str, *awaited: str) -> dict[str, Any]:  # noqa: ANN401 - a boto3 client
    deadline = time.monotonic() + DEPLOY_SECONDS
    while True:
        stack: dict[str, Any] = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        status = stack["StackStatus"]
        if status in awaited:
            return stack
        if not status.endswith("_IN_PROGRESS") or time.monotonic() > deadline:
            events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
            reasons = [
                f"{event['LogicalResourceId']}: {event['ResourceStatusReason']}"
                for event in reversed(events)
                if event["ResourceStatus"].endswith("_FAILED") and "ResourceStatusReason" in event
            ]
            raise LocalAwsError(f"The stack {name} is {status}, not {awaited[0]}.\n" + "\n".join(reasons))
        time.sleep(POLL_SECONDS)
