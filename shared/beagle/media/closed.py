"""Our own process, closed to those that it starts."""

from __future__ import annotations

import ctypes
import sys
from functools import cache

_PR_SET_DUMPABLE = 4


@cache
def close_to_children() -> None:
    """Let nobody but root look into this process from now on: it holds the credentials.

    A child runs as the same user, and Linux would show it our environment and memory, and let it write there:
    https://man7.org/linux/man-pages/man2/PR_SET_DUMPABLE.2const.html. What is public stays so, and what we
    open ourselves stays open; a debugger of the same user is kept out, too.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
