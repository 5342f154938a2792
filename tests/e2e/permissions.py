"""Every permission that the template grants to a role; each alone can be taken from a deployed role."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, cast

from beagle.playground.stack import Function, Stack
from support.template import RESOURCES, as_list, of_type

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Permission:
    """One action on one resource, and where the template grants it."""

    role: str
    policy: str
    statement: int
    action: str
    resource: str
    """In few words, e.g. `State/groups`."""
    place: int = field(compare=False)
    """Which of the statement's resources it is."""

    def __str__(self) -> str:
        """Name it as tests are named, e.g. `prepare-s3:PutObject-State/groups`."""
        return f"{self.stage}-{self.need}"

    @property
    def need(self) -> str:
        """What is granted, whoever has it."""
        return f"{self.action}-{self.resource}"

    @property
    def stage(self) -> Function:
        """Whose role it is."""
        return cast("Function", self.role.removesuffix("Role").lower())

    def taken_from(self, document: Document) -> Document:
        """Return a deployed policy without this permission and with all others."""
        statements = list(document["Statement"])
        granted = statements.pop(self.statement)
        actions, resources = as_list(granted["Action"]), as_list(granted["Resource"])
        other_actions = [action for action in actions if action != self.action]
        other_resources = [one for place, one in enumerate(resources) if place != self.place]
        assert len(other_actions) == len(actions) - 1
        assert len(other_resources) == len(resources) - 1
        if other_actions:
            statements.append({**granted, "Action": other_actions})
        if other_resources:
            statements.append({**granted, "Action": self.action, "Resource": other_resources})
        # A policy must say something.
        statements = statements or [{**granted, "Action": "sts:GetCallerIdentity", "Resource": "*"}]
        return {**document, "Statement": statements}

    def covers(self, action: str, arn: str, document: Document) -> bool:
        """Say whether it is what allows a request, by the deployed policy."""
        pattern = as_list(document["Statement"][self.statement]["Resource"])[self.place]
        return action == self.action and fnmatchcase(arn, pattern)


def granted_permissions() -> list[Permission]:
    """Return what the template grants to the functions' roles, under whatever condition."""
    return [
        Permission(role, policy["PolicyName"], number, action, _in_few_words(resource), place)
        for role in of_type("AWS::IAM::Role")
        for policy in _policies(role)
        for number, statement in enumerate(policy["PolicyDocument"]["Statement"])
        for action in as_list(statement["Action"])
        for place, resource in enumerate(as_list(statement["Resource"]))
    ]


@contextmanager
def without(permission: Permission, stack: Stack) -> Iterator[Document]:
    """Take a permission from its deployed role while the block lasts; lend the policy as it was deployed."""
    iam = stack.aws.client("iam")
    found = stack.aws.client("cloudformation").describe_stack_resource(
        StackName=stack.name, LogicalResourceId=permission.role
    )
    place = {
        "RoleName": found["StackResourceDetail"]["PhysicalResourceId"],
        "PolicyName": permission.policy,
    }
    document: Document = iam.get_role_policy(**place)["PolicyDocument"]
    iam.put_role_policy(**place, PolicyDocument=json.dumps(permission.taken_from(document)))
    try:
        yield document
    finally:
        iam.put_role_policy(**place, PolicyDocument=json.dumps(document))


def _policies(role: str) -> list[Document]:
    return [
        policy["Fn::If"][1] if "Fn::If" in policy else policy
        for policy in RESOURCES[role]["Properties"]["Policies"]
    ]


def _in_few_words(resource: Any) -> str:
    if isinstance(resource, str):
        return {"*": "any"}[resource]
    [(form, value)] = resource.items()
    if form == "Fn::If":
        return _in_few_words(value[1])
    if form == "Fn::GetAtt":
        return str(value).partition(".")[0]
    named = re.sub(r"\$\{(\w+)(\.Arn)?\}", r"\1", str(value))
    return named.removeprefix("arn:${AWS::Partition}:s3:::").rstrip("/*")
