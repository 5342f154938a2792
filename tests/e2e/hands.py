"""A deployed function run by hand: real processes of it, which are given its queue's messages."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from beagle.playground.ministack import REGION
from beagle.playground.stack import FUNCTION_OUTPUTS, QUEUE_OUTPUTS, Function, Queue, Stack
from e2e.books import Line, lines_of
from support.logs import read_log

RUNTIME = Path(__file__).with_name("runtime.py")
SOURCES: dict[Function, Queue] = {"prepare": "uploads", "extract": "videos", "register": "items"}
ANSWER_SECONDS = 60.0


class Instance:
    """One process of a function: the deployed code, environment and role."""

    def __init__(self, command: list[str], environment: dict[str, str], log: Path) -> None:
        self._log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=output
            )

    def begin(self, event: dict[str, Any]) -> None:
        """Hand it an event, and do not wait for its answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(event).encode() + b"\n")
        self._process.stdin.flush()

    def answer(self, seconds: float = ANSWER_SECONDS) -> dict[str, Any]:
        """Return its answer, as Lambda would read it; without one in time it is killed, as by Lambda."""
        assert self._process.stdout is not None
        giving_up = threading.Timer(seconds, self._process.kill)
        giving_up.start()
        try:
            line = self._process.stdout.readline()
        finally:
            giving_up.cancel()
        assert line, f"No answer.\n{self.log}"
        answer = json.loads(line)
        assert isinstance(answer, dict)
        return answer

    def kill(self) -> int:
        """End it as the machine's own end would; return how it ended."""
        self._process.send_signal(signal.SIGKILL)
        return self.wait()

    def wait(self) -> int:
        """Let it end, and return how."""
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            with contextlib.suppress(BrokenPipeError):
                stream.close()
        return self._process.wait(ANSWER_SECONDS)

    @property
    def id(self) -> int:
        """The process's number."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it is still there."""
        return self._process.poll() is None

    @property
    def log(self) -> str:
        """What it has logged so far."""
        return read_log(self._log)

    @property
    def lines(self) -> list[Line]:
        """The outcomes it has logged so far."""
        return lines_of(self.log.splitlines())


class Hands:
    """Does for one function what the platform does: starts it, brings it messages, acknowledges them."""

    def __init__(self, stack: Stack, function: Function, code: Path, folder: Path) -> None:
        self._stack = stack
        self._function = function
        self._code = code
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._instances: list[Instance] = []
        self._queue = stack.outputs[QUEUE_OUTPUTS[SOURCES[function]]]
        self._name = stack.outputs[FUNCTION_OUTPUTS[function]]
        self._switch(enabled=False)

    def start(self, *, endpoint: str | None = None, seconds: int | None = None, **variables: str) -> Instance:
        """
        Start a process of the function.

        `endpoint` is another way to AWS than the direct one, `seconds` another limit than the deployed one.
        """
        aws = self._stack.aws
        configuration = aws.client("lambda").get_function_configuration(FunctionName=self._name)
        role = aws.client("sts").assume_role(RoleArn=configuration["Role"], RoleSessionName="by-hand")
        module, _, _ = configuration["Handler"].partition(".")
        environment = {
            "PATH": os.environ["PATH"],  # noqa: TID251 - the machine's, for the process that is started
            "AWS_ACCESS_KEY_ID": role["Credentials"]["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": role["Credentials"]["SecretAccessKey"],
            "AWS_SESSION_TOKEN": role["Credentials"]["SessionToken"],
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": endpoint or aws.endpoint,
            **configuration["Environment"]["Variables"],
            **variables,
        }
        limit = str(seconds or configuration["Timeout"])
        command = [sys.executable, str(RUNTIME), str(self._code), module, limit]
        log = self._folder / f"{len(self._instances)}.log"
        self._instances.append(Instance(command, environment, log))
        return self._instances[-1]

    def receive(self, messages: int) -> dict[str, Any]:
        """Take that many messages from the queue, as one event."""
        records: list[dict[str, Any]] = []
        for _ in range(50):
            records += self.take(messages - len(records))["Records"]
            if len(records) == messages:
                break
        assert len(records) == messages
        return {"Records": records}

    def take(self, most: int) -> dict[str, Any]:
        """Take at most that many messages, as one event; none where none comes within a second."""
        received = self._stack.aws.client("sqs").receive_message(
            QueueUrl=self._queue,
            MaxNumberOfMessages=min(10, most),
            WaitTimeSeconds=1,
            MessageSystemAttributeNames=["All"],
        )
        return {
            "Records": [
                {
                    "messageId": message["MessageId"],
                    "receiptHandle": message["ReceiptHandle"],
                    "body": message["Body"],
                    "attributes": message["Attributes"],
                    "eventSource": "aws:sqs",
                    "awsRegion": REGION,
                }
                for message in received.get("Messages", ())
            ]
        }

    def redeliver(self, event: dict[str, Any]) -> dict[str, Any]:
        """Let the visibility time-out of an event's messages pass, and take them from the queue again."""
        for record in event["Records"]:
            self._stack.aws.client("sqs").change_message_visibility(
                QueueUrl=self._queue, ReceiptHandle=record["receiptHandle"], VisibilityTimeout=0
            )
        return self.receive(len(event["Records"]))

    def acknowledge(self, event: dict[str, Any], answer: dict[str, Any]) -> None:
        """Delete the messages that an answer does not name, as the platform does."""
        kept = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
        for record in event["Records"]:
            if record["messageId"] not in kept:
                self._stack.aws.client("sqs").delete_message(
                    QueueUrl=self._queue, ReceiptHandle=record["receiptHandle"]
                )

    def run(self, event: dict[str, Any], **variables: str) -> Instance:
        """Take an event through a process of its own, and acknowledge it; return the ended process."""
        instance = self.start(**variables)
        instance.begin(event)
        self.acknowledge(event, instance.answer())
        assert instance.wait() == 0
        return instance

    def close(self) -> None:
        """End what still runs, and give the queue back to the platform."""
        for instance in self._instances:
            if instance.running:
                instance.kill()
        self._switch(enabled=True)

    def _switch(self, *, enabled: bool) -> None:
        client = self._stack.aws.client("lambda")
        arn = self._stack.aws.client("sqs").get_queue_attributes(
            QueueUrl=self._queue, AttributeNames=["QueueArn"]
        )["Attributes"]["QueueArn"]
        [mapping] = client.list_event_source_mappings(EventSourceArn=arn)["EventSourceMappings"]
        client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=enabled)
