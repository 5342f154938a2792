"""Stores are waited for as long as the invocation lasts, and no longer: one that is killed cannot say why.

Their own patience may be longer. A call that is given up ends behind our back: what it puts is as good as
what the next attempt puts under the same name (the same to the byte, but for segments: x264 varies in what is
not seen), and a download stops at its next piece.
"""

from __future__ import annotations

import math
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Thread
from typing import TYPE_CHECKING, TypeVar

from beagle.domain.errors import OutOfTimeError, StoreUnavailableError
from beagle.ports import ArtifactSink, Deadline, ObjectReader

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


_Answer = TypeVar("_Answer")
_ENOUGH = 5.0
"""Seconds within which a store answers that is well."""


def in_time(call: Callable[[], _Answer], deadline: Deadline, *, enough: float = _ENOUGH) -> _Answer:
    """Return what a store's call returns.

    Raises:
        StoreUnavailableError: The time was over before it did, and the call had so many seconds: an object
            whose work ended so is not to blame.
        OutOfTimeError: It had fewer.

    """
    answer: Future[_Answer] = Future()

    def ask() -> None:
        try:
            answer.set_result(call())
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is raised where it is waited for
            answer.set_exception(error)

    if (seconds := deadline.remaining()) > 0:
        Thread(target=ask, daemon=True).start()
        try:
            return answer.result(seconds)
        except TimeoutError:
            if answer.done():  # at the last moment; or the error is the call's own
                return answer.result()
        if seconds >= enough:
            raise StoreUnavailableError(f"The bucket did not answer within {seconds:.0f} seconds.")
    raise OutOfTimeError("The bucket did not answer before the invocation's time was over.")


@dataclass(frozen=True, slots=True)
class TimelyReader:
    """An object that is waited for no longer than there is time."""

    reader: ObjectReader
    until: Deadline

    @property
    def size(self) -> int:
        """Return bytes."""
        return self.reader.size

    def read(self, start: int, length: int) -> bytes:
        """Return a range; shorter only at the object's end."""
        return in_time(lambda: self.reader.read(start, length), self.until)

    def download(self, to: Path, deadline: Deadline | None = None) -> None:
        """Write the whole object into a new file."""
        # However well the store is, this may take long.
        in_time(lambda: self.reader.download(to, deadline or self.until), self.until, enough=math.inf)


@dataclass(frozen=True, slots=True)
class TimelySink:
    """A sink that is waited for no longer than there is time."""

    sink: ArtifactSink
    until: Deadline

    def put(self, name: str, data: bytes, content_type: str, content_encoding: str = "") -> None:
        """Keep one artifact, durably before this returns."""
        in_time(lambda: self.sink.put(name, data, content_type, content_encoding), self.until)

    def key(self, name: str) -> str:
        """Return the storage key that Darwin is told for an artifact."""
        return self.sink.key(name)
