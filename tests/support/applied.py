"""What Terraform makes of a module's example on a stand-in of its provider: every reference resolved."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.schema_provider import ProviderName, schema_mirror
from support.terraform import ROOT, Terraform, copy_module, terraform_in


@dataclass(frozen=True, slots=True)
class Applied:
    """The resources of one deployment, and its outputs."""

    terraform: Terraform
    resources: list[dict[str, Any]]
    outputs: dict[str, Any]

    def of_type(self, kind: str) -> dict[str, dict[str, Any]]:
        """Return the arguments of every resource of a type, by what they are told apart by in the module."""
        return {
            str(one.get("index", one["name"])): one["values"] for one in self.resources if one["type"] == kind
        }

    def address(self, kind: str, name: str) -> dict[str, Any]:
        """Return the arguments of the resources that one block makes, by its keys."""
        return {
            one.get("index", ""): one["values"]
            for one in self.resources
            if (one["type"], one["name"]) == (kind, name)
        }


def apply_example(module: str, provider: ProviderName, place: Path, **variables: str) -> Applied:
    """Apply the example of a module, as its README says, with packages that nobody built."""
    mirror = schema_mirror(provider)
    copy = copy_module(place, ROOT / "infra" / module)
    shutil.copytree(copy / "tests" / "packages", place / ".build")
    given = {f"TF_VAR_{name}": value for name, value in variables.items()}
    terraform = terraform_in(copy / "examples" / "one_bucket", mirror, **given)
    terraform("validate")
    terraform("apply", "-input=false", "-auto-approve")
    state = terraform.data("show", "-json")["values"]
    resources = [one for child in state["root_module"]["child_modules"] for one in child["resources"]]
    return Applied(terraform, resources, terraform.data("output", "-json"))
