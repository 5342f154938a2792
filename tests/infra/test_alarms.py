"""Who is told, and of what."""

import json
import re
from typing import Any

import pytest

from beagle.domain import errors
from beagle.domain.outcomes import Ending
from support.template import CONSUMED, FUNCTIONS, GLOBALS, RESOURCES, TEMPLATE, of_type

ALARMS = of_type("AWS::CloudWatch::Alarm")
OURS = {name: alarm for name, alarm in ALARMS.items() if alarm["Namespace"] == "Beagle"}
CLOUDS = {name: alarm for name, alarm in ALARMS.items() if name not in OURS}
# The names that a metric of ours can have: see CloudWatchJournal.
CODES = {error.code for error in vars(errors).values() if isinstance(error, type) and hasattr(error, "code")}
KNOWN = CODES | set(Ending) | {"person_needed", "throttled_percent"}


def named(value: dict[str, Any]) -> str:
    """Return the logical name that a dimension's value refers to."""
    return str(value.get("Ref") or value["Fn::GetAtt"].split(".")[0])


def watched(metric: str) -> set[str]:
    return {
        named(alarm["Dimensions"][0]["Value"]) for alarm in CLOUDS.values() if alarm["MetricName"] == metric
    }


def test_every_queue_has_an_alarm() -> None:
    """Dead letters and standstill are noticed."""
    assert watched("ApproximateNumberOfMessagesVisible") == {"DeadLetters"}
    assert watched("ApproximateAgeOfOldestMessage") == CONSUMED


@pytest.mark.parametrize("metric", ["Errors", "Throttles", "Duration"])
def test_every_function_has_an_alarm(metric: str) -> None:
    """A function that fails, is not let run, or nearly runs out of time is noticed."""
    assert watched(metric) == set(FUNCTIONS)


@pytest.mark.parametrize("name", [name for name in CLOUDS if name.endswith("DurationAlarm")])
def test_time_limits_are_noticed_before_they_are_reached(name: str) -> None:
    """At nine tenths of the limit at least, and short of it."""
    function = FUNCTIONS[named(ALARMS[name]["Dimensions"][0]["Value"])]
    limit = 1000 * function.get("Timeout", GLOBALS["Timeout"])

    assert 0.9 * limit <= ALARMS[name]["Threshold"] < limit


@pytest.mark.parametrize("name", OURS)
def test_alarms_read_metrics_of_this_deployment_that_exist(name: str) -> None:
    """A metric that nobody writes would never alarm; one of another stack would alarm for nothing."""
    dimensions = {one["Name"]: one["Value"] for one in OURS[name]["Dimensions"]}

    assert OURS[name]["MetricName"] in KNOWN
    assert dimensions.keys() == {"deployment", "service"}
    assert dimensions["deployment"] == {"Ref": "AWS::StackName"}
    assert dimensions["service"].capitalize() in FUNCTIONS


def test_what_a_person_must_mend_calls_one() -> None:
    """A refused key, an unknown dataset, a full storage, a bug: every stage that says so is heard."""
    heard = {
        alarm["Dimensions"][1]["Value"].capitalize()
        for alarm in OURS.values()
        if (alarm["MetricName"], alarm["Statistic"], alarm["Threshold"]) == ("person_needed", "Sum", 0)
    }

    assert heard == set(FUNCTIONS)


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_says_what_it_means_and_tells_somebody(name: str) -> None:
    """Its description is a sentence; it tells the topic, its end too; silence is no alarm."""
    alarm = ALARMS[name]
    topic = {"Fn::If": ["CreatesTopic", {"Ref": "Alarms"}, {"Ref": "AlarmTopicArn"}]}
    told = {"Fn::If": ["TellsSomebody", [topic], {"Ref": "AWS::NoValue"}]}

    assert " " in alarm["AlarmDescription"]
    assert alarm["AlarmActions"] == alarm["OKActions"] == told
    assert alarm["TreatMissingData"] == "notBreaching"
    assert alarm["ComparisonOperator"] == "GreaterThanThreshold"


def test_an_address_gets_a_topic_of_its_own() -> None:
    """Unless there is a topic already."""
    topic = of_type("AWS::SNS::Topic")["Alarms"]

    assert topic["Subscription"] == [{"Protocol": "email", "Endpoint": {"Ref": "AlarmEmail"}}]
    assert RESOURCES["Alarms"]["Condition"] == "CreatesTopic"
    assert TEMPLATE["Conditions"]["CreatesTopic"] == {
        "Fn::And": [{"Condition": "HasEmail"}, {"Fn::Not": [{"Condition": "HasTopic"}]}]
    }


def test_the_dashboard_shows_metrics_that_exist() -> None:
    """It is JSON once its names are filled in, and every metric of ours on it is one that is written."""
    text, names = of_type("AWS::CloudWatch::Dashboard")["Dashboard"]["DashboardBody"]["Fn::Sub"]
    filled = re.sub(r"\$\{([\w:.]+)\}", r"<\1>", text)
    board = json.loads(filled)
    ours = {
        metric[1]
        for widget in board["widgets"]
        if widget["properties"]["metrics"][0][0] == "Beagle"
        for metric in widget["properties"]["metrics"]
    }
    referred = {name.split(".")[0] for name in re.findall(r"<([\w.]+)>", filled)}

    assert referred <= set(RESOURCES) | set(names)
    assert ours <= KNOWN
    assert set(Ending) - ours == {Ending.PASSED_ON, Ending.AGAIN}
