"""Topics and subscriptions of infra/gcp: nothing is lost, nothing comes back to us, and nobody else calls.

A stand-in of Google's provider has applied it: see test_gcp.py.
"""

from typing import Any

import pytest

from beagle.domain.keys import ARTIFACT_PREFIX
from beagle.providers.gcp import LONGEST_WAIT_HOURS
from support.applied import Applied

pytestmark = pytest.mark.xdist_group("terraform")
MONTH = f"{31 * 24 * 3600}s"
HOUR = 3600


@pytest.fixture
def functions(google: Applied) -> dict[str, dict[str, Any]]:
    return google.of_type("google_cloudfunctions2_function")


@pytest.fixture
def work(google: Applied) -> dict[str, dict[str, Any]]:
    """The subscriptions that push to functions."""
    return google.address("google_pubsub_subscription", "work")


def test_every_queue_outlives_an_outage(work: dict[str, dict[str, Any]]) -> None:
    """
    A message has a hundred attempts, with pauses that double up to ten minutes: fifteen hours at the least.

    It is kept for a month, and a subscription never expires. No group waits for longer: an hour is left,
    should Pub/Sub take its pauses shorter.
    """
    for subscription in work.values():
        [retries], [letters] = subscription["retry_policy"], subscription["dead_letter_policy"]
        first, longest = (int(retries[f"{end}imum_backoff"].removesuffix("s")) for end in ("min", "max"))
        pauses = [min(first * 2**n, longest) for n in range(letters["max_delivery_attempts"] - 1)]

        assert sum(pauses) >= (LONGEST_WAIT_HOURS + 1) * HOUR
        assert subscription["message_retention_duration"] == MONTH
        assert subscription["expiration_policy"] == [{"ttl": ""}]


def test_dead_letters_have_a_place_that_stays(google: Applied, work: dict[str, dict[str, Any]]) -> None:
    """A topic without a subscription would lose them, as would a subscription that expires."""
    [kept] = google.address("google_pubsub_subscription", "dead_letters").values()

    assert {one["dead_letter_policy"][0]["dead_letter_topic"] for one in work.values()} == {kept["topic"]}
    assert kept["topic"] == "google_pubsub_topic.beagle-dead-letters.id"
    assert kept["expiration_policy"] == [{"ttl": ""}]
    assert kept["message_retention_duration"] == MONTH
    assert kept["push_config"] == []


def test_our_artifacts_do_not_start_us_again(google: Applied, work: dict[str, dict[str, Any]]) -> None:
    """Pub/Sub leaves them out, in 256 bytes at most; what is replayed, without attributes, passes."""
    filters = {queue: subscription["filter"] for queue, subscription in work.items()}
    [announced] = google.of_type("google_storage_notification").values()
    prefixes = {
        one["service_config"][0]["environment_variables"]["BEAGLE_ARTIFACT_PREFIX"]
        for one in google.of_type("google_cloudfunctions2_function").values()
    }

    assert len(filters["uploads"].encode()) <= 256
    assert filters.pop("uploads") == (
        f'(NOT attributes:objectId) OR (NOT hasPrefix(attributes.objectId, "{ARTIFACT_PREFIX}"))'
    )
    assert set(filters.values()) == {None}
    assert prefixes == {ARTIFACT_PREFIX}
    assert announced["event_types"] == ["OBJECT_FINALIZE"]
    assert announced["payload_format"] == "JSON_API_V1"
    assert announced["topic"] == work["uploads"]["topic"]


def test_another_prefix_is_announced_before_the_former_is_no_more(google: Applied) -> None:
    """What lands in between would never be announced; what is announced by both is registered once."""
    state = google.terraform.data("state", "pull")
    [announced] = [one for one in state["resources"] if one["type"] == "google_storage_notification"]

    assert [one.get("create_before_destroy") for one in announced["instances"]] == [True]


def test_a_push_lasts_as_long_as_its_function(
    work: dict[str, dict[str, Any]], functions: dict[str, dict[str, Any]]
) -> None:
    """Shorter, and messages would come twice; the function itself knows its time, and who calls it."""
    pushed = {"uploads": "prepare", "items": "register", "videos": "extract"}
    for queue, subscription in work.items():
        function = functions[pushed[queue]]
        [config], [push] = function["service_config"], subscription["push_config"]

        assert subscription["ack_deadline_seconds"] == config["timeout_seconds"] <= 600
        assert config["environment_variables"]["BEAGLE_INVOCATION_SECONDS"] == str(config["timeout_seconds"])
        assert push["push_endpoint"] == config["uri"]
        assert push["oidc_token"] == [
            {"service_account_email": "google_service_account.beagle-push.email", "audience": config["uri"]}
        ]
