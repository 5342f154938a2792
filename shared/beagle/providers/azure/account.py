"""Who we are on Azure: the managed identity of a function, what `az login` left, or a connection string."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypedDict

from obstore.store import AzureStore

from beagle.providers.patience import LARGE, SMALL, TRIES, Patience, large

if TYPE_CHECKING:
    from collections.abc import Callable

    from azure.core.credentials import TokenCredential
    from azure.storage.queue import QueueServiceClient

STORAGE = "https://storage.azure.com/.default"
_VAULT = "https://vault.azure.net/.default"


class _Told(TypedDict):
    """What Azure's own clients are told of patience; by default they wait for minutes."""

    connection_timeout: int
    read_timeout: int
    retry_policy: Any


class _Token(TypedDict):
    token: str
    expires_at: datetime


@dataclass(frozen=True)
class Account:
    """One storage account, for its queues and containers.

    `url` is where it answers, with `blob` or `queue` in its host's name; a connection string, as Azurite's,
    comes instead of an identity.
    """

    url: str = ""
    connection_string: str = field(default="", repr=False)

    @cached_property
    def credential(self) -> TokenCredential:
        """Return what asks for tokens, by whichever way this machine has."""
        from azure.identity import DefaultAzureCredential  # noqa: PLC0415 - slow: only who needs it

        return DefaultAzureCredential()

    def queues(self) -> QueueServiceClient:
        """Return the account's queues."""
        from azure.storage.queue import ExponentialRetry, QueueServiceClient  # noqa: PLC0415 - slow, as above

        patience = _told(SMALL, ExponentialRetry)
        if self.connection_string:
            return QueueServiceClient.from_connection_string(self.connection_string, **patience)
        return QueueServiceClient(self.url, credential=self.credential, **patience)

    def container(self, name: str, patience: Callable[..., Patience] = large) -> AzureStore:
        """Return a container."""
        if self.connection_string:
            said = dict(part.split("=", 1) for part in self.connection_string.split(";") if part)
            return AzureStore(
                name,
                account_name=said["AccountName"],
                account_key=said["AccountKey"],
                endpoint=said["BlobEndpoint"],
                **patience(allow_http=said["BlobEndpoint"].startswith("http://")),
            )
        return AzureStore(
            name,
            account_name=self.url.partition("://")[2].partition(".")[0],
            endpoint=self.url,
            **patience(),
            credential_provider=self._storage_token,  # type: ignore[arg-type]  # of its protocol
        )

    def blobs(self) -> Any:  # noqa: ANN401 - the SDK's client
        """Return the account's containers by its own SDK, for what obstore cannot address."""
        from azure.storage.blob import BlobServiceClient, ExponentialRetry  # noqa: PLC0415 - slow, as above

        patience = _told(LARGE, ExponentialRetry)
        if self.connection_string:
            return BlobServiceClient.from_connection_string(self.connection_string, **patience)
        return BlobServiceClient(self.url, credential=self.credential, **patience)

    def vault_token(self) -> str:
        """Return what Key Vault wants to see; empty where there is a connection string, and so no Azure."""
        return "" if self.connection_string else self.credential.get_token(_VAULT).token

    def _storage_token(self) -> _Token:
        token = self.credential.get_token(STORAGE)
        return {"token": token.token, "expires_at": datetime.fromtimestamp(token.expires_on, UTC)}


def _told(seconds: int, retry: Callable[..., Any]) -> _Told:
    return {
        "connection_timeout": 5,
        "read_timeout": seconds,
        "retry_policy": retry(initial_backoff=1, increment_base=2, retry_total=TRIES),
    }
