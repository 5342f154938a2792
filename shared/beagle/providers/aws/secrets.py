"""Secrets Manager: where the Darwin API key lies on AWS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import SecretStr

from beagle.domain.errors import SecretUnavailableError


@dataclass(frozen=True, slots=True)
class SecretsManagerKey:
    """Fetches the API key anew each time it is called."""

    client: Any  # boto3's clients are made at run time and have no types of their own
    arn: str

    def __call__(self) -> SecretStr:
        """Return the key.

        Raises:
            SecretUnavailableError: Secrets Manager did not hand it out, or it is empty.

        """
        try:
            value = self.client.get_secret_value(SecretId=self.arn)["SecretString"]
        except (BotoCoreError, ClientError, KeyError) as error:
            raise SecretUnavailableError(
                f"The secret with Darwin's API key cannot be read: {type(error).__name__}."
            ) from error
        if not value.strip():
            raise SecretUnavailableError("The secret with Darwin's API key is empty: put the key into it.")
        return SecretStr(value.strip())
