"""What an operator's command works on, on Google Cloud, as who is signed in on this machine."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from beagle import __version__
from beagle.domain.errors import ConfigurationError
from beagle.providers.gcp.queue import PubSubLetterBox, PubSubOutbox
from beagle.providers.gcp.rest import SCOPE, Google
from beagle.providers.local.clock import SystemClock

if TYPE_CHECKING:
    from beagle.settings import Settings

_SUBSCRIPTION = re.compile(r"projects/[^/]+/subscriptions/[^/]+")
_TOPIC = re.compile(r"projects/[^/]+/topics/[^/]+")


def operators_google(settings: Settings) -> Google:
    """Return Google's APIs by the application default credentials of this machine.

    Raises:
        ConfigurationError: There are none, or they are no good any more.

    """
    if not settings.pubsub_emulator_host:
        _sign_in()
    return Google(settings.pubsub_emulator_host, pause=SystemClock().sleep)


def letter_box(google: Google, name: str) -> PubSubLetterBox:
    """Return the dead letters.

    Raises:
        ConfigurationError: The name is no subscription's.

    """
    if not _SUBSCRIPTION.fullmatch(name):
        raise ConfigurationError(
            f"{name} is no subscription (projects/PROJECT/subscriptions/NAME), which dead letters are read "
            "from: a topic keeps nothing."
        )
    return PubSubLetterBox(google, name, __version__)


def outbox(google: Google, name: str) -> PubSubOutbox:
    """Return the topic that replayed messages go to.

    Raises:
        ConfigurationError: The name is no topic's.

    """
    if not _TOPIC.fullmatch(name):
        raise ConfigurationError(
            f"{name} is no topic (projects/PROJECT/topics/NAME), where replayed messages go."
        )
    return PubSubOutbox(google, name)


def _sign_in() -> None:
    """See whether somebody is signed in, before anything fails for it."""
    try:
        import google.auth  # noqa: PLC0415 - slow: only what talks to Google imports it
        from google.auth.exceptions import (  # noqa: PLC0415
            DefaultCredentialsError,
            GoogleAuthError,
            RefreshError,
        )
        from google.auth.transport.requests import Request  # noqa: PLC0415
    except ImportError as error:
        raise ConfigurationError("Google's sign-in is not installed here: pip install google-auth") from error
    try:
        credentials, _ = google.auth.default(scopes=[SCOPE])
        credentials.refresh(Request())  # type: ignore[no-untyped-call]  # theirs
    except (DefaultCredentialsError, RefreshError) as error:
        raise ConfigurationError(
            "Google Cloud does not know who you are. Sign in: gcloud auth application-default login"
        ) from error
    except GoogleAuthError as error:
        raise ConfigurationError(f"Google Cloud cannot be asked from here: {error}") from error
