"""The processes of deployed functions on the local AWS, and their end by `kill -9`."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from beagle.playground.stack import FUNCTION_OUTPUTS, Function, Stack
from e2e.invocations import read_invocations
from support.processes import descendants

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

WATCH_SECONDS = 0.02
AGAIN_SECONDS = 1.0


def kill_instances(stack: Stack, function: Function) -> int:
    """End every process of a function as its machine's own end would; return how many there were."""
    name = f"AWS_LAMBDA_FUNCTION_NAME={stack.outputs[FUNCTION_OUTPUTS[function]]}".encode()
    process = stack.aws._process
    assert process is not None
    killed = 0
    for pid in descendants(process.pid):
        with suppress(OSError):  # it has ended meanwhile
            if name in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
                os.kill(pid, signal.SIGKILL)
                killed += 1
    return killed


@contextmanager
def killing(
    stack: Stack, steps: Sequence[int], progress: Mapping[Function, Callable[[], int]]
) -> Iterator[Counter[Function]]:
    """
    Meanwhile kill each function's processes whenever its progress has come a step further; count them.

    They may have been idle: they are killed again, until an invocation has died of it.
    """
    killed = Counter[Function]()
    due = {function: list(steps) for function in progress}
    died: dict[Function, int] = {}
    """How many invocations had before the step that a function is at."""
    last = dict.fromkeys(due, 0.0)
    over = threading.Event()

    def watch() -> None:
        while not over.wait(WATCH_SECONDS):
            for function, ahead in due.items():
                if ahead and progress[function]() >= ahead[0]:
                    pursue(function, ahead)

    def pursue(function: Function, ahead: list[int]) -> None:
        if time.monotonic() < last[function] + AGAIN_SECONDS:
            return
        so_far = read_invocations(stack, function).died
        if so_far > died.setdefault(function, so_far):
            ahead.pop(0)
            del died[function]
            return
        killed[function] += kill_instances(stack, function)
        last[function] = time.monotonic()

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield killed
    finally:
        over.set()
        watcher.join()
