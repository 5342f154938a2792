"""What the cost model says of the AWS deployment is what the template deploys."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from beagle.costs import measured
from beagle.costs.deployments import DEPLOYMENTS, EXTRACT_AT_ONCE, Function
from beagle.playground.packaging import project_root
from beagle.settings import Settings

AWS = DEPLOYMENTS["aws"]


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's short forms as `[tag, value]`."""


def _short_form(loader: _Loader, tag: str, node: yaml.Node) -> list[Any]:
    if isinstance(node, yaml.SequenceNode):
        return [tag, *loader.construct_sequence(node, deep=True)]
    if isinstance(node, yaml.MappingNode):
        return [tag, loader.construct_mapping(node, deep=True)]
    return [tag, node.value]


_Loader.add_multi_constructor("!", _short_form)
TEMPLATE: dict[str, Any] = yaml.load((project_root() / "template.yaml").read_text(), _Loader)  # noqa: S506 - a SafeLoader
RESOURCES: dict[str, dict[str, Any]] = TEMPLATE["Resources"]


def of_type(name: str) -> list[dict[str, Any]]:
    return [resource for resource in RESOURCES.values() if resource["Type"] == name]


def memory(function: str, *, read_only: bool) -> int:
    """Return a function's megabytes, its parameters at their defaults."""
    said = RESOURCES[function]["Properties"].get("MemorySize", TEMPLATE["Globals"]["Function"]["MemorySize"])
    if isinstance(said, list) and said[0] == "If":
        said = said[2] if read_only else said[3]
    return int(TEMPLATE["Parameters"][said[1]]["Default"] if isinstance(said, list) else said)


def batch(function: str) -> int:
    [event] = RESOURCES[function]["Properties"]["Events"].values()
    said = event["Properties"]["BatchSize"]
    return int(TEMPLATE["Parameters"][said[1]]["Default"] if isinstance(said, list) else said)


@pytest.mark.parametrize(
    ("name", "read_only", "function"),
    [
        ("Prepare", False, AWS.prepare),
        ("Prepare", True, AWS.prepare_read_only),
        ("Extract", True, AWS.extract),
        ("Register", False, AWS.register),
    ],
)
def test_functions_are_as_large_as_the_template_makes_them(name: str, read_only: bool, function: Function):  # noqa: FBT001 - a parameter
    megabytes = memory(name, read_only=read_only)

    assert function.gb * 1024 == megabytes
    assert function.processors == pytest.approx(megabytes / 1769)
    assert function.batch == batch(name)


def test_extract_has_the_disk_the_time_and_the_concurrency_of_the_template():
    extract = RESOURCES["Extract"]["Properties"]

    assert AWS.disk_gb * 1024 + 512 == extract["EphemeralStorage"]["Size"]
    assert AWS.room_gb * 1e9 <= extract["EphemeralStorage"]["Size"] * 1024**2
    assert AWS.invocation_seconds == extract["Timeout"] == Settings().invocation_seconds
    assert TEMPLATE["Parameters"]["ExtractConcurrency"]["Default"] == EXTRACT_AT_ONCE


def test_messages_gather_for_as_long_as_the_settings_say():
    assert Settings().gather_seconds == measured.GATHER_SECONDS


def test_the_alarms_and_dashboards_are_those_of_the_template():
    """An alarm over an expression is billed by the metrics that it reads."""
    alarms = {
        is_read_only: sum(
            sum("MetricStat" in query for query in alarm["Properties"].get("Metrics", [{"MetricStat": ()}]))
            for alarm in of_type("AWS::CloudWatch::Alarm")
            if alarm.get("Condition") in {None, *(["IsReadOnly"] if is_read_only else [])}
        )
        for is_read_only in (False, True)
    }

    assert AWS.alarms == (alarms[False], alarms[True])
    assert AWS.dashboards == len(of_type("AWS::CloudWatch::Dashboard"))
