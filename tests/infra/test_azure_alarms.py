"""Who is told of what on Azure; as in test_azure.py, a stand-in of the provider has applied it."""

import json
import re
from typing import Any

import pytest

from beagle.domain import errors
from beagle.domain.outcomes import Ending, Outcome
from beagle.providers.azure.worker import ComeAgainError
from beagle.providers.journal import LogJournal
from support.applied import Applied

pytestmark = pytest.mark.xdist_group("terraform")
CODES = {error.code for error in vars(errors).values() if isinstance(error, type) and hasattr(error, "code")}
OF_LINES = {"dead-letters", "person", "no-progress", "put-off", "throttled"}
OF_THE_HOST = {"given-up", "errors", "duration"}


@pytest.fixture
def rules(azure: Applied) -> dict[str, dict[str, Any]]:
    return azure.of_type("azurerm_monitor_scheduled_query_rules_alert_v2")


@pytest.fixture
def metrics(azure: Applied) -> dict[str, dict[str, Any]]:
    return azure.of_type("azurerm_monitor_metric_alert")


@pytest.fixture
def lines() -> list[dict[str, Any]]:
    """What functions write when an object has ended, and when a person must act."""
    written: list[dict[str, Any]] = []
    journal = LogJournal("beagle", lambda _severity, line: written.append(json.loads(line)))
    journal.note("register", Outcome(ending=Ending.AGAIN, code="darwin_throttled", waited=3700.0))
    journal.alarm("darwin_unauthorized", "the key")
    return written


def query(rule: dict[str, Any]) -> str:
    found: str = rule["criteria"][0]["query"]
    return found


def test_alarms_wait_for_the_very_lines_that_functions_write(
    rules: dict[str, dict[str, Any]], lines: list[dict[str, Any]]
) -> None:
    """Of this deployment; whatever a query takes out of a line is a field of it."""
    assert set(rules) == OF_LINES | OF_THE_HOST
    for name in OF_LINES:
        asked = dict(re.findall(r"tostring\(line\.(\w+)\) == '([^']*)'", query(rules[name])))
        [line] = [line for line in lines if asked.items() <= line.items()]

        assert asked.keys() == {"message", "deployment"}
        assert set(re.findall(r"line\.(\w+)", query(rules[name]))) <= set(line)
        assert (line["severity"] == "ERROR") is (name == "person")


def test_queries_name_endings_and_codes_that_exist(rules: dict[str, dict[str, Any]]) -> None:
    """Dead letters, what is put off though its group is whole, and what Darwin turned away."""
    text = " ".join(query(rule) for rule in rules.values())

    assert set(re.findall(r"ending [!=]= '(\w+)'", text)) == {Ending.DEAD_LETTERED, Ending.AGAIN}
    assert set(re.findall(r"code [!=]= '(\w+)'", text)) == {"darwin_throttled", "group_waiting"} <= CODES


def test_to_ask_again_is_no_error(rules: dict[str, dict[str, Any]]) -> None:
    """A function asks by raising, and the host takes down what is raised."""
    assert f"!has '{ComeAgainError.__name__}'" in query(rules["errors"])


def test_a_line_that_comes_late_is_still_looked_for(rules: dict[str, dict[str, Any]]) -> None:
    """A query finds a line minutes after it was written; ten are allowed for."""
    for rule in rules.values():
        window, every = (minutes(rule[name]) for name in ("window_duration", "evaluation_frequency"))

        assert window >= every + 10


def minutes(span: str) -> int:
    [(number, unit)] = re.findall(r"^PT(\d+)([MH])$", span)
    return int(number) * (60 if unit == "H" else 1)


def test_standstill_is_noticed_by_what_is_tried_again(rules: dict[str, dict[str, Any]]) -> None:
    """Within the window each waiting message is tried, as it is every ten minutes; a group's waits rightly.

    Though others get on, one that is put off for longer than on AWS is told of.
    """
    assert rules["no-progress"]["window_duration"] == rules["put-off"]["window_duration"] == "PT1H"
    for name in ("no-progress", "put-off"):
        assert "| where code != 'group_waiting' |" in query(rules[name])
    assert "max(todouble(line.waited) / iff(stage == 'extract', 14400, 3600))" in query(rules["put-off"])
    assert rules["put-off"]["criteria"][0]["threshold"] == 1


