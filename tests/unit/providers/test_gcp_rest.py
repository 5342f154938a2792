"""Google's APIs by plain HTTP: what is asked again, what is not, and what nobody gets to read."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from beagle.domain.errors import QueueUnavailableError, SecretUnavailableError
from beagle.providers.gcp import rest
from beagle.providers.gcp.queue import PubSubOutbox
from beagle.providers.gcp.rest import Google, GoogleError
from beagle.providers.gcp.secrets import SecretManagerKey

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gcp.cloud import Cloud

CANARY = "canary-5a1e"
"""What a token, a key or a message holds, and no error may say."""


class Api:
    """Answers by a script, the last answer for ever; `/token` hands out tokens."""

    def __init__(self) -> None:
        self.script: list[tuple[int, dict[str, Any]]] = [(200, {})]
        self.asked: list[tuple[str, str]] = []
        """Path and credentials of each request."""
        self.token_status = 200
        api = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                api.asked.append((self.path, self.headers.get("Authorization", "")))
                if self.path == "/token":
                    status, body = api.token_status, {"access_token": CANARY, "expires_in": 3600}
                else:
                    status, body = api.script[0]
                    del api.script[: len(api.script) > 1]
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST  # noqa: N815 - the base class's names

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self.server.server_port}"
        self.url = f"http://{self.host}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def paths(self) -> list[str]:
        return [path for path, _ in self.asked]


@pytest.fixture
def api() -> Iterator[Api]:
    running = Api()
    yield running
    running.server.shutdown()
    running.server.server_close()


@pytest.fixture
def account(api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Be a service account, whose tokens come from the local server."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    told = {
        "type": "service_account",
        "project_id": "p",
        "private_key_id": CANARY,
        "private_key": key.decode(),
        "client_email": f"{CANARY}@p.iam.gserviceaccount.com",
        "client_id": "1",
        "token_uri": f"{api.url}/token",
    }
    (tmp_path / "account.json").write_text(json.dumps(told))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "account.json"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    rest._credentials.cache_clear()
    yield
    rest._credentials.cache_clear()


def refused(google: Google, url: str) -> GoogleError:
    with pytest.raises(GoogleError) as error:
        google.ask("POST", url, json={"data": CANARY})
    return error.value


@pytest.mark.parametrize("status", sorted(rest.RETRIED))
def test_what_may_pass_by_itself_is_asked_three_times_with_pauses(api: Api, status: int) -> None:
    api.script = [(status, {}), (status, {}), (200, {"well": True})]
    pauses: list[float] = []

    answer = Google(api.host, pause=pauses.append).ask("POST", f"{api.url}/v1/x")

    assert answer.json() == {"well": True}
    assert len(pauses) == 2
    assert 0 < pauses[0] < pauses[1] < 5

    api.script = [(status, {})]
    assert refused(Google(api.host), f"{api.url}/v1/x").status == status
    assert len(api.asked) == 6


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 403, 404, 409, 412])
def test_a_refusal_is_final_and_leads_nowhere_else(api: Api, status: int) -> None:
    """Also a redirect: it would take credentials along."""
    api.script = [(status, {"error": {"status": "PERMISSION_DENIED", "message": CANARY}})]

    error = refused(Google(api.host), f"{api.url}/v1/x")

    assert (error.status, error.reason) == (status, "PERMISSION_DENIED")
    assert api.paths() == ["/v1/x"]


def test_where_nobody_answers_it_says_so() -> None:
    pauses: list[float] = []
    error = refused(Google("127.0.0.1:1", pause=pauses.append), "http://127.0.0.1:1/v1/x")

    assert (error.status, len(pauses)) == (0, 2)
    assert "no answer" in str(error)


def test_an_emulator_gets_no_credentials(api: Api) -> None:
    Google(api.host).ask("POST", f"{api.url}/v1/x")

    assert api.asked == [("/v1/x", "")]


@pytest.mark.usefixtures("account")
def test_all_threads_are_one_account_with_one_token(api: Api) -> None:
    """A token is fetched when there is none, not by each of a hundred threads."""
    google = Google()
    google.ask("POST", f"{api.url}/v1/x")
    gate = threading.Barrier(8)

    def ask(_: int) -> None:
        gate.wait()
        google.ask("POST", f"{api.url}/v1/x")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(ask, range(8)))

    assert api.paths().count("/token") == 1
    assert [who for path, who in api.asked if path == "/v1/x"] == [f"Bearer {CANARY}"] * 9


@pytest.mark.usefixtures("account")
@pytest.mark.parametrize(
    "script", [(403, {"error": {"status": "DENIED", "message": CANARY}}), (500, {"x": CANARY})]
)
def test_no_error_says_what_was_sent_or_who_asked(api: Api, script: tuple[int, dict[str, Any]]) -> None:
    """Neither token nor message, nor the service's own words, which may quote them."""
    api.script = [script]
    with pytest.raises(QueueUnavailableError) as error:
        PubSubOutbox(Google(), "projects/p/topics/t").send([CANARY])
    told = [str(error.value), str(refused(Google(), f"{api.url}/v1/x?key={CANARY}"))]

    assert not any(CANARY in text for text in told)
    assert api.asked


@pytest.mark.usefixtures("account")
def test_without_a_token_nothing_is_asked_and_the_reason_is_told(api: Api) -> None:
    api.token_status = 400

    error = refused(Google(), f"{api.url}/v1/x")

    assert (error.status, error.reason) == (0, "RefreshError")
    assert CANARY not in str(error)
    assert "/v1/x" not in api.paths()


def test_the_newest_key_is_fetched_each_time(cloud: Cloud) -> None:
    """A rotated key is picked up by itself; without one, the error says what to do."""
    name = "projects/p/secrets/rotating"
    key = SecretManagerKey(Google(cloud.address), name)
    with pytest.raises(SecretUnavailableError, match="404"):
        key()
    cloud.secrets[name] = " first\n"
    assert key().get_secret_value() == "first"
    cloud.secrets[name] = CANARY
    assert key().get_secret_value() == CANARY
    assert CANARY not in repr(key())
    cloud.secrets[name] = " "
    with pytest.raises(SecretUnavailableError, match="add a version"):
        key()
