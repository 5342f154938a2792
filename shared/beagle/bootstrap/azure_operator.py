"""What an operator's command works on, on Azure, as who is signed in on this machine."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from beagle import __version__
from beagle.domain.errors import ConfigurationError
from beagle.providers.azure.account import STORAGE, Account

if TYPE_CHECKING:
    from collections.abc import Iterable

    from beagle.providers.azure.queue import StorageLetterBox, StorageOutbox


def operators_queues(url: str, connection_string: str) -> Any:  # noqa: ANN401 - the SDK's client
    """Return the queues of a storage account, by a connection string or as who is signed in.

    Raises:
        ConfigurationError: Nobody is, or neither tells where they are.

    """
    account = Account(url, connection_string)
    try:
        if not connection_string:
            _sign_in(account)
        return account.queues()
    except ImportError as error:
        raise ConfigurationError(
            "Azure's client is not installed here: pip install azure-identity azure-storage-queue"
        ) from error
    except ValueError as error:
        raise ConfigurationError("BEAGLE_QUEUES is no connection string of a storage account.") from error


def letter_box(queues: Any, letters: str, working: Iterable[str]) -> StorageLetterBox:  # noqa: ANN401 - see above
    """Return the dead letters, and what the host gave up of the queues that functions work on."""
    from beagle.providers.azure.queue import StorageLetterBox  # noqa: PLC0415 - slow, as above

    names = [letters, *(f"{name}-poison" for name in working)]
    return StorageLetterBox([queues.get_queue_client(name) for name in names], __version__)


def outbox(queues: Any, name: str) -> StorageOutbox:  # noqa: ANN401 - see above
    """Return the queue that replayed messages go to."""
    from beagle.providers.azure.queue import StorageOutbox  # noqa: PLC0415 - slow, as above

    return StorageOutbox(queues.get_queue_client(name))


def _sign_in(account: Account) -> None:
    """See whether somebody is signed in, before anything fails for it."""
    from azure.core.exceptions import AzureError, ClientAuthenticationError  # noqa: PLC0415 - slow, as above

    # It writes a paragraph about every way of signing in that it tried.
    logging.getLogger("azure.identity").setLevel(logging.CRITICAL)
    try:
        account.credential.get_token(STORAGE)
    except ClientAuthenticationError as error:
        raise ConfigurationError("Azure does not know who you are. Sign in: az login") from error
    except AzureError as error:
        raise ConfigurationError(f"Azure cannot be asked from here: {type(error).__name__}") from error
