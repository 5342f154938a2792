"""What became of one item in a registration request."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from beagle.domain.errors import DarwinError, VerdictError

ALREADY_EXISTS = "ALREADY_EXISTS"
"""Darwin's reason for a name that is taken (docs.v7labs.com, external storage troubleshooting)."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The item stands in the dataset, under this id."""

    item_id: str


@dataclass(frozen=True, slots=True)
class NameTaken:
    """An item of this name stands at this path: whose, only the ledger can tell.

    `after_ambiguity`: an earlier attempt of the same call may have registered it.
    """

    after_ambiguity: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """Darwin will never take the item as it is; the error says why, in Darwin's own words.

    `after_ambiguity`: an earlier attempt of the same call may have registered it all the same.
    """

    error: VerdictError
    after_ambiguity: bool = False


@dataclass(frozen=True, slots=True)
class Postponed:
    """No verdict: the item must be sent again later. `error.committed` tells whether it may be registered."""

    error: DarwinError


Answer = Accepted | NameTaken | Refused | Postponed


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The item that stands at a path and name in Darwin, as far as its list of items tells."""

    item_id: str
    file_names: tuple[str, ...]
    """One for each slot, in Darwin's order."""
    sizes: tuple[int | None, ...]
    """Bytes; None or 0 where Darwin does not say, as for external files."""
    inserted_at: datetime | None = None
    """When it came to stand there, by Darwin's clock; None where Darwin does not say."""
