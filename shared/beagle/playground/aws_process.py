"""
The process of the local AWS: ministack, put right where it is stricter or more careless than AWS.

AWS lets `sqs:SendMessage` allow SendMessageBatch too, and knows no action of that name; ministack 1.5.33
asks for `sqs:SendMessageBatch`. CloudFormation makes a number of a parameter; ministack leaves an event
source mapping's MaximumConcurrency a text, and then polls nothing. CloudWatch loses no line of a function;
ministack waits 50 ms for the first, and on a busy machine loses all. Putting the emulator right keeps the
template as it is deployed on AWS.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-api-permissions-reference.html
"""

import os
import signal
import threading
from collections.abc import Callable
from typing import Any

from ministack import app  # type: ignore[import-untyped]  # it ships no types
from ministack.core import iam_actions, lambda_runtime  # type: ignore[import-untyped]
from ministack.services import lambda_svc  # type: ignore[import-untyped]


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


def patient_with_logs(drain: Callable[..., str]) -> Callable[..., str]:
    """Wrap ministack's collection of what an invocation logged: our functions log a line at least."""

    def drain_patiently(worker: object, **_: float) -> str:
        return drain(worker, first_line_wait=5.0, idle_confirm=0.05, hard_cap=10.0)

    return drain_patiently


def end_with_the_parent() -> None:
    """Wait for the end of standard input, which comes however the parent ends; then end the functions too."""
    while os.read(0, 1):
        continue
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    threading.Thread(target=end_with_the_parent, daemon=True).start()
    iam_actions.extract_iam_action = asking_as_aws_does(iam_actions.extract_iam_action)
    limit = lambda_svc._sqs_esm_concurrency  # noqa: SLF001 - there is no other place for it
    lambda_svc._sqs_esm_concurrency = counting_as_aws_does(limit)  # noqa: SLF001 - as above
    drain = lambda_runtime.Worker._drain_stderr_bounded  # noqa: SLF001 - as above
    lambda_runtime.Worker._drain_stderr_bounded = patient_with_logs(drain)  # noqa: SLF001 - as above
    app.main()
