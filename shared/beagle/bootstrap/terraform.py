"""What Terraform tells of a deployment: the outputs of a module, however a configuration passes them on."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

from beagle.domain.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# What every deployment on a provider has, and nothing else has by accident.
_TELLING = (
    frozenset({"dead_letters_queue_url", "uploads_queue_url"}),
    frozenset({"provider", "dead_letters_subscription", "uploads_topic"}),
    frozenset({"provider", "queues_url", "dead_letters_queue", "uploads_queue", "working_queues"}),
)
_ANSWER_SECONDS = 120.0  # the state may lie far away


def read_outputs(place: Path) -> Mapping[str, Any]:
    """Return the outputs of the one deployment that a folder or a file of `terraform output -json` holds.

    Raises:
        ConfigurationError: They cannot be had, or are none of Beagle's, or are of several deployments.

    """
    if place.is_dir():
        text = _ask(place)
    else:
        try:
            text = place.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(
                f"{place} is neither a folder with a Terraform configuration nor a file of its outputs."
            ) from error
    try:
        told = json.loads(text)
    except ValueError as error:
        raise ConfigurationError(f"{place} is no JSON, as `terraform output -json` prints it.") from error
    found = _deployments(told)
    if not found:
        raise ConfigurationError(
            f"{place} has no outputs of Beagle's. Is it applied, and does it pass the module's outputs on "
            '(output "beagle" { value = module.beagle })?'
        )
    if len(found) > 1:
        name = min(found)
        raise ConfigurationError(
            f"{place} holds several deployments: {', '.join(sorted(found))}. Name a file that holds one: "
            f"terraform output -json {name} > {name}.json"
        )
    return found.popitem()[1]


def _ask(folder: Path) -> str:
    program = shutil.which("terraform") or shutil.which("tofu")
    if program is None:
        raise ConfigurationError(
            "There is no Terraform on this machine. Where there is: terraform output -json > FILE; then name "
            "the file (--terraform FILE)."
        )
    try:
        told = subprocess.run(  # noqa: S603 - Terraform, and a folder as one argument
            [program, f"-chdir={folder}", "output", "-json", "-no-color"],
            check=False,
            capture_output=True,
            text=True,
            timeout=_ANSWER_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise ConfigurationError(
            f"Terraform did not tell the outputs of {folder} within {_ANSWER_SECONDS:g} s."
        ) from error
    if told.returncode != 0:
        reason = " ".join(told.stderr.replace("\u2502", " ").split()) or "without a word"
        raise ConfigurationError(f"Terraform does not tell the outputs of {folder}: {reason}")
    return told.stdout


def _deployments(told: object) -> dict[str, Mapping[str, Any]]:
    """Return every set of Beagle's outputs by the name of its output; none where it is all there is."""
    if not isinstance(told, dict):
        return {}
    # All outputs come each in an envelope; what `terraform output -json NAME` prints is bare.
    values = {
        name: one["value"] if isinstance(one, dict) and "value" in one else one for name, one in told.items()
    }
    if _tells(values):
        return {"": values}
    return {name: one for name, one in values.items() if isinstance(one, dict) and _tells(one)}


def _tells(values: Mapping[str, Any]) -> bool:
    return any(values.keys() >= telling for telling in _TELLING)
