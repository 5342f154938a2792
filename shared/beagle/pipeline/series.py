"""A series on read-only storage is drawn once, though each of its slices has a message that asks for it.

Whoever begins writes that down; the others wait for the end, and find the item, or why there is none. Who
died leaves only the beginning behind, after which the next one tries.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from beagle.domain.errors import (
    DecoderStoppedError,
    EmptyObjectError,
    GroupWaitingError,
    MediaTooLargeError,
    MediaTooSlowError,
    OutOfTimeError,
    UnreadableMediaError,
    UnsupportedMediaError,
    VerdictError,
)
from beagle.messages import dump_item, load_item
from beagle.pipeline.limits import TRIES
from beagle.ports import Clock, PartResults, StillMaker

if TYPE_CHECKING:
    from collections.abc import Sequence

    from beagle.domain.items import Item, ReadyItem
    from beagle.ports import Deadline

LONGEST = timedelta(minutes=6)
"""No invocation of prepare takes longer on any provider: who has not ended by then is dead."""
LOOK_AGAIN = 60.0
"""Seconds between two looks of those who wait."""
_OF_ALL: dict[str, type[VerdictError]] = {
    error.code: error
    for error in (
        EmptyObjectError,
        MediaTooLargeError,
        MediaTooSlowError,
        UnreadableMediaError,
        UnsupportedMediaError,
    )
}
"""Verdicts that hold for the whole series, whichever slice's message asked."""


@dataclass(frozen=True, slots=True)
class SeriesOnce:
    """A maker of artifacts that makes those of a series once for all its slices."""

    maker: StillMaker
    attempts: PartResults
    """What is known of every attempt at a series, by its number."""
    clock: Clock

    def make_stills(self, ready: ReadyItem, deadline: Deadline) -> Item:
        """Return the item; raises what its first attempt raised, or `GroupWaitingError` while that lasts."""
        if not ready.item.is_series:
            return self.maker.make_stills(ready, deadline)
        # The same for every slice, until one is added or replaced, the route changes, or it is replayed.
        series = ("series", dump_item(replace(ready, event=ready.claimant)))
        past = [attempt for attempt in self.attempts.kept(series) if not attempt.get("excused")]
        for attempt in past:
            if made := attempt.get("made"):
                return load_item(made).item
            if verdict := attempt.get("verdict"):
                raise _OF_ALL[verdict](attempt["reason"])
        me = ready.event.ref.key
        self._require_turn(past, me)
        attempt = {"by": me, "begun": self.clock.now().isoformat()}
        self.attempts.keep(series, len(past), attempt)
        try:
            item = self.maker.make_stills(ready, deadline)
        except (OutOfTimeError, DecoderStoppedError):
            raise  # it counts: the series may be the reason
        except Exception as error:
            # The next attempt takes the number of one that says nothing of the series: an outage costs none.
            told: dict[str, Any] = {"excused": True}
            if isinstance(error, VerdictError) and error.code in _OF_ALL:
                told = {"verdict": error.code, "reason": str(error)}
            self.attempts.keep(series, len(past), {**attempt, **told})
            raise
        made = dump_item(replace(ready, event=ready.claimant, item=item))
        self.attempts.keep(series, len(past), {**attempt, "made": made})
        return item

    def _require_turn(self, past: Sequence[dict[str, Any]], me: str) -> None:
        if len(past) >= TRIES:
            raise MediaTooSlowError(f"Drawing the series was begun {len(past)} times, and never ended.")
        if past and past[-1]["by"] != me:
            since = self.clock.now() - datetime.fromisoformat(past[-1]["begun"])
            if since < LONGEST:
                raise GroupWaitingError(
                    f"The series is being drawn for {past[-1]['by']}.", retry_after=LOOK_AGAIN
                )
