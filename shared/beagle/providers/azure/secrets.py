"""Key Vault: where the Darwin API key lies on Azure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import requests
from pydantic import SecretStr
from requests.adapters import HTTPAdapter
from urllib3 import Retry

from beagle.domain.errors import SecretUnavailableError

_SECONDS = 10.0
_VERSION = "7.4"
_OK = 200
_RETRIES = Retry(
    2,
    backoff_factor=0.5,
    backoff_jitter=0.5,
    status_forcelist=(429, 500, 502, 503, 504),
    respect_retry_after_header=False,  # it may ask for longer than an invocation has
    raise_on_status=False,
)
"""A message that found no key would wait for ten minutes."""


@dataclass(frozen=True, slots=True)
class KeyVaultKey:
    """Fetches the API key anew each time it is called: a rotated key is its newest version."""

    url: str
    """The secret's identifier, as `https://VAULT.vault.azure.net/secrets/NAME`."""
    token: Callable[[], str]

    def __call__(self) -> SecretStr:
        """Return the key.

        Raises:
            SecretUnavailableError: Key Vault did not hand it out, or it is empty.

        """
        from azure.core.exceptions import AzureError  # noqa: PLC0415 - looked up only where one was raised

        try:
            with requests.Session() as session:
                session.mount(self.url, HTTPAdapter(max_retries=_RETRIES))
                answer = session.get(
                    self.url,
                    params={"api-version": _VERSION},
                    headers={"Authorization": f"Bearer {self.token()}"},
                    timeout=_SECONDS,
                    allow_redirects=False,
                )
            if answer.status_code != _OK:
                raise SecretUnavailableError(
                    f"Key Vault does not hand out the secret with Darwin's API key ({answer.status_code})."
                )
            value = str(answer.json()["value"])
        except (requests.RequestException, AzureError, ValueError, KeyError) as error:
            raise SecretUnavailableError(
                f"The secret with Darwin's API key cannot be read: {type(error).__name__}."
            ) from error
        if not value.strip():
            raise SecretUnavailableError("The secret with Darwin's API key is empty: add a version with it.")
        return SecretStr(value.strip())
