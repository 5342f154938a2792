"""Who is told, and of what."""

import json
import re
from statistics import mean
from typing import TYPE_CHECKING, Any

import pytest

from beagle.domain import errors
from beagle.domain.outcomes import Ending, Outcome
from beagle.pipeline.endings import LONGEST_WAIT
from beagle.providers.aws.worker import CloudWatchJournal
from support.comparing import written_out
from support.template import CONSUMED, FUNCTIONS, GLOBALS, QUEUES, RESOURCES, TEMPLATE, of_type
from support.world import World

if TYPE_CHECKING:
    from collections.abc import Callable

ALARMS = of_type("AWS::CloudWatch::Alarm")
OURS = {name: alarm for name, alarm in ALARMS.items() if alarm["Namespace"] == "Beagle"}
CLOUDS = {name: alarm for name, alarm in ALARMS.items() if name not in OURS}
CODES = {error.code for error in vars(errors).values() if isinstance(error, type) and hasattr(error, "code")}
DAY = 24 * 60 * 60
# Of each function that consumes a queue: the queue, and how many seconds a try of a message takes at most.
QUEUE_OF = {
    name: QUEUES[source["Properties"]["Queue"]["Fn::GetAtt"].split(".")[0]]
    for name, function in FUNCTIONS.items()
    for source in function["Events"].values()
}
SECONDS = {name: function.get("Timeout", GLOBALS["Timeout"]) for name, function in FUNCTIONS.items()}
# A third of the longest wait is left to chance, on top.
PUT_OFF = 1.5 * LONGEST_WAIT


