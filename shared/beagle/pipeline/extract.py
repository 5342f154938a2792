"""Extract: the artifacts of read-only videos, made where there is time and memory for them.

A video that does not fit into one invocation is split: each part is a message of its own in the same queue,
and whoever finishes the last one joins them. Nobody counts: every finished part is written down, and the item
goes on when all of them are there. Two that finish at once both send it; the ledger registers it once.

What stands registered already, and is announced once more, is not made again: it may cost an hour.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from beagle.domain.errors import BeagleError, QueueUnavailableError, SupersededError
from beagle.domain.items import ReadyItem, ReadyPart
from beagle.domain.outcomes import Ending
from beagle.messages import dump_part, load_item, load_part
from beagle.pipeline.account import Account
from beagle.pipeline.bugs import bugs_told
from beagle.pipeline.claims import decide
from beagle.pipeline.endings import Endings, Subject
from beagle.pipeline.limits import Sparing, Tries, require_time
from beagle.pipeline.passing import Onward, pass_on
from beagle.pipeline.renewal import renewed, with_newest_content
from beagle.ports import ArtifactMaker, Journal, Kept, Ledger, Outbox, PartResults, Split

if TYPE_CHECKING:
    from collections.abc import Sequence

    from beagle.ports import Deadline, Received, Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Extract:
    """Makes what read-only storage needs for each item of a batch, and passes the items on."""

    artifacts: ArtifactMaker
    results: PartResults
    ledger: Ledger
    """Only read."""
    items: Onward
    videos: Outbox
    """The stage's own queue, for the parts of what is split."""
    tries: Tries
    endings: Endings
    journal: Journal

    def run(self, batch: Sequence[Received], deadline: Deadline) -> Report:
        """Extract every item; no message is acknowledged before its artifacts and its item are durable."""
        account = Account("extract", batch, self.journal)
        working = Sparing(deadline)
        done = []
        for message in batch:
            account.announce(message, 1)
            subject = Subject(message=message)
            try:
                with bugs_told("extract", self.journal):
                    body = self.items.unpacked(message.body)
                    part = load_part(body)
                    ready = part.ready if part else load_item(body)
                    subject = replace(
                        subject,
                        event=ready.event,
                        item=ready.item,
                        route=ready.route,
                        replayed=ready.replayed,
                    )
                    require_time(deadline)
                    if part is None and self._is_registered(ready):
                        account.end(message, self.endings.good(Ending.ALREADY_REGISTERED, subject))
                        continue
                    with self.tries.counted(body, working, first=message.attempts == 1):
                        finished = self._part(part, working) if part else self._whole(ready, working)
            except BeagleError as error:
                account.end(message, self.endings.end(subject, error))
            else:
                if finished is None:
                    account.end(message, self.endings.good(Ending.PASSED_ON, subject, "in_parts"))
                else:
                    done.append((replace(subject, item=finished.item), finished))
        pass_on(self.items, done, account, self.endings)
        return account.close()

    def _is_registered(self, ready: ReadyItem) -> bool:
        """Say whether register would find nothing left to do; where the ledger does not answer, it may."""
        [kept] = self.ledger.read([ready.item.id])
        return isinstance(kept, Kept) and decide(kept.entry, ready) == "already_registered"

    def _whole(self, ready: ReadyItem, deadline: Deadline) -> ReadyItem | None:
        """Return the item with its artifacts; None once its parts are queued."""
        ready, made = with_newest_content(lambda newest: self.artifacts.make(newest, deadline), ready)
        if not isinstance(made, Split):
            return replace(ready, item=made)
        plan = _name_of(made)
        parts = [
            dump_part(ReadyPart(ready=ready, slot=made.slot, part=part, plan=plan)) for part in made.parts
        ]
        if self.videos.send([self.items.fit(ready.event, part) for part in parts]):
            raise QueueUnavailableError("The queue did not take all parts of the video.")
        return None

    def _part(self, part: ReadyPart, deadline: Deadline) -> ReadyItem | None:
        """Return the item if this was the last part that was missing, and nothing else of it is."""
        ready, number, parts = part.ready, part.part["number"], part.part["parts"]
        if not part.plan:  # an older Beagle cut it, and kept its parts where nobody looks any more
            return self._whole(ready, deadline)
        slot = ready.item.slots[part.slot]
        # What another version of Beagle cut elsewhere, or a changed route made of it, is another video.
        video = (ready.event.ref.provider, slot.storage_key, slot.content, part.plan, ready.asked)
        kept = self.results.kept(video)
        if all(result["number"] != number for result in kept):
            try:
                result = self.artifacts.make_part(part, deadline)
            except SupersededError as error:
                return self._whole(renewed(ready, error), deadline)
            self.results.keep(video, number, result)
            kept = self.results.kept(video)
        if len(kept) < parts:
            return None
        joined = replace(ready, item=self.artifacts.join(ready, part.slot, kept, deadline))
        if any(slot.artifacts is None for slot in joined.item.slots):
            return self._whole(joined, deadline)  # further videos of the item
        return joined


def _name_of(plan: Split) -> str:
    """Return what all parts of a plan share, and no part of another: where the cuts lie."""
    return hashlib.sha256(json.dumps(plan.parts, sort_keys=True).encode()).hexdigest()[:16]
