"""The template as CloudFormation reads it: parameters filled in, conditions decided, references named."""

import re
from collections.abc import Mapping
from typing import Any

from support.template import GLOBALS, TEMPLATE

_GONE = object()
"""What `!Ref AWS::NoValue` leaves behind."""


class Rendering:
    """The template with these parameters; `names` says what a reference means, as "Uploads.Arn"."""

    def __init__(self, parameters: Mapping[str, str], names: Mapping[str, str]) -> None:
        defaults = {
            name: str(parameter["Default"])
            for name, parameter in TEMPLATE["Parameters"].items()
            if "Default" in parameter
        }
        assert parameters.keys() <= TEMPLATE["Parameters"].keys()
        self._names = {**names, **defaults, **parameters}
        self.resources: dict[str, dict[str, Any]] = {
            name: self._resolve({**body, "Properties": _with_globals(body)})
            for name, body in TEMPLATE["Resources"].items()
            if self._exists(body)
        }
        self.outputs: dict[str, str] = {
            name: self._resolve(output["Value"])
            for name, output in TEMPLATE["Outputs"].items()
            if self._exists(output)
        }

    def of_type(self, kind: str) -> dict[str, Any]:
        return {name: body["Properties"] for name, body in self.resources.items() if body["Type"] == kind}

    def _exists(self, body: Mapping[str, Any]) -> bool:
        return "Condition" not in body or self._holds({"Condition": body["Condition"]})

    def _holds(self, condition: Mapping[str, Any]) -> bool:
        [(operator, operand)] = condition.items()
        match operator:
            case "Condition":
                return self._holds(TEMPLATE["Conditions"][operand])
            case "Fn::Equals":
                first, second = (self._resolve(one) for one in operand)
                return bool(first == second)
            case "Fn::Not":
                return not self._holds(operand[0])
            case "Fn::And":
                return all(self._holds(one) for one in operand)
            case "Fn::Or":
                return any(self._holds(one) for one in operand)
        raise AssertionError(f"The template has a condition of an unknown form: {operator}")

    def _resolve(self, node: Any) -> Any:
        if isinstance(node, list):
            return [value for value in map(self._resolve, node) if value is not _GONE]
        if isinstance(node, dict) and _is_call(node):
            return self._call(*next(iter(node.items())))
        if isinstance(node, dict):
            resolved = {name: self._resolve(value) for name, value in node.items()}
            return {name: value for name, value in resolved.items() if value is not _GONE}
        return node

    def _call(self, function: str, operand: Any) -> Any:
        if function == "Fn::If":
            condition, then, otherwise = operand
            return self._resolve(then if self._holds({"Condition": condition}) else otherwise)
        if function == "Fn::Sub":
            text, more = (operand, {}) if isinstance(operand, str) else operand
            names = {**self._names, **self._resolve(more)}
            return re.sub(r"\$\{([\w:.]+)\}", lambda found: names[found[1]], text)
        assert function in {"Ref", "Fn::GetAtt"}
        return _GONE if operand == "AWS::NoValue" else self._names[operand]


def _with_globals(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a resource's properties; those of a function with what all functions have."""
    properties: dict[str, Any] = body.get("Properties", {})
    return _merged(GLOBALS, properties) if body["Type"] == "AWS::Serverless::Function" else properties


def _merged(common: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Return both, as SAM does: mappings are merged, everything else is the function's own."""
    both = dict(common)
    for name, value in own.items():
        inherited = both.get(name)
        mappings = isinstance(inherited, dict) and isinstance(value, dict) and not _is_call(value)
        both[name] = _merged(inherited, value) if mappings and inherited else value
    return both


def _is_call(value: Mapping[str, Any]) -> bool:
    return len(value) == 1 and next(iter(value)).startswith(("Fn::", "Ref"))
