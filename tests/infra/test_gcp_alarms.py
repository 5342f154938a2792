"""Who is told of what on Google Cloud; as in test_gcp.py, a stand-in of the provider has applied it."""

import json
import re
from typing import Any

import pytest

from beagle.domain import errors
from beagle.domain.outcomes import Ending, Outcome
from beagle.providers.gcp.worker import ACKNOWLEDGED, AGAIN
from beagle.providers.journal import LogJournal
from support.applied import Applied

pytestmark = pytest.mark.xdist_group("terraform")
CODES = {error.code for error in vars(errors).values() if isinstance(error, type) and hasattr(error, "code")}


@pytest.fixture
def thresholds(google: Applied) -> dict[str, dict[str, Any]]:
    policies = google.address("google_monitoring_alert_policy", "trouble")
    return {name: one["conditions"][0]["condition_threshold"][0] for name, one in policies.items()}


@pytest.fixture
def lines() -> list[dict[str, Any]]:
    """What functions write when an object has ended, and when a person must act."""
    written: list[dict[str, Any]] = []
    journal = LogJournal("beagle", lambda _severity, line: written.append(json.loads(line)))
    journal.note("register", Outcome(ending=Ending.AGAIN, code="darwin_throttled"))
    journal.alarm("darwin_unauthorized", "the key")
    return written


def asked_of(log_filter: str) -> dict[str, str]:
    """Return what a filter asks of the fields of a line."""
    return dict(re.findall(r'jsonPayload\.(\w+)="([^"]*)"', log_filter))


def subscriptions(google: Applied) -> dict[str, str]:
    return {one["name"]: kind for kind, one in google.address("google_pubsub_subscription", "work").items()}


def test_every_queue_has_an_alarm(google: Applied, thresholds: dict[str, dict[str, Any]]) -> None:
    """Dead letters and standstill are noticed, standstill while attempts are left."""
    pattern = r'.*subscription_id="(.*?)" AND metric\.type="pubsub\.googleapis\.com/subscription/(\w+)"'
    told = {
        re.fullmatch(pattern, one["filter"]).groups(): one["threshold_value"]
        for one in thresholds.values()
        if "pubsub" in one["filter"]
    }
    letters = told.pop(("beagle-dead-letters", "num_undelivered_messages"))

    assert letters == 0
    assert set(told) == {(name, "oldest_unacked_message_age") for name in subscriptions(google)}
    assert all(0 < seconds < 15 * 3600 / 3 for seconds in told.values())


def test_every_function_has_alarms(google: Applied, thresholds: dict[str, dict[str, Any]]) -> None:
    """That it fails, is killed, nearly runs out of time, or calls a person; to ask again is no failure."""
    logged = google.address("google_monitoring_alert_policy", "line")
    for name, function in google.of_type("google_cloudfunctions2_function").items():
        errors_of, lasting = thresholds[f"{name}-errors"], thresholds[f"{name}-duration"]
        limit = 1000 * function["service_config"][0]["timeout_seconds"]
        found = [one["conditions"][0]["condition_matched_log"][0]["filter"] for one in logged.values()]

        assert f'service_name="{function["name"]}"' in errors_of["filter"]
        assert errors_of["filter"].endswith('metric.labels.response_code_class="5xx"')
        assert AGAIN < 500
        assert f'service_name="{function["name"]}"' in lasting["filter"]
        assert 0.9 * limit <= lasting["threshold_value"] < limit
        assert len([one for one in found if f'service_name="{function["name"]}"' in one]) == 2


def test_what_a_person_must_mend_calls_one(google: Applied, lines: list[dict[str, Any]]) -> None:
    """The alarms wait for the very line that functions write, of this deployment."""
    alarming = [line for line in lines if line["severity"] == "ERROR"]
    policies = google.address("google_monitoring_alert_policy", "line")
    for name, policy in policies.items():
        if name.endswith("-person"):
            [condition] = policy["conditions"][0]["condition_matched_log"]
            asked = asked_of(condition["filter"])

            assert asked.keys() == {"message", "deployment"}
            assert [line for line in alarming if asked.items() <= line.items()]
            assert policy["alert_strategy"][0]["notification_rate_limit"][0]["period"]
    assert {name.removesuffix("-person") for name in policies if name.endswith("-person")} == set(
        google.of_type("google_cloudfunctions2_function")
    )


