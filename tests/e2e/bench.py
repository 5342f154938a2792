"""A deployment whose functions are run by hand, one event at a time, as their own roles."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3

from beagle.domain.events import ObjectCreated, ObjectRef
from beagle.playground.ministack import REGION
from beagle.playground.stack import FUNCTION_OUTPUTS, QUEUE_OUTPUTS, Function, Stack
from e2e.hands import Hands, Instance

if TYPE_CHECKING:
    from beagle.playground.stack import Queue, QueuedMessage
    from e2e.books import Line


@dataclass(slots=True)
class Bench:
    """Keeps one instance of each function; what an event leaves behind is found by names of its own."""

    stack: Stack
    hands: Mapping[Function, Hands]
    variables: Mapping[str, str]
    """What each instance is told besides its deployed environment."""
    files: Mapping[str, bytes]
    """Pictures, documents and videos to upload."""
    refusing: str
    """The address of an AWS that completes no multipart upload."""
    _instances: dict[tuple[Function, str | None], Instance] = field(default_factory=dict)
    _clients: dict[tuple[Function, str], Any] = field(default_factory=dict)
    _log_read: int = 0

    @property
    def bucket(self) -> str:
        """The watched bucket."""
        return self.stack.outputs["SourceBucket"]

    @property
    def state(self) -> str:
        """The state bucket."""
        return self.stack.outputs["StateBucket"]

    def run(
        self, stage: Function, body: str, *, receives: int = 1, endpoint: str | None = None
    ) -> tuple[str, list[Line]]:
        """Take a message through one invocation; return its id, and the outcomes that this one logged."""
        message = uuid.uuid4().hex
        record = {
            "messageId": message,
            "receiptHandle": "none",
            "body": body,
            "attributes": {"ApproximateReceiveCount": str(receives)},
        }
        return message, self.invoke(stage, {"Records": [record]}, endpoint)

    def invoke(self, stage: Function, event: dict[str, Any], endpoint: str | None = None) -> list[Line]:
        """Hand an event to a function; return the outcomes that it logged."""
        if (stage, endpoint) not in self._instances:
            self._instances[stage, endpoint] = self.hands[stage].start(endpoint=endpoint, **self.variables)
        instance = self._instances[stage, endpoint]
        known = len(instance.lines)
        instance.begin(event)
        instance.answer()
        return instance.lines[known:]

    def renew(self, stage: Function) -> None:
        """End a function's instance: the next event finds a new one."""
        if instance := self._instances.pop((stage, None), None):
            assert instance.wait() == 0

    def announced(self, key: str, content: str = "gone", size: int = 1) -> ObjectCreated:
        """Return the event of an object that need not be there."""
        ref = ObjectRef(provider="aws", bucket=self.bucket, key=key)
        now = datetime.fromtimestamp(time.time(), UTC)
        return ObjectCreated(ref=ref, content=content, size=size, occurred_at=now)

    def uploaded(self, file: str, key: str) -> ObjectCreated:
        """Upload one of the files; return its event."""
        data = self.files[file]
        return self.announced(key, self.stack.upload(data, key), len(data))

    def found(self, queue: Queue, *words: str) -> list[QueuedMessage]:
        """Return the messages of a queue that hold some words."""
        messages = self.stack.messages(queue)
        return [message for message in messages if all(word in message.body for word in words)]

    def empty(self, queue: Queue) -> None:
        """Delete all messages of a queue."""
        self.stack.aws.client("sqs").purge_queue(QueueUrl=self.stack.outputs[QUEUE_OUTPUTS[queue]])

    def remembers(self, key: str) -> bool:
        """Say whether an object lies in the state bucket."""
        s3 = self.stack.aws.client("s3")
        return bool(s3.list_objects_v2(Bucket=self.state, Prefix=key)["KeyCount"])

    def configuration(self, stage: Function) -> dict[str, Any]:
        """Return a function's configuration, its role and log group included."""
        client = self.stack.aws.client("lambda")
        found: dict[str, Any] = client.get_function_configuration(
            FunctionName=self.stack.outputs[FUNCTION_OUTPUTS[stage]]
        )
        return found

    def client(self, stage: Function, service: str) -> Any:
        """Return a client that acts as a function's role."""
        if (stage, service) not in self._clients:
            aws = self.stack.aws
            role = aws.client("sts").assume_role(
                RoleArn=self.configuration(stage)["Role"], RoleSessionName="by-hand"
            )
            self._clients[stage, service] = boto3.client(
                service,
                endpoint_url=aws.endpoint,
                region_name=REGION,
                aws_access_key_id=role["Credentials"]["AccessKeyId"],
                aws_secret_access_key=role["Credentials"]["SecretAccessKey"],
                aws_session_token=role["Credentials"]["SessionToken"],
            )
        return self._clients[stage, service]

    def denials(self) -> set[tuple[str, str]]:
        """Return what this stack's roles were refused since this was last asked: actions, and on what."""
        with self.stack.aws.log.open("rb") as log:
            log.seek(self._log_read)
            text = log.read().decode(errors="replace")
            self._log_read = log.tell()
        denied = re.findall(
            rf"^denied (\S+) (.+) to \S+/{re.escape(self.stack.name)}-\S+$", text, re.MULTILINE
        )
        return set(denied)
