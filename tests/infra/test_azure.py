"""infra/azure: what Terraform makes of it, on a stand-in of Azure's provider that knows only its schema.

Nothing here was validated by the provider itself, and nothing was deployed: see support/schema_provider.py.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from beagle.bootstrap.terraform import read_outputs
from beagle.domain.keys import ARTIFACT_PREFIX
from beagle.providers.azure import LONGEST_WAIT_HOURS
from beagle.providers.azure.queue import FOR_EVER
from support.applied import Applied
from support.schema_provider import NEWER, schema_mirror
from support.terraform import MODULE as AWS
from support.terraform import ROOT, bare_terraform, copy_module, terraform_in

pytestmark = pytest.mark.xdist_group("terraform")
MODULE = ROOT / "infra" / "azure"
HOST = json.loads((ROOT / "functions" / "azure" / "host.json").read_text())
OVERRIDE = "AzureFunctionsJobHost__"
HOUR = 3600
# Words of azurerm 4 for what the module uses, that 5 has no more: its guide to 5.0 names them.
REMOVED = {
    "disable_ip_masking",
    "enable_rbac_authorization",
    "internet_ingestion_enabled",
    "internet_query_enabled",
    "local_authentication_disabled",
    "metric_arm_resource_id",
    "queue_properties",
    "resource_manager_id",
    "service_bus_queue_endpoint_id",
    "skip_provider_registration",
    "source_arm_resource_id",
    "static_website",
    "storage_account_name",
}


@pytest.fixture
def apps(azure: Applied) -> dict[str, dict[str, Any]]:
    return azure.of_type("azurerm_function_app_flex_consumption")


@pytest.fixture
def announced(azure: Applied) -> dict[str, Any]:
    """The subscription to what is created."""
    [subscription] = azure.of_type("azurerm_eventgrid_system_topic_event_subscription").values()
    return subscription


@pytest.fixture
def needs(azure: Applied) -> dict[str, set[str]]:
    """What Terraform makes before each resource, by their places in the module."""
    edges = re.findall(r'"module\.beagle\.(\S+)" -> "module\.beagle\.(\S+)"', azure.terraform("graph"))
    needed: dict[str, set[str]] = {}
    for later, earlier in edges:
        needed.setdefault(later, set()).add(earlier)
    return {later: _reached(later, needed) for later in needed}


def _reached(later: str, needed: dict[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = [later]
    while waiting:
        more = needed.get(waiting.pop(), set()) - found
        found |= more
        waiting += more
    return found


def seconds(span: str) -> int:
    hours, minutes, rest = map(int, span.split(":"))
    return hours * HOUR + minutes * 60 + rest


def test_terraform_would_not_format_it_otherwise() -> None:
    """Nor its example, nor its tests."""
    assert bare_terraform(MODULE)("fmt", "-check", "-recursive") == ""


def test_slips_of_the_finger_are_refused(tmp_path: Path) -> None:
    """By the module itself, before anything is made; what is just allowed is not."""
    mirror = schema_mirror("azurerm")
    said = terraform_in(copy_module(tmp_path, MODULE), mirror)("test", "-json", may_fail=True)
    runs = [line["test_run"] for line in map(json.loads, said.splitlines()) if line["type"] == "test_run"]
    ended = {run["run"]: run["status"] for run in runs if run["progress"] == "complete"}

    assert len(ended) > 5
    assert set(ended.values()) == {"pass"}


def test_what_is_let_go_of_is_taken_back_by_its_name(azure: Applied) -> None:
    """Its page says how, for all that a new deployment of the same name would be refused for."""
    page = (MODULE / "README.md").read_text()
    [let_go] = re.findall(r"terraform state list \| grep -E '(\S+)'", page)
    imported = re.findall(r"(?m)^terraform import '(\S+)' ", page)
    kept = {one["address"] for one in azure.resources if re.match(let_go, one["address"])}

    assert kept
    assert kept <= set(imported)


def test_the_module_speaks_the_words_of_the_major_that_it_asks_for() -> None:
    """The stand-in is of the one before: what it lacks was put into it, and what it still has is not said."""
    text = "".join(path.read_text() for path in MODULE.rglob("*.tf"))
    page = (MODULE / "README.md").read_text()
    words = set(re.findall(r"[a-z_]+", text))
    for (kind, argument), older in NEWER["azurerm"].items():
        [block] = re.findall(rf'(?ms)^resource "{kind}" .*?^}}', text)

        assert f" {argument} " in block
        assert older in REMOVED
        assert f"`{argument}`" in page
    assert not words & REMOVED
    for kind in ("azurerm_storage_container", "azurerm_storage_queue"):
        blocks = re.findall(rf'(?ms)^resource "{kind}" .*?^}}', text)

        assert blocks
        assert all("storage_account_id" in block for block in blocks)


def test_applied_again_it_changes_nothing(azure: Applied) -> None:
    """Nothing in it depends on when it is planned."""
    assert "No changes." in azure.terraform("plan", "-input=false")


def test_who_acts_has_its_roles_by_then(needs: dict[str, set[str]]) -> None:
    """Event Grid before it is subscribed, and each app before it exists; packages come into what is there."""
    app, subscription = (
        "azurerm_function_app_flex_consumption.stage",
        "azurerm_eventgrid_system_topic_event_subscription.created",
    )

    assert {"azurerm_role_assignment.announcing", app} <= needs[subscription]
    assert {f"azurerm_role_assignment.{what}" for what in ("queues", "blobs", "secret", "logs")} <= needs[app]
    assert {"azurerm_storage_queue.work", "azurerm_storage_queue.dead"} <= needs[app]
    assert app in needs["terraform_data.package"]


def test_only_what_is_created_below_the_prefix_is_announced(
    announced: dict[str, Any], apps: dict[str, dict[str, Any]]
) -> None:
    """As far as it is spelled alike everywhere; our artifacts do not start us again."""
    subjects = "/blobServices/default/containers/uploads/blobs/"
    [subject], [advanced] = announced["subject_filter"], announced["advanced_filter"]
    [prefix] = {one["app_settings"]["BEAGLE_PREFIX"] for one in apps.values()}
    told = {one["app_settings"]["BEAGLE_ARTIFACT_PREFIX"] for one in apps.values()}

    assert announced["included_event_types"] == ["Microsoft.Storage.BlobCreated"]
    assert (subject["subject_begins_with"], subject["case_sensitive"]) in {
        (subjects, True),
        (f"{subjects}cars", True),
    }
    assert f"{subjects}{prefix}".startswith(subject["subject_begins_with"])
    assert {name: found for name, found in advanced.items() if found} == {
        "string_not_begins_with": [{"key": "subject", "values": [f"{subjects}{ARTIFACT_PREFIX}"]}]
    }
    assert told == {ARTIFACT_PREFIX}


def test_event_grid_delivers_by_its_identity_and_to_no_address(announced: dict[str, Any]) -> None:
    """Into the queue of uploads, for as long as it ever tries; then into a container."""
    [queue], [retry] = announced["storage_queue_endpoint"], announced["retry_policy"]
    [undelivered] = announced["storage_blob_dead_letter_destination"]
    identity = [{"type": "SystemAssigned", "user_assigned_identity": None}]

    assert not announced["webhook_endpoint"]
    assert not announced["azure_function_endpoint"]
    assert announced["delivery_identity"] == announced["dead_letter_identity"] == identity
    assert queue["queue_name"] == "uploads"
    assert undelivered["storage_blob_container_name"] == "undelivered"
    assert queue["storage_account_id"] == undelivered["storage_account_id"]
    assert (retry["max_delivery_attempts"], retry["event_time_to_live"]) == (30, 24 * 60)


def test_no_configuration_has_an_address_to_call() -> None:
    """The module, its example and the functions know queues only."""
    sources = [*MODULE.rglob("*.tf"), *(ROOT / "functions" / "azure").glob("*.py")]

    assert len(sources) > 10
    assert not [path for path in sources if re.search(r"webhook_|http_trigger|route\(", path.read_text())]


def test_every_message_outlives_an_outage(announced: dict[str, Any], apps: dict[str, dict[str, Any]]) -> None:
    """It is tried for as long as a group may wait, by what host.json says for all, and kept for ever."""
    told = HOST["extensions"]["queues"]
    patience = seconds(told["visibilityTimeout"]) * (told["maxDequeueCount"] - 2)
    [queue] = announced["storage_queue_endpoint"]

    assert patience >= LONGEST_WAIT_HOURS * HOUR >= 24 * HOUR
    assert queue["queue_message_time_to_live_in_seconds"] == FOR_EVER
    for one in apps.values():
        over = {name for name in one["app_settings"] if name.startswith(OVERRIDE)}

        # The functions read host.json for themselves.
        assert not [name for name in over if "visibilityTimeout" in name or "maxDequeueCount" in name]


def test_the_command_line_finds_the_deployment(azure: Applied, tmp_path: Path) -> None:
    """By what the example passes on."""
    file = tmp_path / "outputs.json"
    file.write_text(json.dumps(azure.outputs))
    told = read_outputs(file)
    work = set(azure.address("azurerm_storage_queue", "work"))

    assert (told["provider"], told["uploads_queue"], told["dead_letters_queue"]) == (
        *("azure", "uploads", "dead-letters"),
    )
    assert set(told["working_queues"]) == work
    assert {f"{queue}-poison" for queue in work} | {"dead-letters"} == set(
        azure.address("azurerm_storage_queue", "dead")
    )


def variables(module: Path) -> dict[str, str]:
    return dict(re.findall(r'(?ms)^variable "(\w+)" \{\n(.*?)^\}', (module / "variables.tf").read_text()))


def test_the_same_word_means_the_same_as_on_aws() -> None:
    """To the letter, or with another provider's limits; what has no counterpart has no name either."""
    ours, theirs = variables(MODULE), variables(AWS)
    limits = {"packages", "bucket_name", "create_bucket", "prefix", "api_key_secret", "alarm_email"}
    limits |= {"routes", "requests_per_minute", "extract_memory", "extract_concurrency"}
    limits |= {"log_retention_days"}

    assert set(ours) - set(theirs) == {
        *("location", "resource_group_name", "account_id", "system_topic", "replication"),
        *("register_concurrency", "operators", "action_groups"),
    }
    assert {name for name in set(ours) & set(theirs) if ours[name] != theirs[name]} == limits
    assert all(re.search(r'(?m)^  description = ".*\."$', block) for block in ours.values())
