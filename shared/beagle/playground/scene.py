"""The whole scene on one machine: a local AWS with the template deployed, and a Darwin behind it.

`beagle demo` and `beagle up` play on it.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from botocore.exceptions import ClientError

from beagle.bootstrap.operator import LocalStack
from beagle.domain.keys import ARTIFACT_PREFIX
from beagle.emulator import DEFAULT_KEY, DEFAULT_TEAM, EmulatedDarwin, Hooks, serve
from beagle.playground.ministack import OWNER, REGION, Ministack
from beagle.playground.outcomes import Ended, parse_ended
from beagle.playground.packaging import build_local, project_root, zip_folder
from beagle.playground.stack import Stack, deploy
from beagle.settings import load_routes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DATASET = "incoming"
BUCKET = STORAGE = "acme-uploads"
ARCHIVE = "acme-archive"
"""The same bucket, by a storage integration that may only read it."""
STACK = "beagle"

Step = Literal["aws", "darwin", "build", "deploy"]


@dataclass(slots=True)
class Scene:
    """What is running. `url` is Darwin's page and address."""

    aws: Ministack
    darwin: EmulatedDarwin
    url: str
    stack: Stack
    folder: Path

    @property
    def local(self) -> LocalStack:
        """What other commands need to know of it."""
        return LocalStack(
            process=os.getpid(),
            stack=self.stack.name,
            endpoint=self.aws.endpoint,
            region=REGION,
            access_key=OWNER,
            uploads_queue=self.stack.outputs["UploadsQueueUrl"],
            dead_letters_queue=self.stack.outputs["DeadLettersQueueUrl"],
            darwin=self.url,
        )

    def redeploy(self, routes: str) -> None:
        """Deploy again, with these routes."""
        self.stack = _deploy(self.aws, _build(self.folder, routes), self.url, routes)

    def outcomes(self) -> list[Ended]:
        """Return what the functions logged about objects, in the order of time."""
        lines = [line for function in self.stack.functions for line in self.stack.logs(function)]
        found = [ended for line in lines if (ended := parse_ended(line))]
        return sorted(found, key=lambda ended: ended.at)

    def tap(self) -> Tap:
        """Listen to what the bucket announces from now on, beside Beagle."""
        sqs, events = self.aws.client("sqs"), self.aws.client("events")
        url = sqs.create_queue(QueueName="what-was-announced")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        pattern = {
            "source": ["aws.s3"],
            "detail-type": ["Object Created"],
            "detail": {
                "bucket": {"name": [BUCKET]},
                "object": {"key": [{"anything-but": {"prefix": ARTIFACT_PREFIX}}]},
            },
        }
        rule = events.put_rule(Name="what-was-announced", EventPattern=json.dumps(pattern))["RuleArn"]
        allow = {
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": rule}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
        events.put_targets(Rule="what-was-announced", Targets=[{"Id": "tap", "Arn": arn}])
        return Tap(self, url)


@dataclass(frozen=True, slots=True)
class Tap:
    """A queue of its own that gets every announcement of the bucket: a second witness."""

    scene: Scene
    url: str

    def drain(self) -> list[str]:
        """Return, once, each announcement since the last call, as it was sent."""
        sqs, bodies = self.scene.aws.client("sqs"), []
        while messages := sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                bodies.append(message["Body"])
                sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        return bodies


@contextmanager
def set_scene(
    folder: Path, *, routes: str = "", tell: Callable[[Step, str], None] = lambda _step, _detail: None
) -> Iterator[Scene]:
    """Run it all, and leave nothing behind but logs in the folder; `tell` hears of each step that is done.

    Without routes the template's parameters say what becomes of objects.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with Ministack(folder) as aws:
        tell("aws", aws.endpoint)
        darwin = EmulatedDarwin.with_defaults(hooks=_hooks(aws))
        darwin.add_storage(ARCHIVE, bucket=BUCKET, readonly=True, region=REGION)
        with serve(darwin) as server:
            tell("darwin", server.url)
            archive = _build(folder, routes)
            tell("build", archive.name)
            stack = _deploy(aws, archive, server.url, routes)
            stack.put_api_key(DEFAULT_KEY)
            tell("deploy", stack.name)
            scene = Scene(aws, darwin, server.url, stack, folder)
            with _announced(scene):
                yield scene


@contextmanager
def _announced(scene: Scene) -> Iterator[None]:
    """Tell other commands where the stack is, for as long as it runs."""
    file = scene.folder / "stack.json"
    mine = scene.local.model_dump_json(indent=2) + "\n"
    file.write_text(mine)
    try:
        yield
    finally:
        if file.is_file() and file.read_text() == mine:  # another may have started since
            file.unlink()


def _build(folder: Path, routes: str) -> Path:
    """Build the functions; each routes file has its own place, so that neither build undoes the other."""
    place = folder / "build" / (hashlib.sha256(routes.encode()).hexdigest()[:8] if routes else "parameters")
    place.mkdir(parents=True, exist_ok=True)
    file = None
    if routes:
        file = place / "routes.yaml"
        file.write_text(routes)
    return zip_folder(build_local(project_root(), place / "aws", routes=file))


def _deploy(aws: Ministack, archive: Path, darwin_url: str, routes: str) -> Stack:
    is_read_only = routes and any(route.access == "read_only" for route in load_routes(routes).routes)
    parameters = {
        "Access": "read_only" if is_read_only else "read_write",
        "Routes": "file" if routes else "parameters",
        "BucketName": BUCKET,
        "CreateBucket": "true",
        "Team": DEFAULT_TEAM,
        "Dataset": DATASET,
        "Storage": STORAGE,
        "DarwinUrl": darwin_url,
    }
    return deploy(aws, project_root() / "template.yaml", archive, parameters, name=STACK)


def _hooks(aws: Ministack) -> Hooks:
    """Let Darwin look into the bucket, as a storage integration does."""
    s3 = aws.client("s3")

    def open_object(bucket: str, key: str) -> bytes | None:
        try:
            data: bytes = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        except ClientError:
            return None
        return data

    def object_exists(bucket: str, key: str) -> bool:
        try:
            s3.head_object(Bucket=bucket, Key=key)
        except ClientError:
            return False
        return True

    return Hooks(object_exists=object_exists, open_object=open_object)
