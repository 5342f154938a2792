"""Who the functions are on Azure: the tokens of their managed identity, and no key of an account."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import obstore
import pytest

from beagle.domain.errors import SecretUnavailableError
from beagle.providers.azure.account import Account
from beagle.providers.azure.secrets import KeyVaultKey
from beagle.providers.patience import small
from support.azure.key_vault import KeyVault

if TYPE_CHECKING:
    from collections.abc import Iterator

IDENTITY = "11112222-3333-4444-5555-666677778888"
"""One of several that an app may have: it is told which it is."""


@pytest.fixture
def guarded(monkeypatch: pytest.MonkeyPatch) -> Iterator[KeyVault]:
    """Start a vault that wants to see tokens, and be the app that gets them."""
    monkeypatch.setenv("AZURE_CLIENT_ID", IDENTITY)
    for name in ("AZURE_TENANT_ID", "AZURE_CLIENT_SECRET", "MSI_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    with KeyVault(tokens=True) as vault:
        for name, value in vault.environment.items():
            monkeypatch.setenv(name, value)
        vault.secrets["api-key"] = " the.key\n"
        yield vault


def test_the_key_is_handed_to_the_functions_identity(guarded: KeyVault) -> None:
    """With a token for vaults, by the way on which Functions gives tokens to its apps."""
    account = Account("https://acme.blob.core.windows.net")
    key = KeyVaultKey(f"{guarded.address}/secrets/api-key", account.vault_token)

    assert key().get_secret_value() == "the.key"
    assert guarded.asked == [("https://vault.azure.net", IDENTITY)]


def test_a_rotated_key_is_the_next_that_is_fetched(guarded: KeyVault) -> None:
    """And a vault that is away for a moment is asked again, or a message would wait for ten minutes."""
    key = KeyVaultKey(f"{guarded.address}/secrets/api-key", Account("https://a.b").vault_token)
    key()
    guarded.secrets["api-key"] = "another.key"
    guarded.fails = 2

    assert key().get_secret_value() == "another.key"


@pytest.mark.parametrize("trouble", ["nothing there", "empty", "no token", "nobody there"])
def test_no_key_is_told_from_a_key(guarded: KeyVault, trouble: str) -> None:
    """With words of ours, which hold no token."""
    url, token = f"{guarded.address}/secrets/api-key", Account("https://a.b").vault_token
    if trouble == "empty":
        guarded.secrets["api-key"] = " \n"
    key = {
        "nothing there": KeyVaultKey(f"{url}-2", token),
        "empty": KeyVaultKey(url, token),
        "no token": KeyVaultKey(url, lambda: ""),
        "nobody there": KeyVaultKey("http://127.0.0.1:1/secrets/api-key", token),
    }[trouble]

    with pytest.raises(SecretUnavailableError) as refusal:
        key()
    assert "Bearer" not in str(refusal.value)
    assert "vault.azure.net" not in str(refusal.value)


class Recorder(ThreadingHTTPServer):
    """A place for blobs that takes everything, and remembers who wanted what."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, str]] = []
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: Recorder
    protocol_version = "HTTP/1.1"

    def do_PUT(self) -> None:
        """Take a blob."""
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.seen.append((self.command, self.path, self.headers.get("Authorization", "")))
        self.send_response(201)
        self.send_header("ETag", '"0x1"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_containers_are_opened_with_the_identitys_tokens(guarded: KeyVault) -> None:
    """At the account's own address, with a token for storage, which is fetched once and not for each blob."""
    with Recorder() as recorder:
        threading.Thread(target=recorder.serve_forever, args=(0.05,), daemon=True).start()
        account = Account(f"http://127.0.0.1:{recorder.server_port}")
        store = account.container("state", lambda: small(allow_http=True))
        for number in range(3):
            obstore.put(store, f"ledger/{number}.json", b"{}")
        recorder.shutdown()

    assert recorder.seen == [
        ("PUT", f"/state/ledger/{number}.json", "Bearer for https://storage.azure.com") for number in range(3)
    ]
    assert guarded.asked == [("https://storage.azure.com", IDENTITY)]


def test_a_connection_string_is_not_shown() -> None:
    assert "secret" not in repr(Account(connection_string="AccountKey=secret;"))
