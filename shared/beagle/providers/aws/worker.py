"""A Lambda function's work: batch in, stage, partial batch response out, outcomes logged and counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, Self

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics

from beagle.domain.errors import BugError, DarwinThrottledError, GroupWaitingError
from beagle.domain.outcomes import Ending
from beagle.ports import Stage
from beagle.providers.aws.queue import SqsSource
from beagle.providers.journal import fields_of

if TYPE_CHECKING:
    from beagle.domain.outcomes import Outcome


_TAKEN = (Ending.REGISTERED, Ending.ALREADY_REGISTERED)
"""The endings in which Darwin did not ask to slow down."""


class LambdaContext(Protocol):
    """The part of Lambda's context that is used."""

    def get_remaining_time_in_millis(self) -> int:
        """Return milliseconds until Lambda ends the invocation."""


@dataclass(frozen=True, slots=True)
class LambdaDeadline:
    """How long the invocation may still work."""

    context: LambdaContext

    def remaining(self) -> float:
        """Return seconds."""
        return self.context.get_remaining_time_in_millis() / 1000


@dataclass(slots=True)
class CloudWatchJournal:
    """Writes a JSON log line for each outcome; for each invocation, a metric an ending, and a reason to wait.

    The template's alarms read three more: `person_needed`; `throttled_percent` of what Darwin was sent; and
    `waited_seconds`, for how long the oldest of what must come again is in its queue by now. SQS's own age
    leaves out what was received three times; this one, what waits for the rest of its group, as it should.
    Object keys go into log fields only: never into messages or metric dimensions.
    """

    logger: Logger
    metrics: EphemeralMetrics
    _counts: Counter[str] = field(default_factory=Counter)
    _waits: list[float] = field(default_factory=list)
    _alarmed: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, stage: str, deployment: str) -> Self:
        """Return the journal of a stage; the deployment's name tells its metrics from other stacks' here."""
        metrics = EphemeralMetrics(namespace="Beagle", service=stage)
        if deployment:
            metrics.set_default_dimensions(deployment=deployment)
        return cls(Logger(service=stage), metrics)

    def note(self, stage: str, outcome: Outcome) -> None:
        """Write one outcome of a stage down."""
        self._counts[outcome.ending] += 1
        if outcome.ending is Ending.AGAIN and outcome.code:
            self._counts[outcome.code] += 1
        if outcome.waited is not None and outcome.code != GroupWaitingError.code:
            self._waits.append(outcome.waited)
        self.logger.info("object ended", extra=fields_of(stage, outcome))

    def alarm(self, code: str, message: str) -> None:
        """Say once an invocation that a service, not an object, is in trouble."""
        if code not in self._alarmed:
            self._alarmed.add(code)
            self._counts["person_needed"] += 1
            self.logger.error("a person must act", extra={"code": code, "detail": message})

    def bug(self, stage: str, error: Exception) -> None:
        """Write down, with its traceback, an exception that nobody expected, and call a person."""
        fields = {"stage": stage, "code": BugError.code}
        self.logger.error("unexpected exception", exc_info=error, extra=fields)
        self.alarm(BugError.code, f"{stage}: {type(error).__name__}")

    def flush(self) -> None:
        """Write the invocation's metrics."""
        for name, count in self._counts.items():
            self.metrics.add_metric(name=name, unit="Count", value=count)
        throttled = self._counts[DarwinThrottledError.code]
        if sent := throttled + sum(self._counts[ending] for ending in _TAKEN):
            self.metrics.add_metric(name="throttled_percent", unit="Percent", value=100 * throttled / sent)
        if self._waits:
            self.metrics.add_metric(name="waited_seconds", unit="Seconds", value=max(self._waits))
        if self._counts:  # Powertools warns of metrics without any
            self.metrics.flush_metrics()
        self._counts.clear()
        self._waits.clear()
        self._alarmed.clear()


@dataclass(frozen=True, slots=True)
class Worker:
    """One function."""

    stage: Stage
    source: SqsSource
    journal: CloudWatchJournal
    segment: Callable[[], AbstractContextManager[object]] = nullcontext
    """Opens the stage's part of a trace."""

    def answer(self, event: dict[str, Any], context: LambdaContext) -> dict[str, list[dict[str, str]]]:
        """Take the batch of one invocation through the stage; name the messages that must come again."""
        try:
            with self.segment():
                report = self.stage.run(self.source.batch(event), LambdaDeadline(context))
        finally:
            self.journal.flush()
        return self.source.answer(event, report)
