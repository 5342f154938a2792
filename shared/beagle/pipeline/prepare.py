"""Prepare: from a notification to an item that waits for registration."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from beagle.domain.errors import BeagleError, UnparsableMessageError, VerdictError
from beagle.domain.events import NotAnObject, ObjectCreated, Unreadable
from beagle.domain.items import ReadyItem
from beagle.domain.outcomes import Ending
from beagle.domain.routes import Routes
from beagle.domain.routing import route_event
from beagle.messages import dump_item, load_event
from beagle.pipeline.account import Account
from beagle.pipeline.bugs import bugs_told
from beagle.pipeline.endings import Endings, Subject
from beagle.pipeline.groups import Groups
from beagle.pipeline.limits import Sparing, Tries, require_time
from beagle.pipeline.passing import Onward, pass_on
from beagle.pipeline.renewal import with_newest_content
from beagle.ports import Journal, Parse, StillMaker

if TYPE_CHECKING:
    from collections.abc import Sequence

    from beagle.domain.events import Announced
    from beagle.domain.outcomes import Outcome
    from beagle.ports import Deadline, Received, Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepare:
    """Turns the notifications of a batch into items, and passes them on."""

    parse: Parse
    routes: Routes
    artifact_prefix: str
    items: Onward
    videos: Onward | None
    """Where videos go to have their artifacts made; None where no route is read-only."""
    artifacts: StillMaker | None
    """Makes the artifacts of every slot that is no video; None where no route is read-only."""
    groups: Groups | None
    tries: Tries
    endings: Endings
    journal: Journal

    def run(self, batch: Sequence[Received], deadline: Deadline) -> Report:
        """Prepare every object of a batch; no message is acknowledged before its objects are passed on."""
        account = Account("prepare", batch, self.journal)
        working = Sparing(deadline)
        finished: list[tuple[Subject, ReadyItem]] = []
        unfinished: list[tuple[Subject, ReadyItem]] = []
        refused: list[tuple[Subject, VerdictError]] = []
        for message in batch:
            for subject, announced in self._read(message, account):
                try:
                    with bugs_told("prepare", self.journal):
                        require_time(deadline)
                        ready = self._ready(announced, subject)
                        if isinstance(ready, ReadyItem):
                            ready = self._with_artifacts(ready, working, first=message.attempts == 1)
                except VerdictError as error:
                    refused.append((subject, error))
                    continue
                except BeagleError as error:
                    account.end(message, self.endings.end(subject, error))
                    continue
                if isinstance(ready, NotAnObject):
                    ignored = self.endings.good(Ending.IGNORED, subject, ready.code, ready.detail)
                    account.end(message, ignored)
                    continue
                passed = replace(subject, item=ready.item, route=ready.route)
                (unfinished if _waits_for_extraction(ready) else finished).append((passed, ready))
        pass_on(self.items, finished, account, self.endings)
        if self.videos is not None:
            pass_on(self.videos, unfinished, account, self.endings)
        for subject, verdict in refused:
            account.end(subject.message, self._refused(subject, verdict, account))
        return account.close()

    def _refused(self, subject: Subject, verdict: VerdictError, account: Account) -> Outcome:
        """Dead-letter an object; not yet while another brings its message again, or each time it would be."""
        if account.comes_again(subject.message):
            return replace(self.endings.again(subject, verdict), retry_in=None)
        return self.endings.end(subject, verdict)

    def _read(self, message: Received, account: Account) -> list[tuple[Subject, Announced]]:
        try:
            with bugs_told("prepare", self.journal):
                notification = load_event(message.body) or self.parse(message.body)
        except BeagleError as error:
            account.announce(message, 1)
            account.end(message, self.endings.end(Subject(message=message), error))
            return []
        account.announce(message, len(notification.announced))
        return [
            (
                Subject(
                    message=replace(message, body=one.raw) if isinstance(one, Unreadable) else message,
                    event=one if isinstance(one, ObjectCreated) else None,
                    replayed=notification.replayed,
                ),
                one,
            )
            for one in notification.announced
        ]

    def _ready(self, announced: Announced, subject: Subject) -> ReadyItem | NotAnObject:
        if isinstance(announced, Unreadable):
            raise UnparsableMessageError(announced.reason)
        if isinstance(announced, NotAnObject):
            return announced
        routed = route_event(self.routes, announced, self.artifact_prefix)
        if isinstance(routed, NotAnObject):
            return routed
        ready = ReadyItem(
            event=announced,
            item=routed.item,
            route=routed.route.name,
            on_overwrite=routed.route.on_overwrite,
            on_name_collision=routed.route.on_name_collision,
            replayed=subject.replayed,
            making=routed.making,
        )
        if routed.route.group and routed.group and self.groups:
            return self.groups.gather(routed.route.group, routed.group, ready)
        return ready

    def _with_artifacts(self, ready: ReadyItem, deadline: Sparing, *, first: bool) -> ReadyItem:
        """Return an item with all artifacts that it needs but those of videos."""
        maker = self.artifacts
        if ready.item.access == "read_write" or maker is None:
            return ready
        # The tries of a series are counted for all its slices together.
        counted = self.tries.counted(dump_item(ready), deadline, first=first)
        with nullcontext() if ready.item.is_series else counted:
            ready, made = with_newest_content(lambda newest: maker.make_stills(newest, deadline), ready)
            return replace(ready, item=made)


def _waits_for_extraction(ready: ReadyItem) -> bool:
    """Say whether an item has a video that lacks its artifacts: those take time, and are made elsewhere."""
    return ready.item.access == "read_only" and any(
        slot.media_type == "video" and slot.artifacts is None for slot in ready.item.slots
    )
