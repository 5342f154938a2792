"""
The process of the local AWS: ministack, put right where it is stricter or more careless than AWS.

AWS lets `sqs:SendMessage` allow SendMessageBatch too, and knows no action of that name; ministack 1.5.33
asks for `sqs:SendMessageBatch`. CloudFormation makes a number of a parameter; ministack leaves an event
source mapping's MaximumConcurrency a text, and then polls nothing. Lambda brings a function as many messages
at once as its mapping's BatchSize says; ministack brings ten at most, and Darwin gets ten times the requests.
CloudWatch loses no line of a function; ministack waits 50 ms for the first, and on a busy machine loses all.
Lambda lets a running invocation end when its function is updated; ministack kills it, and its messages stay
hidden for twelve minutes. Putting the emulator right keeps the template as it is deployed on AWS.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-api-permissions-reference.html

S3 tells who may not list a bucket that a missing object is forbidden, and what is encrypted by a key of the
account's own is open only to those who may use the key; ministack asks for the request's own action alone.
Log streams are asked for below their group, whose ARN then ends in `:*`; ministack asks for the bare group.
https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html
"""

import fcntl
import os
import signal
import termios
import threading
import time
from array import array
from collections.abc import Callable, Iterator
from typing import IO, Any

from ministack import app  # type: ignore[import-untyped]  # it ships no types
from ministack.core import iam_actions, iam_evaluator, lambda_runtime  # type: ignore[import-untyped]
from ministack.services import lambda_svc, s3, secretsmanager, sqs  # type: ignore[import-untyped]

ENCRYPT, DECRYPT = "kms:GenerateDataKey", "kms:Decrypt"
BUCKETS = "arn:aws:s3:::"
OF_STREAMS = {"logs:CreateLogStream", "logs:PutLogEvents"}


def asking_as_aws_does(ask: Callable[..., str | None]) -> Callable[..., str | None]:
    """Wrap ministack's choice of the action that a request needs."""

    def ask_as_aws_does(*request: object) -> str | None:
        action = ask(*request)
        return action.removesuffix("Batch") if action and action.startswith("sqs:") else action

    return ask_as_aws_does


def counting_as_aws_does(limit: Callable[..., int]) -> Callable[..., int]:
    """Wrap ministack's choice of how many batches of a mapping may be worked on at once."""

    def limit_as_aws_does(mapping: dict[str, Any], *others: object) -> int:
        scaling = {name: int(value) for name, value in (mapping.get("ScalingConfig") or {}).items()}
        return limit({**mapping, "ScalingConfig": scaling}, *others)

    return limit_as_aws_does


