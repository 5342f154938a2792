"""What AWS does around a function as the function's role; here the role does it by hand.

The local AWS does these things as nobody, so that they are needed is AWS's word, not what was seen:
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html (the queue),
https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html (the log),
https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html (traces).
"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from beagle.playground.stack import QUEUE_OUTPUTS
from e2e.exercises import new
from e2e.hands import SOURCES

if TYPE_CHECKING:
    from collections.abc import Callable

    from beagle.playground.stack import Function
    from e2e.bench import Bench


def is_allowed(call: Callable[..., object], **arguments: Any) -> bool:
    """Say whether a call goes through; any other trouble than a missing permission is raised."""
    try:
        call(**arguments)
    except ClientError as error:
        if "AccessDenied" not in error.response["Error"]["Code"]:
            raise
        return False
    return True


def receives(bench: Bench, stage: Function) -> bool:
    url = bench.stack.outputs[QUEUE_OUTPUTS[SOURCES[stage]]]
    return is_allowed(bench.client(stage, "sqs").receive_message, QueueUrl=url)


def deletes(bench: Bench, stage: Function) -> bool:
    bench.stack.send(SOURCES[stage], new())
    [record] = bench.hands[stage].receive(1)["Records"]
    url = bench.stack.outputs[QUEUE_OUTPUTS[SOURCES[stage]]]
    delete = bench.client(stage, "sqs").delete_message
    return is_allowed(delete, QueueUrl=url, ReceiptHandle=record["receiptHandle"])


def looks_at_the_queue(bench: Bench, stage: Function) -> bool:
    url = bench.stack.outputs[QUEUE_OUTPUTS[SOURCES[stage]]]
    look = bench.client(stage, "sqs").get_queue_attributes
    return is_allowed(look, QueueUrl=url, AttributeNames=["QueueArn"])


def opens_a_log_stream(bench: Bench, stage: Function) -> bool:
    group = bench.configuration(stage)["LoggingConfig"]["LogGroup"]
    create = bench.client(stage, "logs").create_log_stream
    return is_allowed(create, logGroupName=group, logStreamName=new())


def writes_log_events(bench: Bench, stage: Function) -> bool:
    group, stream = bench.configuration(stage)["LoggingConfig"]["LogGroup"], new()
    bench.stack.aws.client("logs").create_log_stream(logGroupName=group, logStreamName=stream)
    put = bench.client(stage, "logs").put_log_events
    events = [{"timestamp": int(time.time() * 1000), "message": "{}"}]
    return is_allowed(put, logGroupName=group, logStreamName=stream, logEvents=events)


def may(action: str, bench: Bench, stage: Function) -> bool:
    """There is no X-Ray here to be asked, so IAM is: its simulator decides as it would decide itself."""
    answer = bench.stack.aws.client("iam").simulate_principal_policy(
        PolicySourceArn=bench.configuration(stage)["Role"], ActionNames=[action]
    )
    [result] = answer["EvaluationResults"]
    return bool(result["EvalDecision"] == "allowed")


sends_traces = partial(may, "xray:PutTraceSegments")
sends_telemetry = partial(may, "xray:PutTelemetryRecords")
