"""The template as data: its queues, roles and alarms, for claims about them."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from beagle.pipeline.endings import shortest_wait

ROOT = Path(__file__).resolve().parents[2]
ARTIFACTS = ".beagle/"
DAY = 24 * 60 * 60


class TemplateLoader(yaml.SafeLoader):
    """Reads the short forms of CloudFormation: `!Ref X` is `{"Ref": "X"}`, `!Sub x` is `{"Fn::Sub": "x"}`."""


def _short_form(loader: yaml.SafeLoader, tag: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)
        value = loader.construct_mapping(node, deep=True)
    return {tag if tag in {"Ref", "Condition"} else f"Fn::{tag}": value}


TemplateLoader.add_multi_constructor("!", _short_form)
TEMPLATE: dict[str, Any] = yaml.load((ROOT / "template.yaml").read_text(), Loader=TemplateLoader)  # noqa: S506 - safe
RESOURCES: dict[str, Any] = TEMPLATE["Resources"]
GLOBALS: dict[str, Any] = TEMPLATE["Globals"]["Function"]


def of_type(kind: str) -> dict[str, Any]:
    return {name: body["Properties"] for name, body in RESOURCES.items() if body["Type"] == kind}


FUNCTIONS = of_type("AWS::Serverless::Function")
QUEUES = of_type("AWS::SQS::Queue")
BUCKETS = of_type("AWS::S3::Bucket")
SOURCES = {
    f"{name}.{event}": (function, source["Properties"])
    for name, function in FUNCTIONS.items()
    for event, source in function["Events"].items()
}
# The queues that a function consumes; the others end in somebody's hands.
CONSUMED = {source["Queue"]["Fn::GetAtt"].split(".")[0] for _, source in SOURCES.values()}


def walk(node: object) -> Iterator[dict[str, Any]]:
    """Yield every mapping below a node."""
    if isinstance(node, dict):
        yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from walk(child)


def patience_of(queue: Mapping[str, Any]) -> float:
    """Return the seconds for which a message lasts at least, until SQS gives up on it.

    It is hidden for the queue's time-out where its function ended without a word, else for as long
    as Beagle says.
    """
    receives: int = queue["RedrivePolicy"]["maxReceiveCount"]
    given_back = sum(shortest_wait(attempts) for attempts in range(1, receives + 1))
    return min(queue["VisibilityTimeout"] * receives, given_back)


STATEMENTS = [node for node in walk(RESOURCES) if "Effect" in node]


def as_list(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]


def granted(role: str) -> dict[str, list[Any]]:
    """Map each action a role may take to the resources it may take it on."""
    actions: dict[str, list[Any]] = {}
    for node in walk(RESOURCES[role]["Properties"]["Policies"]):
        if "Effect" in node:
            for action in as_list(node["Action"]):
                actions.setdefault(action, []).extend(as_list(node["Resource"]))
    return actions