@pytest.fixture
def emitted(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """What an invocation tells CloudWatch in which all went wrong that can."""
    journal = CloudWatchJournal.of("register", "beagle")
    for code in CODES:
        journal.note("register", Outcome(ending=Ending.AGAIN, code=code, waited=7200.0))
    for ending in Ending:
        journal.note("register", Outcome(ending=ending))
    journal.alarm("darwin_unauthorized", "the key")
    journal.flush()
    [line] = [line for line in capsys.readouterr().out.splitlines() if "CloudWatchMetrics" in line]
    [told] = json.loads(line)["_aws"]["CloudWatchMetrics"]
    [dimensions] = told["Dimensions"]
    return {
        "namespace": told["Namespace"],
        "names": {one["Name"] for one in told["Metrics"]},
        "dimensions": set(dimensions),
    }


def named(value: dict[str, Any]) -> str:
    """Return the logical name that a dimension's value refers to."""
    return str(value.get("Ref") or value["Fn::GetAtt"].split(".")[0])


def watched(metric: str) -> set[str]:
    return {
        named(alarm["Dimensions"][0]["Value"]) for alarm in CLOUDS.values() if alarm["MetricName"] == metric
    }


def test_every_queue_has_an_alarm() -> None:
    """Dead letters and standstill are noticed, and dead letters that are forgotten."""
    assert watched("ApproximateNumberOfMessagesVisible") == {"DeadLetters"}
    assert watched("ApproximateAgeOfOldestMessage") == {*CONSUMED, "DeadLetters"}


def test_dead_letters_are_called_to_mind_before_they_are_gone() -> None:
    """With a day to spare; those, too, that SQS moved, whose days began in the queue they come from."""
    alarm = ALARMS["DeadLettersAgeAlarm"]
    spent = max(
        queue["RedrivePolicy"]["maxReceiveCount"] * (PUT_OFF + SECONDS[name])
        for name, queue in QUEUE_OF.items()
    )

    assert alarm["Threshold"] + spent <= QUEUES["DeadLetters"]["MessageRetentionPeriod"] - DAY


def test_what_eventbridge_does_not_deliver_is_noticed() -> None:
    """That it gave up, and that nothing is left of it, not even a dead letter."""
    told = {
        alarm["MetricName"]: alarm["Dimensions"]
        for alarm in CLOUDS.values()
        if alarm["Namespace"] == "AWS/Events"
    }

    assert set(told) == {"FailedInvocations", "InvocationsFailedToBeSentToDlq"}
    assert all(one == [{"Name": "RuleName", "Value": {"Ref": "Created"}}] for one in told.values())


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
def test_alarms_read_metrics_of_this_deployment_that_exist(name: str, emitted: dict[str, Any]) -> None:
    """A metric that nobody writes would never alarm; one of another stack would alarm for nothing."""
    dimensions = {one["Name"]: one["Value"] for one in OURS[name]["Dimensions"]}

    assert OURS[name]["Namespace"] == emitted["namespace"]
    assert OURS[name]["MetricName"] in emitted["names"]
    assert dimensions.keys() == emitted["dimensions"]
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


@pytest.mark.parametrize("metric", ["Errors", "Duration", "person_needed", "waited_seconds"])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_an_alarm_of_what_a_try_says_lasts_until_the_next(function: str, metric: str) -> None:
    """
    Or a message that waits would start and end it for days. Its window slides, so a period has a try in it.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation-window.html
    """
    [alarm] = [
        alarm
        for alarm in ALARMS.values()
        if alarm["MetricName"] == metric
        and alarm["Dimensions"][-1]["Value"] in (function.lower(), {"Ref": function})
    ]
    gap = max(PUT_OFF, QUEUE_OF[function]["VisibilityTimeout"]) + SECONDS[function]

    assert alarm["Period"] >= gap
    assert alarm["EvaluationPeriods"] == 1


def minutes_of(alarm: dict[str, Any], points: list[tuple[float, float]], until: float) -> list[bool]:
    """Return for each minute whether it is an alarm, by points of time and value."""
    statistics_of: dict[str, Callable[[list[float]], float]] = {"Sum": sum, "Maximum": max, "Average": mean}
    statistic = statistics_of[alarm["Statistic"]]

    def exceeds(end: float) -> bool:
        within = [value for at, value in points if end - alarm["Period"] < at <= end]
        return bool(within) and statistic(within) > alarm["Threshold"]

    return [
        all(exceeds(60 * minute - back * alarm["Period"]) for back in range(alarm["EvaluationPeriods"]))
        for minute in range(int(until / 60))
    ]


@pytest.mark.parametrize(
    ("name", "within_minutes"),
    [("RegisterPersonAlarm", 1), ("RegisterWaitingAlarm", 60 + 25), ("ThrottledAlarm", 60 + 1)],
)
def test_one_item_that_waits_all_day_is_one_alarm(name: str, within_minutes: int) -> None:
    """It begins while there is patience left, and ends with the outage, for the waits as they are."""
    world = World()
    world.upload("a.png")
    world.run_prepare()
    world.network.down = True
    world.settle(hours=24)
    noted = [outcome for stage, outcome in world.journal.notes if stage == "register"]
    waits = [outcome.waited for outcome in noted if outcome.waited is not None]
    said = {"person_needed": 1.0, "throttled_percent": 100.0}
    points = [(waited, said.get(ALARMS[name]["MetricName"], waited)) for waited in waits]
    minutes = minutes_of(ALARMS[name], points, waits[-1])

    assert len(waits) > 60
    assert minutes.index(True) <= within_minutes
    assert all(minutes[minutes.index(True) :])


def test_darwin_that_turns_away_for_a_few_minutes_is_no_alarm() -> None:
    """Of one item, there is only what was turned away, until it is taken."""
    points = [(60.0 + 15 * 2**number, 100.0) for number in range(7)]

    assert not any(minutes_of(ALARMS["ThrottledAlarm"], [*points, (2000.0, 0.0)], 7 * 3600))


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


def test_the_dashboard_shows_metrics_that_exist(emitted: dict[str, Any]) -> None:
    """It is JSON once its names are filled in, and every metric of ours on it is one that is written."""
    text, names = of_type("AWS::CloudWatch::Dashboard")["Dashboard"]["DashboardBody"]["Fn::Sub"]
    filled = re.sub(r"\$\{([\w:.]+)\}", r"<\1>", text)
    board = json.loads(filled)
    ours = {
        metric[1]
        for widget in board["widgets"]
        for metric in written_out(widget["properties"]["metrics"])
        if metric[0] == "Beagle"
    }
    referred = {name.split(".")[0] for name in re.findall(r"<([\w.]+)>", filled)}

    assert referred <= set(RESOURCES) | set(names)
    assert ours <= emitted["names"]
    assert set(Ending) - ours == {Ending.PASSED_ON, Ending.AGAIN}
