"""Commands that run until somebody ends them."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from beagle.cli.output import aside, styled
from beagle.domain.errors import BeagleError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType


class LocalStackError(BeagleError):
    """The local AWS did not do what it was started for."""

    code = "local_stack"


def until_interrupted() -> None:
    """Return when Ctrl-C, or a request to terminate, comes."""
    with stops_on_request():
        aside().print(styled("Ctrl-C ends it.", "dim"))
        threading.Event().wait()


@contextmanager
def stops_on_request() -> Iterator[None]:
    """End the block, and only it, on Ctrl-C and on a request to terminate."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    except KeyboardInterrupt:
        pass
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def local_trouble() -> Iterator[None]:
    """End trouble with the local AWS as a sentence, with what its log says."""
    from beagle.playground.ministack import LocalAwsError  # noqa: PLC0415 - see the package

    try:
        yield
    except (LocalAwsError, FileNotFoundError) as error:
        raise LocalStackError(str(error)) from error
