"""How long a service may take: less than an invocation has, for one that is killed cannot say why."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig


class Patience(TypedDict):
    """What an obstore store is made with."""

    client_options: ClientConfig
    retry_config: RetryConfig


SMALL = 10
"""Seconds that a small object may take: the ledger's, a group's, a parcel."""
LARGE = 120
"""Seconds that a piece of an upload may take; a longer download is taken up again where it stopped."""
TRIES = 3


def small(*, allow_http: bool = False) -> Patience:
    """Return the patience with the state bucket, whose objects are small."""
    return _patience(SMALL, retries=TRIES, allow_http=allow_http)


def large(*, allow_http: bool = False) -> Patience:
    """Return the patience with a watched bucket, whose objects may be anything."""
    return _patience(LARGE, retries=2 * TRIES, allow_http=allow_http)


def _patience(seconds: int, *, retries: int, allow_http: bool) -> Patience:
    return {
        "client_options": {"timeout": f"{seconds}s", "connect_timeout": "5s", "allow_http": allow_http},
        "retry_config": {"max_retries": retries, "retry_timeout": timedelta(seconds=3 * seconds)},
    }
