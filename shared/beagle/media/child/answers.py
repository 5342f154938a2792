"""What a child's last words, or its death, say about the object."""

from __future__ import annotations

from typing import TYPE_CHECKING

from beagle.domain.errors import (
    BeagleError,
    ConfigurationError,
    MediaTooLargeError,
    UnreadableMediaError,
    UnsupportedMediaError,
)
from beagle.media.wire import OUT_OF_MEMORY

if TYPE_CHECKING:
    from beagle.media.wire import Words

_VERDICTS: dict[str, type[BeagleError]] = {
    error.code: error for error in (MediaTooLargeError, UnreadableMediaError, UnsupportedMediaError)
}
_LONGEST_MESSAGE = 2000


def interpret(words: Words) -> Words | BeagleError:
    """Return what was drawn, or the error to raise: a child can name none but these."""
    match words:
        case {"done": dict(result)}:
            return result
        case {"verdict": str(code), "message": str(message), "context": dict(context)} if code in _VERDICTS:
            kept = {
                str(name): value for name, value in context.items() if isinstance(value, (str, int, float))
            }
            return _VERDICTS[code](message[:_LONGEST_MESSAGE], **kept)
        case {"missing": str(what)}:
            return ConfigurationError(f"The package lacks a library: {what[:_LONGEST_MESSAGE]}")
    return confused("It says nothing that we understand.")


def died(how: str) -> BeagleError:
    """Return the verdict on the object that a new child did not survive."""
    if how in {"SIGKILL", "SIGXCPU", f"exit code {OUT_OF_MEMORY}"}:
        return MediaTooLargeError(
            f"The decoder was ended by the system ({how}): it took too much memory or time.", signal=how
        )
    return UnreadableMediaError(f"The decoder crashed on it ({how}).", signal=how)


def slow(seconds: float) -> BeagleError:
    """Return the verdict on an object that takes too long."""
    return MediaTooLargeError(f"It was not decoded within {seconds:g} seconds.", seconds=seconds)


def confused(why: str) -> BeagleError:
    """Return the verdict on an object that made its decoder talk nonsense."""
    return UnreadableMediaError(f"The decoder was thrown off its way by it: {why}")
