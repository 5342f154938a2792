"""One round of register: items of different names, and how each of them leaves it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from beagle.domain.answers import Standing
from beagle.domain.errors import (
    BeagleError,
    DarwinError,
    DarwinNotFoundError,
    DarwinStorageFullError,
    DarwinUnauthorizedError,
    SecretUnavailableError,
    ServiceError,
)
from beagle.domain.items import ItemId, ReadyItem
from beagle.pipeline.account import Account
from beagle.pipeline.claims import Attempt
from beagle.pipeline.endings import Endings, Subject
from beagle.pipeline.limits import Sparing
from beagle.ports import Deadline, Journal, Ledger, Received, Registrar

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from beagle.domain.outcomes import Ending, Outcome
    from beagle.ports import Kept, LedgerEntry

_NEEDS_A_PERSON = (
    DarwinUnauthorizedError,
    DarwinNotFoundError,
    DarwinStorageFullError,
    SecretUnavailableError,
)

AT_ONCE = 50
"""Items that are looked at in one request, if their names are not too long."""


def is_final(error: DarwinError) -> bool:
    """Say whether looking again would end the same way: a key may well register, and not list items."""
    return is_refused(error) or type(error) is DarwinError


def is_refused(error: DarwinError) -> bool:
    """Say whether Darwin shows nothing of the dataset to the key, however it is asked."""
    return isinstance(error, DarwinUnauthorizedError | DarwinNotFoundError)


@dataclass(frozen=True, slots=True)
class Work:
    """One message's item, on its way through the stage."""

    message: Received
    ready: ReadyItem
    renamed: bool = False

    @property
    def subject(self) -> Subject:
        """What an outcome or a dead letter says it is about."""
        ready = self.ready
        return Subject(
            message=self.message,
            event=ready.event,
            item=ready.item,
            route=ready.route,
            replayed=ready.replayed,
        )

    @property
    def place(self) -> str:
        """Where its item stands, for a person."""
        item = self.ready.item.id
        return f"{item.path.rstrip('/')}/{item.name} in {item.dataset}"

    @property
    def renames(self) -> bool:
        """Say whether the route wants another name for an item whose name is taken, and it has none yet."""
        return self.ready.on_name_collision == "new_name" and not self.renamed

    def under_another_name(self, distinction: str) -> Work:
        """Return the same work for the name it takes when its own is taken."""
        item = self.ready.item.renamed(distinction)
        return replace(self, ready=replace(self.ready, item=item), renamed=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What the halves of a round share: before the request, and after the answer."""

    registrar: Registrar
    ledger: Ledger
    endings: Endings
    journal: Journal
    account: Account
    deadline: Deadline
    renamed: list[Work] = field(default_factory=list)
    """What must be tried again in a further round, under another name."""
    _seen: dict[ItemId, Standing | DarwinError] = field(default_factory=dict)

    def attempt(self, work: Work) -> Attempt:
        """Return when a POST that is intended now begins, and by when this invocation has ended."""
        now = self.endings.clock.now()
        ends = now + timedelta(seconds=max(self.deadline.remaining(), 0.0))
        return Attempt(now, ends, work.message.name)

    def good(self, work: Work, ending: Ending, code: str = "") -> None:
        """End an item as it should."""
        self.account.end(work.message, self.endings.good(ending, work.subject, code))

    def end(self, work: Work, error: BeagleError) -> None:
        """End an item by its error's class."""
        self.alarm(error)
        self.account.end(work.message, self.endings.end(work.subject, error))

    def alarm(self, error: BeagleError) -> None:
        """Call a person where waiting alone does not help, or nobody knows whether it does."""
        if isinstance(error, _NEEDS_A_PERSON) or type(error) is DarwinError:
            self.journal.alarm(error.code, str(error))

    def look(self, item: ItemId) -> Standing | None:
        """Return what stands in Darwin under an item's name, while there is time to look.

        Raises:
            DarwinError: It cannot be told, or not any more in this invocation; `is_final` says which.

        """
        match self._seen.pop(item, None):
            case None:
                return self.registrar.find(item, Sparing(self.deadline))
            case DarwinError() as error:
                raise error
            case standing:
                return standing

    def look_ahead(self, items: Sequence[ItemId]) -> None:
        """Look at many items at once, just before each is looked at: it need not take a turn of its own then.

        What is not shown among the many is looked for by itself.
        """
        self._seen.clear()
        begun = 0
        while len(items) - begun > 1:
            some = items[begun : begun + AT_ONCE]
            try:
                asked, found = self.registrar.find_many(some, Sparing(self.deadline))
            except DarwinError as error:
                # What Darwin says of a long list, it need not say of one item.
                if is_refused(error):
                    self._seen.update(dict.fromkeys(items[begun:], error))
                return
            self._seen.update(found)
            begun += asked

    def write(self, changes: Iterable[tuple[Work, Kept, LedgerEntry, Outcome]]) -> None:
        """End each item with its outcome once the ledger says so too; until then it comes again."""
        changes = list(changes)
        results = self.ledger.replace([(kept, entry) for _, kept, entry, _ in changes])
        for (work, _, _, outcome), result in zip(changes, results, strict=True):
            if isinstance(result, ServiceError):
                self.end(work, result)
            else:
                self.account.end(work.message, outcome)
