"""The API key: fetched once, anew when it is refused, and never shown."""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING, Protocol, TypeVar

from beagle.domain.errors import DarwinUnauthorizedError, SecretUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping


class Secret(Protocol):
    """A value that does not show itself, as pydantic's `SecretStr`."""

    def get_secret_value(self) -> str:
        """Return the value."""


class KeyRing:
    """Holds the key. Safe for threads."""

    def __init__(self, fetch: Callable[[], Secret]) -> None:
        self._fetch = fetch
        self._key: Secret | None = None
        self._lock = threading.Lock()

    def current(self) -> Secret:
        """Return the key, fetched when it is first asked for.

        Raises:
            SecretUnavailableError: The secret store did not hand it out.
            DarwinUnauthorizedError: What it handed out is no key.

        """
        with self._lock:
            if self._key is None:
                self._key = _usable(self._fetch())
            return self._key

    def renewed(self, refused: Secret) -> Secret | None:
        """Return the key that came after the refused one (rotation); None where there is no other."""
        with self._lock:
            if self._key is refused:
                try:
                    self._key = _usable(self._fetch())
                except (SecretUnavailableError, DarwinUnauthorizedError):
                    return None  # the refusal stays the news
            same = self._key is None or self._key.get_secret_value() == refused.get_secret_value()
            return None if same else self._key


def _usable(key: Secret) -> Secret:
    # An HTTP library would quote the key in its complaint about such characters.
    if not re.fullmatch(r"\s*[\x21-\x7e]+\s*", key.get_secret_value()):
        raise DarwinUnauthorizedError("The API key is empty, or holds characters that no key has.")
    return key


class CarriesHeaders(Protocol):
    """A request that is about to be sent."""

    @property
    def headers(self) -> MutableMapping[str, str]:
        """The headers, to be changed in place."""


Prepared = TypeVar("Prepared", bound=CarriesHeaders)


class ApiKeyHeader:
    """Writes the header at the last moment, so that no variable of ours holds the key in the clear."""

    def __init__(self, key: Secret) -> None:
        self._key = key

    def __call__(self, request: Prepared) -> Prepared:
        """Sign a request."""
        request.headers["Authorization"] = f"ApiKey {self._key.get_secret_value().strip()}"
        return request


def forget_key(error: Exception) -> None:
    """Take the key out of the request that an exception carries along."""
    request = getattr(error, "request", None)
    if request is not None:
        request.headers.pop("Authorization", None)
