"""What each invocation of a deployed function has logged, and whether its process lived to answer."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from beagle.playground.stack import FUNCTION_OUTPUTS, Function, Stack
from e2e.books import Line, lines_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

DEATHS = ("Worker process died", "Task timed out")
"""What the local AWS adds to the log of an invocation that its process did not survive."""
PAGE = 10_000
"""Events in one answer. AWS gives a token that leads to those behind them; the local one gives none."""


@dataclass(frozen=True, slots=True)
class Invocations:
    """A function's invocations, in two heaps."""

    answered: tuple[Line, ...]
    """Their endings: what they name is acknowledged or, where it is `again`, was given back."""
    died: int
    """Those that were not answered: all they were given comes again."""


def read_invocations(stack: Stack, function: Function) -> Invocations:
    """Read a function's whole log; the local AWS gives each invocation a stream of its own."""
    streams: dict[str, list[str]] = defaultdict(list)
    for event in _events(stack, function):
        streams[event["logStreamName"]].append(str(event["message"]))
    # What our functions are given they log an outcome of; without any, the process died as it started.
    answered = [
        lines
        for lines in streams.values()
        if any(line.startswith("{") for line in lines) and not any(line.startswith(DEATHS) for line in lines)
    ]
    endings = tuple(line for lines in answered for line in lines_of(lines))
    return Invocations(endings, len(streams) - len(answered))


def _events(stack: Stack, function: Function) -> Iterator[dict[str, Any]]:
    name = stack.outputs[FUNCTION_OUTPUTS[function]]
    configuration = stack.aws.client("lambda").get_function_configuration(FunctionName=name)
    logs, group, since = stack.aws.client("logs"), configuration["LoggingConfig"]["LogGroup"], 0
    while True:
        page = logs.filter_log_events(logGroupName=group, startTime=since, limit=PAGE)["events"]
        if len(page) < PAGE:
            yield from page
            return
        # The page may end amid the events of one millisecond: the next one begins with all of them.
        since = page[-1]["timestamp"]
        yield from (event for event in page if event["timestamp"] < since)
