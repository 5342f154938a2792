"""The one boundary at which exceptions that nobody expected stop: a bug that one message shows."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from beagle.domain.errors import BeagleError, BugError
from beagle.pipeline.account import ConservationError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from beagle.ports import Journal


@contextmanager
def bugs_told(stage: str, journal: Journal) -> Iterator[None]:
    """Tell the journal of a bug, with its traceback, and raise it as an error that one message has.

    So it holds up the message that shows it, which stays queued until the bug is mended, and not the others
    of its batch. A `ConservationError` passes: after it nothing of the batch may be acknowledged.

    Raises:
        BugError: Instead of any exception that is none of ours.

    """
    try:
        yield
    except (BeagleError, ConservationError):
        raise
    except Exception as error:
        journal.bug(stage, error)
        raise BugError(f"A bug: {type(error).__name__}: {error}") from error
