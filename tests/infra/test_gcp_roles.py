"""Who may do what on Google Cloud; a stand-in of its provider has applied infra/gcp: see test_gcp.py."""

import re
from typing import Any

import pytest

from beagle.domain.keys import ARTIFACT_PREFIX
from support.applied import Applied

pytestmark = pytest.mark.xdist_group("terraform")
PUBSUB = "serviceAccount:service-google_project.?.number@gcp-sa-pubsub.iam.gserviceaccount.com"
"""Its own account in the project."""


@pytest.fixture
def functions(google: Applied) -> dict[str, dict[str, Any]]:
    return google.of_type("google_cloudfunctions2_function")


def grants(google: Applied, kind: str) -> set[tuple[str, ...]]:
    """Return who has which role on what, by the last words of each."""
    on = {"google_pubsub_topic_iam_member": "topic", "google_pubsub_subscription_iam_member": "subscription"}
    return {
        (one["member"], one["role"].removeprefix("roles/"), one[on[kind]])
        for one in google.of_type(kind).values()
    }


def account(name: str) -> str:
    return f"serviceAccount:google_service_account.beagle-{name}.email"


def test_pubsub_may_move_dead_letters(google: Applied) -> None:
    """It needs both grants; without either nothing is ever moved, and nothing says so."""
    work = google.address("google_pubsub_subscription", "work")
    topics = {one["dead_letter_policy"][0]["dead_letter_topic"] for one in work.values()}

    assert {(PUBSUB, "pubsub.subscriber", subscription["id"]) for subscription in work.values()} == grants(
        google, "google_pubsub_subscription_iam_member"
    )
    assert {(PUBSUB, "pubsub.publisher", topic) for topic in topics} <= grants(
        google, "google_pubsub_topic_iam_member"
    )


def test_only_pubsub_may_call_the_functions(google: Applied, functions: dict[str, dict[str, Any]]) -> None:
    """Each of them, as the one account that may; from inside the project."""
    callers = google.of_type("google_cloud_run_v2_service_iam_member").values()

    assert {(one["name"], one["role"], one["member"]) for one in callers} == {
        (function["name"], "roles/run.invoker", account("push")) for function in functions.values()
    }
    assert {one["service_config"][0]["ingress_settings"] for one in functions.values()} == {
        "ALLOW_INTERNAL_ONLY"
    }


def test_pubsub_may_sign_as_the_account_that_calls(google: Applied) -> None:
    """In projects of before April 2021 it may not by itself; it is told so before it pushes."""
    [signing] = google.of_type("google_service_account_iam_member").values()

    assert signing["service_account_id"] == "google_service_account.beagle-push.name"
    assert signing["role"] == "roles/iam.serviceAccountTokenCreator"
    assert signing["member"] == PUBSUB


def test_nothing_is_for_everybody(google: Applied) -> None:
    """No grant to all users, and no bucket that could have one."""
    members = {one["values"]["member"] for one in google.resources if "_iam_member" in one["type"]}

    assert not {"allUsers", "allAuthenticatedUsers"} & members
    for bucket in google.of_type("google_storage_bucket").values():
        assert (bucket["uniform_bucket_level_access"], bucket["public_access_prevention"]) == (
            True,
            "enforced",
        )


def test_functions_send_where_their_work_goes(google: Applied) -> None:
    """And nowhere else; Cloud Storage sends to uploads only."""
    onward = {"prepare": ["items", "videos"], "extract": ["items", "videos"], "register": []}
    queues = google.address("google_pubsub_topic", "work")
    sent = {
        (account(function), "pubsub.publisher", f"google_pubsub_topic.beagle-{queue}.id")
        for function in google.of_type("google_cloudfunctions2_function")
        for queue in [*(queue for queue in onward[function] if queue in queues), "dead-letters"]
    }
    ours = {
        one for one in grants(google, "google_pubsub_topic_iam_member") if "google_service_account" in one[0]
    }
    [announcing] = google.address("google_pubsub_topic_iam_member", "announcing").values()

    assert ours == sent
    assert announcing["topic"] == queues["uploads"]["id"]
    assert announcing["member"] == "google_storage_project_service_account.?.member"


def test_nobody_may_send_a_video_before_somebody_hears_it(google: Applied) -> None:
    """
    Where access becomes read-only, prepare is told of the topic before there is a subscription to it.

    Until there is one it is refused, and its message waits; so the functions must not wait for this grant.
    """
    needs = {(one["type"], one["name"]): one.get("depends_on", []) for one in google.resources}
    sending = ("google_pubsub_topic_iam_member", "sending_videos")
    functions = needs["google_cloudfunctions2_function", "stage"]
    others = google.address("google_pubsub_topic_iam_member", "sending").values()

    assert not [one for one in others if one["topic"].endswith("videos.id")]
    assert not [one for one in functions if one.endswith(".sending_videos")]
    assert [one for one in functions if one.endswith("google_pubsub_topic_iam_member.sending")]
    if sending in needs:
        assert "module.beagle.google_pubsub_subscription.work" in needs[sending]


def test_functions_reach_the_objects_they_need(google: Applied, functions: dict[str, dict[str, Any]]) -> None:
    """By prefix, each in its own places; the watched bucket only where Darwin may not write."""
    state = google.of_type("google_storage_bucket")["state"]["name"]
    wanted = {
        ("prepare", "objectUser", state, ("attempts/prepare/", "groups/", "parcels/")),
        ("register", "objectUser", state, ("attempts/register/", "ledger/")),
        ("register", "objectViewer", state, ("parcels/",)),
    }
    if "extract" in functions:
        wanted.add(("extract", "objectUser", state, ("attempts/extract/", "parcels/", "parts/")))
        wanted.add(("extract", "objectViewer", state, ("ledger/",)))
        for function in ("prepare", "extract"):
            wanted.add((function, "objectViewer", "acme-uploads", ("cars/",)))
            wanted.add((function, "objectUser", "acme-uploads", (ARTIFACT_PREFIX,)))
    found = set()
    for one in google.of_type("google_storage_bucket_iam_member").values():
        whole, *parts = one["condition"][0]["expression"].split(" || ")
        pattern = (
            rf'resource\.name\.startsWith\("projects/_/buckets/{re.escape(one["bucket"])}/objects/(.*)"\)'
        )
        places = tuple(re.fullmatch(pattern, part)[1] for part in parts)
        function = re.fullmatch(re.escape(account("X")).replace("X", "(.*)"), one["member"])[1]
        found.add((function, one["role"].removeprefix("roles/storage."), one["bucket"], places))

        assert whole == 'resource.type == "storage.googleapis.com/Bucket"'

    assert found == wanted


def test_no_function_may_do_anything_to_the_project(google: Applied) -> None:
    """Only what builds them has roles on all of it; only register may read the key."""
    of_project = google.of_type("google_project_iam_member").values()
    [key] = google.of_type("google_secret_manager_secret_iam_member").values()

    assert {one["member"] for one in of_project} == {account("build")}
    assert (key["member"], key["role"]) == (account("register"), "roles/secretmanager.secretAccessor")
