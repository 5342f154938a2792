"""HTTP to Darwin: one host, one key, bounded in time and size. What replies mean is not known here."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from io import BytesIO
from typing import TYPE_CHECKING

import requests
from requests.adapters import HTTPAdapter
from urllib3 import Retry
from urllib3.exceptions import HTTPError

import beagle
from beagle.domain.errors import (
    DarwinAmbiguousError,
    DarwinError,
    DarwinNotAskedError,
    DarwinUnreachableError,
)
from beagle.registration.address import checked_address
from beagle.registration.apikey import ApiKeyHeader, KeyRing, forget_key
from beagle.registration.protocol import Reply, retry_after

if TYPE_CHECKING:
    from collections.abc import Callable

    from beagle.ports import Clock, Deadline
    from beagle.registration.apikey import Secret

LEAST_TIME = 4.0
"""Seconds below which nothing is begun."""

SHORT_RETRIES = 2
LONGEST_SHORT_WAIT = 5.0
"""Seconds: a longer Retry-After is for the pacer and the queue."""

SHORTLY_RETRIED = frozenset({502, 503, 504})
REFUSALS = frozenset({401, 403})
"""After these a new key is looked for: rotation may have revoked the old one, or what it was allowed."""
LONGEST_CONNECT, LONGEST_SILENCE = 5.0, 30.0
LONGEST_REST = 20.0
"""Seconds that an idle connection is trusted to live."""
CHUNK = 65_536


class DarwinClient:
    """Sends requests to one Darwin. Safe for threads: each has a session of its own, as requests needs it."""

    def __init__(
        self,
        base_url: str,
        api_key: Callable[[], Secret],
        *,
        clock: Clock,
        most_bytes: int = 16 * 1024 * 1024,
        longest_silence: float = LONGEST_SILENCE,
    ) -> None:
        self._base_url = checked_address(base_url)
        self._keys = KeyRing(api_key)
        self._clock = clock
        self._most_bytes = most_bytes
        self._longest_silence = longest_silence
        self._local = threading.local()

    def __repr__(self) -> str:
        return f"DarwinClient({self._base_url!r})"

    def post(self, path: str, body: bytes, deadline: Deadline, *, retries: int = SHORT_RETRIES) -> Reply:
        """Send a body; return the reply, whatever its status.

        Raises:
            DarwinUnreachableError: Nothing was sent.
            DarwinAmbiguousError: It was sent, and there is no reply.
            DarwinNotAskedError: No time is left.
            DarwinUnauthorizedError: The key is none.
            SecretUnavailableError: The key could not be fetched.

        """
        return self._send(_Ask("POST", path, {}, body), deadline, retries)

    def get(self, path: str, query: Mapping[str, str | list[str]], deadline: Deadline) -> Reply:
        """Ask for something; raises as `post` does."""
        return self._send(_Ask("GET", path, query, None), deadline, SHORT_RETRIES)

    def _send(self, ask: _Ask, deadline: Deadline, retries: int) -> Reply:
        key = self._keys.current()
        reply = self._exchange(ask, key, deadline, retries, unsure=False)
        renewed = self._keys.renewed(key) if reply.status in REFUSALS else None
        if renewed is None:
            return reply
        again = self._exchange(ask, renewed, deadline, retries, unsure=reply.after_ambiguity)
        return replace(again, tries=reply.tries + again.tries)

    def _exchange(self, ask: _Ask, key: Secret, deadline: Deadline, retries: int, *, unsure: bool) -> Reply:
        """Try until there is a reply that a short retry would not mend.

        urllib3's `Retry` counts and sets the waits, but the tries are made here and not inside of urllib3:
        only here it shows whether a try that failed had been sent (the caller must know that a name can be
        taken by ourselves), each try gets its time-outs from the time that is left, and the waits go by
        our clock.
        """
        patience = Retry(total=retries, backoff_factor=0.5, backoff_max=4, backoff_jitter=0.5)
        tries = 0
        while True:
            tries += 1
            following: tuple[Retry, float] | None = None
            try:
                reply = self._try_once(ask, key, deadline)
            except DarwinError as error:
                unsure = unsure or error.committed
                # Without time there is no next try; who kept silent for long will not do better at once.
                if not isinstance(error.__cause__, requests.ReadTimeout | None):
                    following = _following(patience, None, deadline)
                if following is None:
                    if unsure and not error.committed:
                        raise DarwinAmbiguousError("An earlier try may have been carried out.") from error
                    raise
            else:
                if reply.status in SHORTLY_RETRIED:
                    following = _following(patience, retry_after(reply), deadline)
                if following is None:
                    return replace(reply, after_ambiguity=unsure, tries=tries)
                unsure = True
            patience, wait = following
            self._clock.sleep(wait)

    def _try_once(self, ask: _Ask, key: Secret, deadline: Deadline) -> Reply:
        remaining = deadline.remaining()
        if remaining < LEAST_TIME:
            raise DarwinNotAskedError("No time is left to ask Darwin.")
        # Connecting, waiting for the reply, and each wait for more of it get a quarter at most.
        silence = min(self._longest_silence, remaining / 4)
        content = None if ask.body is None else _Content(ask.body)
        try:
            response = self._session().request(
                ask.method,
                self._base_url + ask.path,
                params=dict(ask.query),
                data=content,
                auth=ApiKeyHeader(key),
                timeout=(min(LONGEST_CONNECT, silence), silence),
                allow_redirects=False,  # a redirect would carry the key along
                stream=True,
            )
        except (requests.RequestException, HTTPError, ValueError) as error:
            forget_key(error)
            if content is not None and content.begun:
                raise DarwinAmbiguousError(f"Darwin did not answer ({type(error).__name__}).") from error
            raise DarwinUnreachableError(f"Darwin cannot be reached ({type(error).__name__}).") from error
        with response:
            read, cut_short = self._read(response, deadline, silence)
        return Reply(
            status=response.status_code,
            headers={name.lower(): value for name, value in response.headers.items()},
            # A proxy that echoes the request would carry the key into logs and letters.
            body=read.replace(key.get_secret_value().strip().encode(), b"[the API key]"),
            received_at=self._clock.now(),
            cut_short=cut_short,
        )

    def _read(self, response: requests.Response, deadline: Deadline, silence: float) -> tuple[bytes, bool]:
        """Return the body as far as it came, and whether that is short of its end.

        Read piece by piece as it arrives, so that neither a flood nor a trickle outlasts memory or time.
        """
        read = bytearray()
        try:
            while deadline.remaining() > silence:
                piece = response.raw.read1(CHUNK, decode_content=False)
                if not piece:
                    return bytes(read), False
                read += piece
                if len(read) > self._most_bytes:
                    break
        except HTTPError:
            return bytes(read), True
        return bytes(read[: self._most_bytes]), True

    def _session(self) -> requests.Session:
        """Return this thread's session, with its connections if they were used lately.

        A function that was frozen does not hear that its connections ended; a request sent into one of
        them is lost with a doubt about it.
        """
        session: requests.Session | None = getattr(self._local, "session", None)
        now = self._clock.monotonic()
        if session is not None and now - self._local.used_at > LONGEST_REST:
            session.close()  # the connections; the session opens others
        self._local.used_at = now
        if session is None:
            session = _Session()
            session.trust_env = False  # no .netrc, no proxy: the key goes where the settings say
            session.headers.clear()
            session.headers.update(
                {
                    "Accept": "application/json",
                    "Accept-Encoding": "identity",  # what arrives is what is counted
                    "Content-Type": "application/json",
                    "User-Agent": f"beagle/{beagle.__version__}",
                }
            )
            session.adapters.clear()
            # The allow-list: the session has no way to any other host.
            session.mount(f"{self._base_url}/", HTTPAdapter())
            self._local.session = session
        return session


class _Session(requests.Session):
    """A session that leaves redirects alone.

    Not to follow them is not enough: requests prepares the next request all the same, reads the body whole,
    however large, and stumbles over broken addresses.
    """

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Know of none."""


def _following(patience: Retry, asked: float | None, deadline: Deadline) -> tuple[Retry, float] | None:
    """Return the seconds until the next try; None where it is not worth it, or not in time."""
    if not patience.total:
        return None
    patience = patience.increment(error=HTTPError("try again"))
    wait = max(asked or 0.0, patience.get_backoff_time())
    if wait > LONGEST_SHORT_WAIT or deadline.remaining() - wait < LEAST_TIME:
        return None
    return patience, wait


@dataclass(frozen=True, slots=True)
class _Ask:
    """What is asked, the same for every try."""

    method: str
    path: str
    query: Mapping[str, str | list[str]]
    body: bytes | None


class _Content(BytesIO):
    """A body that remembers whether sending it has begun: before that, Darwin cannot have acted on it."""

    begun = False

    def read(self, size: int | None = -1, /) -> bytes:
        self.begun = True
        return super().read(size)