def test_endings_are_counted_from_the_lines(google: Applied, lines: list[dict[str, Any]]) -> None:
    """The metric reads the line that functions write, and has a label for each field that it takes out."""
    metric = google.of_type("google_logging_metric")["endings"]
    [line] = [line for line in lines if line["severity"] == "INFO"]
    taken = {
        label: re.fullmatch(r"EXTRACT\(jsonPayload\.(\w+)\)", said)[1]
        for label, said in metric["label_extractors"].items()
    }

    assert asked_of(metric["filter"]).items() <= line.items()
    assert {label["key"] for label in metric["metric_descriptor"][0]["labels"]} == set(taken)
    assert {name: line[field] for name, field in taken.items()} == {
        "stage": "register",
        "ending": "again",
        "code": "darwin_throttled",
    }


def test_darwins_refusals_are_noticed(google: Applied) -> None:
    """By the share of what it was sent that Darwin turned away; its metric may be newer than it.

    What register does not send meanwhile is most of what waits: with it the share would never be half. There
    is a share, too, where nothing was taken yet.
    """
    policy = google.address("google_monitoring_alert_policy", "counted")["throttled"]
    [condition] = policy["conditions"][0]["condition_prometheus_query_language"]
    asked = re.findall(r'code="(\w+)"', condition["query"])

    sent = re.findall(r'user_beagle_endings\{stage="register", (.*?)\}\[30m\]', condition["query"])
    taken = f"{Ending.REGISTERED}|{Ending.ALREADY_REGISTERED}"

    assert set(asked) == {"darwin_throttled"} <= CODES
    assert sent == ['code="darwin_throttled"', 'code="darwin_throttled"', f'ending=~"{taken}"']
    assert condition["query"].endswith(" or vector(0))) > 0.5")
    assert condition["duration"] == "3600s"
    assert condition["disable_metric_validation"] is True


def test_what_cloud_run_turns_away_is_noticed(google: Applied) -> None:
    """A function that nobody may call at once, one without an instance to spare after a while.

    No status of ours is among these, or every message that waits would look like a lost permission.
    """
    metric = google.of_type("google_logging_metric")["refusals"]
    [line] = google.address("google_monitoring_alert_policy", "line")["refused"]["conditions"]
    [counted] = google.address("google_monitoring_alert_policy", "counted")["prepare-throttles"]["conditions"]
    [query] = counted["condition_prometheus_query_language"]
    at_once, after_a_while = line["condition_matched_log"][0]["filter"], metric["filter"]
    functions = [one["name"] for one in google.of_type("google_cloudfunctions2_function").values()]

    assert statuses(at_once) == {401, 403, 404}
    assert statuses(after_a_while) == {401, 403, 404, 429}
    assert not {ACKNOWLEDGED, AGAIN} & statuses(after_a_while)
    for asked in (at_once, after_a_while):
        assert '/logs/run.googleapis.com%2Frequests" AND' in asked
        assert re.findall(r'"(beagle-\w+)"', asked) == functions
    assert metric["label_extractors"] == {"status": "EXTRACT(httpRequest.status)"}
    assert 'user_beagle_refusals{service_name="beagle-prepare", status="429"}' in query["query"]
    assert query["duration"] == "900s"


def statuses(log_filter: str) -> set[int]:
    return {int(one) for one in re.findall(r"\d+", log_filter.partition("httpRequest.status=")[2])}


def test_an_alarm_says_what_it_means_and_tells_somebody(google: Applied) -> None:
    """Its text is a sentence, and the address that was given is told."""
    [channel] = google.of_type("google_monitoring_notification_channel").values()
    policies = [one["values"] for one in google.resources if one["type"] == "google_monitoring_alert_policy"]

    assert (channel["type"], channel["labels"]) == ("email", {"email_address": "ops@example.com"})
    assert len(policies) > 10
    for policy in policies:
        assert " " in policy["documentation"][0]["content"]
        assert policy["notification_channels"] == [channel["id"]]
        assert len(policy["conditions"]) == 1


def test_the_dashboard_shows_what_exists(google: Applied) -> None:
    """Every ending of an object, every queue, every function; in tiles that do not overlap."""
    [board] = google.of_type("google_monitoring_dashboard").values()
    tiles = json.loads(board["dashboard_json"])["mosaicLayout"]["tiles"]
    text = json.dumps([tile["widget"] for tile in tiles]).replace('\\"', "'")
    ended = set(re.search(r"ending=one_of\((.*?)\)", text)[1].replace("'", "").split(", "))

    assert ended == set(Ending) - {Ending.PASSED_ON, Ending.AGAIN}
    assert set(re.findall(r"subscription_id='(.*?)'", text)) == {
        *subscriptions(google),
        "beagle-dead-letters",
    }
    assert set(re.findall(r"service_name='(.*?)'", text)) == {
        one["name"] for one in google.of_type("google_cloudfunctions2_function").values()
    }
    assert len({(tile["xPos"], tile["yPos"]) for tile in tiles}) == len(tiles) == 7
