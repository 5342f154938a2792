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


PLAYTHINGS = frozenset({"PIL", "pydicom", "ministack"})
"""What only the local stack needs, from the extra `demo`."""


class LocalStackError(BeagleError):
    """The local AWS did not do what it was started for."""

    code = "local_stack"


def wait_for_the_end() -> None:
    """Say how to end it, and wait: within `stops_on_request`."""
    aside().print(styled("Ctrl-C ends it.", "dim"))
    threading.Event().wait()


@contextmanager
def stops_on_request() -> Iterator[None]:
    """End the block, and only it, on Ctrl-C and on a request to terminate.

    Enter it before anybody is told that there is something to end.
    """

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
    """End trouble with the local AWS as a sentence, with what its log says.

    Raises:
        LocalStackError: It did not start, deploy or answer, or what it needs is not installed.

    """
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - see the package

    from beagle.playground.ministack import LocalAwsError  # noqa: PLC0415

    try:
        yield
    except (LocalAwsError, FileNotFoundError) as error:
        raise LocalStackError(str(error)) from error
    except (BotoCoreError, ClientError) as error:
        raise LocalStackError(f"The local AWS did not do what it was asked: {error}") from error
    except ModuleNotFoundError as error:
        if error.name not in PLAYTHINGS:
            raise
        raise LocalStackError(
            f"{error.name} is not installed: run make install, or pip install 'beagle[demo]'."
        ) from error
