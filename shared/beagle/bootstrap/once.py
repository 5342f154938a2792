"""Building a thing once in an instance, however many threads ask for it first."""

from __future__ import annotations

import threading
from functools import lru_cache, wraps
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Asked = ParamSpec("Asked")
Built = TypeVar("Built")


def once(build: Callable[Asked, Built]) -> Callable[Asked, Built]:
    """Build once in an instance, whose first messages come at once: the others wait for whoever is first."""
    building, known = threading.Lock(), lru_cache(build)

    @wraps(build)
    def built(*args: Asked.args, **kwargs: Asked.kwargs) -> Built:
        with building:
            return known(*args, **kwargs)  # type: ignore[arg-type]  # what it is asked for can be hashed

    return built
