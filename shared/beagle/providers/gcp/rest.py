"""Google's APIs by plain HTTPS: their client libraries bring gRPC, which costs a cold start and 50 MB."""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import requests

if TYPE_CHECKING:
    from collections.abc import Callable

CONNECT_SECONDS, ANSWER_SECONDS = 5.0, 30.0
TRIES = 3
_REDIRECTED = 300
RETRIED = frozenset({408, 429, 500, 502, 503, 504})
SCOPE = "https://www.googleapis.com/auth/cloud-platform"


class GoogleError(Exception):
    """An API did not do what it was asked for; `status` is 0 where there was no answer."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"{status or 'no answer'} {reason}".strip())
        self.status = status
        self.reason = reason


class Google:
    """Asks Google's APIs as who the environment says we are. Safe for threads: each has a session of its own.

    `emulator` is the address of something local that plays an API, and asks for no credentials.
    """

    def __init__(self, emulator: str = "", *, pause: Callable[[float], None] | None = None) -> None:
        # Google's own tools name an emulator by host and port alone.
        self._emulator = emulator if "://" in emulator or not emulator else f"http://{emulator}"
        self._local = threading.local()
        self.pause = pause or (lambda _: None)
        """Lets seconds pass."""

    def url(self, api: str, path: str) -> str:
        """Return the address of a path of an API, such as `pubsub`."""
        return f"{self._emulator or f'https://{api}.googleapis.com'}/{path}"

    def ask(self, method: str, url: str, **options: Any) -> requests.Response:  # noqa: ANN401 - requests' own
        """Return the answer to a request that may be made twice.

        Raises:
            GoogleError: There was none, or it is a refusal.

        """
        for attempt in range(TRIES):
            if attempt:
                self.pause(0.4 * 2**attempt)
            try:
                answer = self._session().request(
                    method, url, timeout=(CONNECT_SECONDS, ANSWER_SECONDS), allow_redirects=False, **options
                )
            except (requests.RequestException, _auth_errors()) as error:
                trouble = GoogleError(0, type(error).__name__)
                trouble.__cause__ = error
            else:
                if answer.status_code < _REDIRECTED:
                    return answer
                trouble = GoogleError(answer.status_code, _reason(answer))
                if answer.status_code not in RETRIED:
                    break
        raise trouble

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = requests.Session() if self._emulator else _authorized()
            if self._emulator:
                session.trust_env = False  # it is on this machine, whatever proxy leads out of it
        return session


def _authorized() -> requests.Session:
    from google.auth.transport.requests import AuthorizedSession  # noqa: PLC0415 - the emulators need none

    session: requests.Session = AuthorizedSession(_credentials())  # type: ignore[no-untyped-call]  # theirs
    return session


@lru_cache
def _credentials() -> Any:  # noqa: ANN401 - google-auth has no types
    """Return who we are, for all threads: each would ask the metadata server for a token of its own."""
    import google.auth  # noqa: PLC0415

    credentials, _ = google.auth.default(scopes=[SCOPE])
    return credentials


def _auth_errors() -> type[Exception]:
    from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415 - looked up only where one was raised

    return GoogleAuthError


def _reason(answer: requests.Response) -> str:
    """Return Google's word for a refusal: `PERMISSION_DENIED`; its message may quote what we sent."""
    try:
        return str(answer.json()["error"]["status"])[:80]
    except (ValueError, KeyError, TypeError):
        return ""