def filling_batches(receive: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
    """Wrap ministack's receipt of a batch for a mapping, which is of ten messages whatever was asked for."""

    def receive_batch(queue_url: str, size: int | str) -> list[Any]:
        batch: list[Any] = []
        while len(batch) < int(size) and (more := receive(queue_url, int(size) - len(batch))):
            batch += more
        return batch

    return receive_batch


def further_permissions(action: str, arn: str) -> Iterator[tuple[str, str]]:
    """Yield the actions, and on what, that a request must be allowed besides its own."""
    match action:
        case "s3:GetObject" if _is_missing(arn):
            yield "s3:ListBucket", arn.partition("/")[0]
        case "s3:GetObject":
            yield from ((DECRYPT, key) for key in _key_of_bucket(arn))
        case "s3:PutObject":
            yield from ((ENCRYPT, key) for key in _key_of_bucket(arn))
        case "sqs:SendMessage":
            yield from ((need, key) for key in _key_of_queue(arn) for need in (ENCRYPT, DECRYPT))
        case "sqs:ReceiveMessage":
            yield from ((DECRYPT, key) for key in _key_of_queue(arn))
        case "secretsmanager:GetSecretValue":
            yield from ((DECRYPT, key) for key in _key_of_secret(arn))


def enforcing_as_aws_does(enforce: Callable[..., object]) -> Callable[..., object]:
    """Wrap ministack's verdict over a request; every refusal of a permission is a line in its log."""

    def asked(  # noqa: PLR0913, PLR0917 - ministack's own
        access_key: str,
        action: str,
        service: str,
        region: str,
        resource_arn: str = "*",
        service_context: dict[str, object] | None = None,
    ) -> object:
        arn = f"{resource_arn}:*" if action in OF_STREAMS else resource_arn
        denied = enforce(access_key, action, service, region, arn, service_context)
        if isinstance(denied, iam_evaluator.EvalResult):
            print(f"denied {action} {arn} to {denied.principal_arn}", flush=True)  # noqa: T201 - the log
        return denied

    def enforce_as_aws_does(  # noqa: PLR0913, PLR0917 - ministack's own
        access_key: str,
        action: str,
        service: str,
        region: str,
        resource_arn: str = "*",
        service_context: dict[str, object] | None = None,
    ) -> object:
        denied = asked(access_key, action, service, region, resource_arn, service_context)
        for further, arn in () if denied else further_permissions(action, resource_arn):
            denied = denied or asked(access_key, further, further.partition(":")[0], region, arn)
        return denied

    return enforce_as_aws_does


def _is_missing(arn: str) -> bool:
    bucket, _, key = arn.removeprefix(BUCKETS).partition("/")
    return bucket in s3._buckets and key not in s3._buckets[bucket]["objects"]  # noqa: SLF001 - no other way in


def _key_of_bucket(arn: str) -> list[str]:
    bucket = arn.removeprefix(BUCKETS).partition("/")[0]
    default = s3._bucket_default_sse_headers(bucket)  # noqa: SLF001 - as above
    return _only(default.get("x-amz-server-side-encryption-aws-kms-key-id"))


def _key_of_queue(arn: str) -> list[str]:
    queue = sqs._queue_by_arn(arn) or {}  # noqa: SLF001 - as above
    return _only(queue.get("attributes", {}).get("KmsMasterKeyId"))


def _key_of_secret(arn: str) -> list[str]:
    _, secret = secretsmanager._resolve(arn)  # noqa: SLF001 - as above
    return _only((secret or {}).get("KmsKeyId"))


def _only(key: str | None) -> list[str]:
    return [key] if key and key.startswith("arn:") else []


def patient_with_logs(drain: Callable[..., str]) -> Callable[..., str]:
    """Wrap ministack's collection of what an invocation logged: our functions log a line, if they live to."""

    def drain_patiently(worker: Any, **_: float) -> str:  # noqa: ANN401 - ministack ships no types
        process = worker._proc  # noqa: SLF001 - no other way in
        if process is None:  # it has died, and the thread that reads its log ends with the log
            worker._stderr_thread.join(0.5)  # noqa: SLF001 - as above
            return drain(worker, first_line_wait=0.5, idle_confirm=0.05, hard_cap=10.0)
        drained, end, first_line_wait = [], time.monotonic() + 10.0, 5.0
        while True:
            # A silence of 50 ms is the end only if nothing lay in the pipe before it.
            was_empty = not _unread(process.stderr)
            drained.append(drain(worker, first_line_wait=first_line_wait, idle_confirm=0.05, hard_cap=10.0))
            if was_empty or time.monotonic() > end:
                return "\n".join(filter(None, drained))
            first_line_wait = 0.05

    return drain_patiently


def _unread(pipe: IO[str]) -> int:
    """Return how many bytes wait in a pipe."""
    count = array("i", [0])
    fcntl.ioctl(pipe, termios.FIONREAD, count)
    return count[0]


def sparing_the_busy(kill: Callable[[list[Any]], None]) -> Callable[[list[Any]], None]:
    """Wrap ministack's end of outdated instances: one that is at work ends after it."""

    def kill_after_work(worker: Any) -> None:  # noqa: ANN401 - ministack ships no types
        while worker.in_use:
            time.sleep(0.05)
        kill([worker])

    def kill_the_idle(workers: list[Any]) -> None:
        for worker in workers:
            if worker.in_use:
                threading.Thread(target=kill_after_work, args=(worker,), daemon=True).start()
        kill([worker for worker in workers if not worker.in_use])

    return kill_the_idle


def end_with_the_parent() -> None:
    """Wait for the end of standard input, which comes however the parent ends; then end the functions too."""
    while os.read(0, 1):
        continue
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    threading.Thread(target=end_with_the_parent, daemon=True).start()
    iam_actions.extract_iam_action = asking_as_aws_does(iam_actions.extract_iam_action)
    iam_evaluator.enforce = enforcing_as_aws_does(iam_evaluator.enforce)
    limit = lambda_svc._sqs_esm_concurrency  # noqa: SLF001 - there is no other place for it
    lambda_svc._sqs_esm_concurrency = counting_as_aws_does(limit)  # noqa: SLF001 - as above
    receive = sqs._receive_messages_for_esm  # noqa: SLF001 - as above
    sqs._receive_messages_for_esm = filling_batches(receive)  # noqa: SLF001 - as above
    drain = lambda_runtime.Worker._drain_stderr_bounded  # noqa: SLF001 - as above
    lambda_runtime.Worker._drain_stderr_bounded = patient_with_logs(drain)  # noqa: SLF001 - as above
    lambda_runtime.kill_workers = sparing_the_busy(lambda_runtime.kill_workers)
    app.main()
