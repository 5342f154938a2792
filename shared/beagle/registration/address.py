"""Where Darwin is: the one place that the API key may go to."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from beagle.domain.errors import ConfigurationError


def checked_address(base_url: str) -> str:
    """Return the URL without a slash behind; https, except to this machine.

    Raises:
        ConfigurationError: The key would travel in the clear, or it is no host's URL.

    """
    parts = urlsplit(base_url)
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_this_machine(parts.hostname or "")):
        raise ConfigurationError("Darwin's URL must begin with https://: the API key goes there.")
    if not parts.hostname or parts.username is not None or parts.query or parts.fragment:
        raise ConfigurationError(
            "Darwin's URL is a host, such as https://darwin.v7labs.com, and nothing more."
        )
    return base_url.rstrip("/")


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
