"""Terraform on this machine: the program, a mirror of the AWS provider, a copy of the module to run in."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULE = ROOT / "infra" / "aws"
PROVIDER = "*/hashicorp/aws"
"""Where it lies below a mirror, whichever registry it came from."""
SECONDS = 300


def find_mirror() -> Path | None:
    """
    Return a folder that holds the AWS provider: tests ask no registry.

    The environment names it, or it is one of those that Terraform itself looks at, or stands below /opt.
    """
    named = os.environ.get("BEAGLE_TERRAFORM_MIRROR")  # noqa: TID251 - tests have no settings.py
    shared = ("/usr/local/share/terraform/plugins", "/usr/share/terraform/plugins")
    places = [
        *([Path(named)] if named else ()),
        Path.home() / ".terraform.d" / "plugins",
        *map(Path, shared),
        *(path.parents[2] for path in Path("/opt").glob(f"*/{PROVIDER}")),
    ]
    return next((place for place in places if any(place.glob(PROVIDER))), None)


@dataclass(frozen=True, slots=True)
class Terraform:
    """Runs Terraform in one folder, which is its own; nothing of whoever runs the tests gets in."""

    folder: Path
    environment: Mapping[str, str]

    def __call__(self, *command: str, may_fail: bool = False) -> str:
        """Return what a command prints."""
        done = subprocess.run(
            ["terraform", *command],  # noqa: S607 - on the PATH, see require_mirror
            cwd=self.folder,
            env={**self.environment},
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert may_fail or done.returncode == 0, f"terraform {' '.join(command)}:\n{done.stdout}{done.stderr}"
        return done.stdout

    def data(self, *command: str) -> Any:
        return json.loads(self(*command))


def copy_module(place: Path, module: Path = MODULE) -> Path:
    """Copy a module and its examples, so that nothing is left in the tree."""
    leftovers = shutil.ignore_patterns(".terraform*", "terraform.tfstate*")
    shutil.copytree(module, place / "infra" / module.name, ignore=leftovers)
    return place / "infra" / module.name


def bare_terraform(folder: Path, **environment: str) -> Terraform:
    """Return Terraform for a folder, without any provider; skip where there is none."""
    if shutil.which("terraform") is None:
        pytest.skip("no terraform on this machine")
    path = os.environ["PATH"]  # noqa: TID251 - tests have no settings.py
    quiet = {"CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1", "TF_CLI_ARGS": "-no-color"}
    return Terraform(folder, {"PATH": path, "HOME": str(folder), **quiet, **environment})


def terraform_in(folder: Path, mirror: Path | None = None, **environment: str) -> Terraform:
    """Return Terraform for a folder, providers installed from a mirror: that of AWS's is found."""
    configuration = folder / "mirror.tfrc"
    terraform = bare_terraform(folder, TF_CLI_CONFIG_FILE=str(configuration), **environment)
    mirror = mirror or find_mirror()
    if mirror is None:
        pytest.skip("no mirror of Terraform's AWS provider here: BEAGLE_TERRAFORM_MIRROR may name one")
    source = f'filesystem_mirror {{\n    path = "{mirror}"\n  }}'
    configuration.write_text(f"provider_installation {{\n  {source}\n}}\n")
    terraform("init", "-backend=false", "-input=false")
    return terraform
