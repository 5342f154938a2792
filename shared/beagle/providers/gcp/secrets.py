"""Secret Manager: where the Darwin API key lies on Google Cloud."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import dataclass

from pydantic import SecretStr

from beagle.domain.errors import SecretUnavailableError
from beagle.providers.gcp.rest import Google, GoogleError


@dataclass(frozen=True, slots=True)
class SecretManagerKey:
    """Fetches the API key anew each time it is called: a rotated key is its newest version."""

    google: Google
    name: str
    """As `projects/P/secrets/S`, or with a version."""

    def __call__(self) -> SecretStr:
        """Return the key.

        Raises:
            SecretUnavailableError: Secret Manager did not hand it out, or it is empty.

        """
        version = self.name if "/versions/" in self.name else f"{self.name}/versions/latest"
        try:
            answer = self.google.ask("GET", self.google.url("secretmanager", f"v1/{version}:access")).json()
            value = b64decode(answer["payload"]["data"]).decode()
        except (GoogleError, ValueError, KeyError) as error:
            said = str(error) if isinstance(error, GoogleError) else type(error).__name__
            raise SecretUnavailableError(
                f"The secret with Darwin's API key cannot be read: {said}."
            ) from error
        if not value.strip():
            raise SecretUnavailableError("The secret with Darwin's API key is empty: add a version with it.")
        return SecretStr(value.strip())
