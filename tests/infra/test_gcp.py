"""infra/gcp by Terraform's own tools: its form, what it refuses, what it tells; and what it deploys.

A stand-in of Google's provider applies it, which knows the schema and no values (support/schema_provider.py).
Nothing here was validated by the provider itself, and nothing was deployed.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from beagle.bootstrap.terraform import read_outputs
from beagle.costs.deployments import DEPLOYMENTS
from beagle.settings import Settings, read_settings
from support.applied import Applied
from support.schema_provider import schema_mirror
from support.terraform import MODULE as AWS
from support.terraform import ROOT, bare_terraform, copy_module, terraform_in

pytestmark = pytest.mark.xdist_group("terraform")
MODULE = ROOT / "infra" / "gcp"
PUBSUB_REMEMBERS = 31  # days


@pytest.fixture
def functions(google: Applied) -> dict[str, dict[str, Any]]:
    return google.of_type("google_cloudfunctions2_function")


def test_terraform_would_not_format_it_otherwise() -> None:
    """Nor its example, nor its tests."""
    assert bare_terraform(MODULE)("fmt", "-check", "-recursive") == ""


def test_slips_of_the_finger_are_refused(tmp_path: Path) -> None:
    """By the module itself, before anything is made; what is just allowed is not."""
    mirror = schema_mirror("google")
    said = terraform_in(copy_module(tmp_path, MODULE), mirror)("test", "-json", may_fail=True)
    runs = [line["test_run"] for line in map(json.loads, said.splitlines()) if line["type"] == "test_run"]
    ended = {run["run"]: run["status"] for run in runs if run["progress"] == "complete"}

    assert len(ended) > 3
    assert set(ended.values()) == {"pass"}


def test_applied_again_it_changes_nothing(google: Applied) -> None:
    """Nothing in it depends on when it is planned."""
    assert "No changes." in google.terraform("plan", "-input=false")


def test_functions_are_told_what_their_settings_ask_for(functions: dict[str, dict[str, Any]]) -> None:
    """In the words of settings.py, and nothing that it does not know."""
    fields = {f"BEAGLE_{name.upper()}" for name in Settings.model_fields}
    for name, function in functions.items():
        told = function["service_config"][0]["environment_variables"]
        settings = read_settings(told)

        assert set(told) - fields == {"THREADS"}
        assert settings.uploads_queue == "google_pubsub_topic.beagle-uploads.id"
        assert settings.dead_letters_queue == "google_pubsub_topic.beagle-dead-letters.id"
        assert settings.api_key_secret == "google_secret_manager_secret.beagle-api-key.id"  # noqa: S105 - a name
        assert bool(settings.videos_queue) is ("extract" in functions)
        assert function["build_config"][0]["runtime"] == "python313"
        assert function["build_config"][0]["entry_point"] == "handler"
        assert re.fullmatch(
            rf"code/{name}-[0-9a-f]{{16}}\.zip",
            function["build_config"][0]["source"][0]["storage_source"][0]["object"],
        )


def test_sizes_are_those_that_an_estimate_counts(functions: dict[str, dict[str, Any]]) -> None:
    """And an instance has a thread for each request that it may be sent."""
    plan = DEPLOYMENTS["gcp"]
    sizes = {"prepare": plan.prepare, "extract": plan.extract, "register": plan.register}
    if "extract" in functions:
        sizes["prepare"] = plan.prepare_read_only
    for name, function in functions.items():
        config = function["service_config"][0]

        assert config["available_memory"] == f"{1024 * sizes[name].gb:.0f}Mi"
        assert float(config["available_cpu"]) == sizes[name].processors
        assert config["max_instance_request_concurrency"] >= sizes[name].gathers
        assert config["available_memory"] == f"{config['environment_variables']['BEAGLE_MEMORY_MEGABYTES']}Mi"
        assert config["environment_variables"]["THREADS"] == str(config["max_instance_request_concurrency"])
    assert functions["register"]["service_config"][0]["max_instance_count"] == 2
    if "extract" in functions:
        assert functions["extract"]["service_config"][0]["max_instance_request_concurrency"] == 1
        assert functions["extract"]["service_config"][0]["timeout_seconds"] == plan.invocation_seconds


def test_the_key_has_no_value_in_the_state(google: Applied) -> None:
    """The module makes a secret, never its value."""
    assert "google_secret_manager_secret" in {one["type"] for one in google.resources}
    assert not [one["type"] for one in google.resources if one["type"].endswith("_secret_version")]


def test_a_bucket_that_exists_is_not_managed(google: Applied) -> None:
    """Only what remembers is; its leftovers go when nothing can ask for them any more."""
    [state] = google.of_type("google_storage_bucket").values()
    rules = {rule["action"][0]["type"]: rule["condition"][0] for rule in state["lifecycle_rule"]}

    assert state["versioning"] == [{"enabled": False}]
    assert rules["Delete"]["matches_prefix"] == ["parcels/", "parts/", "attempts/"]
    assert rules["Delete"]["age"] > PUBSUB_REMEMBERS


def test_what_is_let_go_of_is_taken_back_by_its_name(google: Applied) -> None:
    """Its page says how, for all that a new deployment of the same name would be refused for."""
    imported = re.findall(r"(?m)^terraform import '(\S+)' ", (MODULE / "README.md").read_text())
    kept = {one["address"] for one in google.resources if one["type"] == "google_storage_bucket"}

    assert kept <= set(imported)


def test_the_command_line_finds_the_deployment(google: Applied, tmp_path: Path) -> None:
    """By what the example passes on."""
    file = tmp_path / "outputs.json"
    file.write_text(json.dumps(google.outputs))
    told = read_outputs(file)

    assert told["provider"] == "gcp"
    assert told["uploads_topic"] == "google_pubsub_topic.beagle-uploads.id"
    assert told["dead_letters_subscription"] == "google_pubsub_subscription.beagle-dead-letters.id"


def variables(module: Path) -> dict[str, str]:
    return dict(re.findall(r'(?ms)^variable "(\w+)" \{\n(.*?)^\}', (module / "variables.tf").read_text()))


def test_the_same_word_means_the_same_as_on_aws() -> None:
    """To the letter, or with another provider's limits; what has no counterpart has no name either."""
    ours, theirs = variables(MODULE), variables(AWS)
    limits = {"name", "packages", "bucket_name", "create_bucket", "api_key_secret", "alarm_email"}
    limits |= {"prefix", "routes", "extract_memory", "extract_concurrency"}

    assert set(ours) - set(theirs) == {"region", "bucket_project", "notification_channels"}
    assert {name for name in set(ours) & set(theirs) if ours[name] != theirs[name]} == limits
    assert all(re.search(r'(?m)^  description = ".*\."$', block) for block in ours.values())
