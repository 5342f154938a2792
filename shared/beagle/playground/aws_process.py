"""
The process of the local AWS: ministack, put right where it asks for more than AWS does.

AWS lets `sqs:SendMessage` allow SendMessageBatch too, and knows no action of that name; ministack 1.5.33 asks
for `sqs:SendMessageBatch`. Putting the emulator right keeps the template as it is deployed on AWS.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-api-permissions-reference.html
"""

import os
import signal
import threading
from collections.abc import Callable

from ministack import app  # type: ignore[import-untyped]  # it ships no types
from ministack.core import iam_actions  # type: ignore[import-untyped]


def asking_as_aws_does(ask: Callable[..., str | None]) -> Callable[..., str | None]:
    """Wrap ministack's choice of the action that a request needs."""

    def ask_as_aws_does(*request: object) -> str | None:
        action = ask(*request)
        return action.removesuffix("Batch") if action and action.startswith("sqs:") else action

    return ask_as_aws_does


def end_with_the_parent() -> None:
    """Wait for the end of standard input, which comes however the parent ends; then end the functions too."""
    while os.read(0, 1):
        continue
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    threading.Thread(target=end_with_the_parent, daemon=True).start()
    iam_actions.extract_iam_action = asking_as_aws_does(iam_actions.extract_iam_action)
    app.main()
