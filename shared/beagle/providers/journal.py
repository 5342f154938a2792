"""What a function writes down of each object, in JSON, where the provider keeps logs."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from beagle.domain.errors import BugError

if TYPE_CHECKING:
    from beagle.domain.outcomes import Outcome


@dataclass(frozen=True, slots=True)
class LogJournal:
    """Writes a line for each outcome; metrics are counted from the lines by who keeps them.

    Object keys go into fields only, never into messages: what counts lines need not know them. A line is
    written at once, so that nothing is lost with an instance.
    """

    deployment: str
    write: Callable[[str, str], None]
    """Takes a severity, INFO or ERROR, and a line of JSON."""

    def note(self, stage: str, outcome: Outcome) -> None:
        """Write one outcome of a stage down."""
        self._line("INFO", "object ended", fields_of(stage, outcome))

    def alarm(self, code: str, message: str) -> None:
        """Say that a service, not an object, is in trouble."""
        self._line("ERROR", "a person must act", {"code": code, "detail": message})

    def bug(self, stage: str, error: Exception) -> None:
        """Write down, with its traceback, an exception that nobody expected, and call a person."""
        trace = "".join(traceback.format_exception(error))
        self._line(
            "ERROR", "unexpected exception", {"stage": stage, "code": BugError.code, "stack_trace": trace}
        )
        self.alarm(BugError.code, f"{stage}: {type(error).__name__}")

    def _line(self, severity: str, message: str, fields: dict[str, Any]) -> None:
        line = {"severity": severity, "message": message, "deployment": self.deployment, **fields}
        self.write(severity, json.dumps(line, ensure_ascii=False))


def fields_of(stage: str, outcome: Outcome) -> dict[str, Any]:
    """Return what a log says of an outcome; what there is nothing to say of is left out."""
    fields: dict[str, Any] = {
        "stage": stage,
        "ending": str(outcome.ending),
        "code": outcome.code,
        "detail": outcome.detail,
        "retry_in": outcome.retry_in,
        "waited": outcome.waited,
    }
    if outcome.ref:
        fields |= {
            "provider": outcome.ref.provider,
            "bucket": outcome.ref.bucket,
            "key": outcome.ref.key,
            "content": outcome.content,
        }
    if outcome.item:
        fields |= {"dataset": outcome.item.dataset, "path": outcome.item.path, "item": outcome.item.name}
    return {name: value for name, value in fields.items() if value}
