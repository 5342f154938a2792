"""Messages that kill the process that works on them: noticed, worked on alone, and dead-lettered at last.

Of memory, of time, of a crash in a library: nobody is left to say how such an attempt ended. How often the
queue has delivered a message does not tell either, for an outage brings it back as often. So of a message
that keeps coming back, an attempt is written down before it begins, and again once it has ended, however it
ended. What is written down as begun and comes back has killed its process, or had a neighbour that did.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from beagle.domain.errors import BeagleError, CrashLoopError, OutOfTimeError, ServiceError
from beagle.domain.events import ObjectCreated
from beagle.messages import load_event, look_inside
from beagle.pipeline.account import Account
from beagle.pipeline.endings import Endings, Subject
from beagle.ports import Attempts, Journal, Parse, Report, Stage, Trace

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from beagle.ports import Deadline, Received

SILENCE = 3
"""Deliveries, without an attempt that is known to have ended, from which on attempts are written down.

So most messages cost nothing, and those that wait for the end of an outage two writes in three deliveries.
"""
SUSPECT = 2
"""Attempts that never ended, from which on a message is worked on alone: it may kill others no more."""
LIMIT = 5
"""Attempts that never ended, after which there is no further one."""
ALONE = 30.0
"""Seconds that a suspect must find, or running out of time would pass for an end that it never comes to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CrashGuard:
    """A stage that gives up on a message once five attempts in a row began and never ended.

    Only that message is given up: its neighbours die with it in the first four deliveries, and then no more,
    because each of them is worked on before it, or without it.
    """

    stage: Stage
    attempts: Attempts
    endings: Endings
    journal: Journal
    parse: Parse | None = None
    """Reads the stage's messages; None where they are Beagle's own."""

    def run(self, batch: Sequence[Received], deadline: Deadline) -> Report:
        """Take a batch through: first what never died, then the suspects, the least suspected first."""
        traces = self._traces(batch)
        if not traces:
            return self.stage.run(batch, deadline)

        def unended(message: Received) -> int:
            return traces.get(message.id, Trace()).unended

        lost = [message for message in batch if unended(message) >= LIMIT]
        suspects = [message for message in batch if SUSPECT <= unended(message) < LIMIT]
        others = [message for message in batch if unended(message) < SUSPECT]
        account = Account(self.endings.stage, lost, self.journal)
        for message in lost:
            self._bury(message, account)
        reports = [account.close()]
        if others:
            reports.append(self._work(others, traces, deadline))
        for suspect in sorted(suspects, key=unended):
            if deadline.remaining() < ALONE:
                reports.append(self._give_back(suspect))
            else:
                reports.append(self._work([suspect], traces, deadline))
        return Report(
            again={name: wait for report in reports for name, wait in report.again.items()},
            outcomes=tuple(outcome for report in reports for outcome in report.outcomes),
        )

    def _traces(self, batch: Sequence[Received]) -> dict[str, Trace]:
        """Return, by message id, the traces of those whose attempts are to be written down.

        While the state bucket does not answer, none are, and work goes on: an outage of the bucket must not
        become one of stages that can do without it, nor may it count against a message.
        """
        old = [message for message in batch if message.attempts >= SILENCE and message.name]
        try:
            found = self.attempts.read([message.name for message in old]) if old else []
        except ServiceError as error:
            self._tell(error)
            return {}
        return {
            message.id: trace
            for message, trace in zip(old, found, strict=True)
            if trace.unended or message.attempts - trace.delivery >= SILENCE
        }

    def _work(self, messages: Sequence[Received], traces: Mapping[str, Trace], deadline: Deadline) -> Report:
        """Take messages through the stage, written down as begun before and as ended after it."""
        watched = [message for message in messages if message.id in traces]
        self._write([(m.name, Trace(traces[m.id].unended + 1, m.attempts)) for m in watched])
        ended = [(m.name, Trace(0, m.attempts)) for m in watched]
        try:
            report = self.stage.run(messages, deadline)
        except Exception:
            self._write(ended)  # a bug, and somebody lives to tell of it
            raise
        self._write(ended)
        return report

    def _write(self, traces: Sequence[tuple[str, Trace]]) -> None:
        try:
            if traces:
                self.attempts.write(traces)
        except ServiceError as error:
            self._tell(error)

    def _tell(self, error: ServiceError) -> None:
        self.journal.alarm(error.code, f"What kills its process is not noticed: {error}")

    def _bury(self, message: Received, account: Account) -> None:
        """Dead-letter what a message announces; what is written down stays, should this attempt die, too."""
        error = CrashLoopError(
            f"Work on it began {LIMIT} times in a row and never ended: each time it killed the process, by "
            "memory, by time or by a crash."
        )
        subjects = self._subjects(message)
        account.announce(message, len(subjects))
        for subject in subjects:
            account.end(message, self.endings.bury(subject, error))

    def _subjects(self, message: Received) -> list[Subject]:
        """Return what a message is about, as far as its words tell."""
        unknown = Subject(message=message)
        if self.parse is None:
            told = look_inside(message.body)
            return [
                Subject(
                    message=message,
                    event=told.event,
                    item=told.item,
                    route=told.route,
                    replayed=told.replayed,
                )
            ]
        try:
            notification = load_event(message.body) or self.parse(message.body)
        except BeagleError:
            return [unknown]
        events = [event for event in notification.announced if isinstance(event, ObjectCreated)]
        return [replace(unknown, event=event, replayed=notification.replayed) for event in events] or [
            unknown
        ]

    def _give_back(self, message: Received) -> Report:
        """Leave a suspect in its queue; nothing of it has begun."""
        account = Account(self.endings.stage, [message], self.journal)
        account.announce(message, 1)
        error = OutOfTimeError("No time is left to work on it alone.")
        account.end(message, self.endings.again(Subject(message=message), error))
        return account.close()