def test_what_darwin_turns_away_is_a_share_of_what_it_was_sent(rules: dict[str, dict[str, Any]]) -> None:
    """What is not sent meanwhile is most of what waits: with it the share would never be half."""
    [taken] = re.findall(r"code == 'darwin_throttled' or ending in \((.*?)\)\)", query(rules["throttled"]))
    [periods] = rules["throttled"]["criteria"][0]["failing_periods"]

    assert set(taken.replace("'", "").split(", ")) == {Ending.REGISTERED, Ending.ALREADY_REGISTERED}
    assert set(periods.values()) == {4}


def test_every_function_is_told_apart_and_its_limit_known(
    azure: Applied, rules: dict[str, dict[str, Any]]
) -> None:
    """By the app's name, and in the limits of its own settings."""
    apps = azure.of_type("azurerm_function_app_flex_consumption")
    [pattern] = set(re.findall(r"extract\('(\^[^']+)', 1, AppRoleName\)", query(rules["duration"])))
    limits = dict(re.findall(r"function == '(\w+)', (\d+)", query(rules["duration"])))

    assert {re.match(pattern, app["name"])[1] for app in apps.values()} == set(apps)
    assert limits == {name: app["app_settings"]["BEAGLE_INVOCATION_SECONDS"] for name, app in apps.items()}


def test_what_never_arrives_is_noticed(azure: Applied, metrics: dict[str, dict[str, Any]]) -> None:
    """By Event Grid's own count; and what only lies there, by the account's."""
    [topic] = azure.of_type("azurerm_eventgrid_system_topic").values()
    told = {name: (one["scopes"], one["criteria"][0]["metric_name"]) for name, one in metrics.items()}
    account = azure.address("azurerm_storage_account", "kept")["state"]["id"]

    assert told == {
        "undelivered": ([topic["id"]], "DeadLetteredCount"),
        "lost": ([topic["id"]], "DroppedEventCount"),
        "waiting": ([f"{account}/queueServices/default"], "QueueMessageCount"),
    }


def test_an_alarm_says_what_it_means_and_tells_somebody(
    azure: Applied, rules: dict[str, dict[str, Any]], metrics: dict[str, dict[str, Any]]
) -> None:
    """Its text is a sentence, the address is told, and each function has an alarm of its own."""
    [group] = azure.of_type("azurerm_monitor_action_group").values()
    [workspace] = azure.of_type("azurerm_log_analytics_workspace").values()

    assert [one["email_address"] for one in group["email_receiver"]] == ["ops@example.com"]
    assert len(group["short_name"]) <= 12
    for rule in [*rules.values(), *metrics.values()]:
        assert rule["description"].endswith((".", "DIR", "?"))
    for rule in metrics.values():
        assert [one["action_group_id"] for one in rule["action"]] == [group["id"]]
    for rule in rules.values():
        [criteria] = rule["criteria"]

        assert [one["action_groups"] for one in rule["action"]] == [[group["id"]]]
        assert rule["scopes"] == [workspace["id"]]
        assert re.search(r"\| summarize .*found", query(rule))
        assert criteria["dimension"][0]["values"] == ["*"]
        assert query(rule).endswith((f"by {criteria['dimension'][0]['name']}", "iff(others == 0, again, 0)"))


def test_the_dashboard_shows_every_ending_and_no_more(azure: Applied) -> None:
    """In pairs, over a time that is asked for once."""
    [board] = azure.of_type("azurerm_application_insights_workbook").values()
    items = json.loads(board["data_json"])["items"]
    charts = [item["content"] for item in items if item["type"] == 3]
    ended = set(re.search(r"ending in \((.*?)\)", charts[0]["query"])[1].replace("'", "").split(", "))

    assert ended == set(Ending) - {Ending.PASSED_ON, Ending.AGAIN}
    assert [item["type"] for item in items] == [9, 3, 3, 3, 3]
    assert {chart["timeContextFromParameter"] for chart in charts} == {"Time"}
    assert board["source_id"] == board["source_id"].lower()
