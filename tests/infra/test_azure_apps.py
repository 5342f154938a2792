"""The function apps of infra/azure; as in test_azure.py, a stand-in of the provider has applied them."""

import json
import re
from typing import Any

import pytest

from beagle.costs.deployments import DEPLOYMENTS
from beagle.playground.packaging import FUNCTIONS
from beagle.settings import Settings, read_settings
from support.applied import Applied
from support.terraform import ROOT

pytestmark = pytest.mark.xdist_group("terraform")
HOST = json.loads((ROOT / "functions" / "azure" / "host.json").read_text())
OVERRIDE = "AzureFunctionsJobHost__"
OTHERS = {  # what Azure's own host and libraries are told
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
    "AZURE_CLIENT_ID",
    "AZURE_TOKEN_CREDENTIALS",
    "BEAGLE_QUEUES__clientId",
    "BEAGLE_QUEUES__credential",
    "BEAGLE_QUEUES__queueServiceUri",
    "PYTHON_THREADPOOL_THREAD_COUNT",
}


@pytest.fixture
def apps(azure: Applied) -> dict[str, dict[str, Any]]:
    return azure.of_type("azurerm_function_app_flex_consumption")


def seconds(span: str) -> int:
    hours, minutes, rest = map(int, span.split(":"))
    return hours * 3600 + minutes * 60 + rest


def test_functions_are_told_what_their_settings_ask_for(apps: dict[str, dict[str, Any]]) -> None:
    """In the words of settings.py and of host.json, and nothing that neither knows."""
    fields = {f"BEAGLE_{name.upper()}" for name in Settings.model_fields}
    queues = {f"{OVERRIDE}extensions__queues__{name}" for name in HOST["extensions"]["queues"]}
    over = {f"{OVERRIDE}functionTimeout"}
    for name, app in apps.items():
        told = app["app_settings"]
        settings = read_settings(told)

        assert set(told) - fields - queues - over == OTHERS
        assert settings.stages == (name,)
        assert settings.uploads_queue == "uploads"
        assert settings.dead_letters_queue == "dead-letters"
        assert bool(settings.videos_queue) is ("extract" in apps)
        assert settings.state_bucket == "state"
        assert re.fullmatch(r"https://beaglestate[0-9a-f]{8}\.queue\.core\.windows\.net", settings.queues_url)
        assert settings.queues == ""
        assert settings.state_url == settings.queues_url.replace(".queue.", ".blob.")
        assert re.fullmatch(r"https://(acmedata|beaglesource\w{8})\.blob\.core\.\S+net", settings.account_url)
        assert settings.invocation_seconds == seconds(told[f"{OVERRIDE}functionTimeout"])


def test_an_instance_takes_what_it_can_work_on(apps: dict[str, dict[str, Any]]) -> None:
    """Films one at a time, and pictures; items enough for a request while another is under way."""
    at_once = {}
    for name, app in apps.items():
        told = app["app_settings"]
        batch, more = (
            int(told[f"{OVERRIDE}extensions__queues__{setting}"])
            for setting in ("batchSize", "newBatchThreshold")
        )
        at_once[name] = batch + more

        assert 1 <= batch <= 32  # the host's most
        assert more >= 0
        assert int(told["PYTHON_THREADPOOL_THREAD_COUNT"]) >= min(at_once[name], 32)
        assert (app["runtime_name"], app["runtime_version"]) == ("python", "3.13")
    assert at_once["register"] == 2 * int(apps["register"]["app_settings"]["BEAGLE_ITEMS_PER_REQUEST"])
    assert apps["register"]["maximum_instance_count"] == 2
    assert at_once["prepare"] == (1 if "extract" in apps else 20)
    assert at_once.get("extract", 1) == 1


def test_sizes_are_those_that_an_estimate_counts(apps: dict[str, dict[str, Any]]) -> None:
    """And an instance takes as many items as an estimate lets it gather."""
    plan = DEPLOYMENTS["azure"]
    sizes = {"prepare": plan.prepare, "extract": plan.extract, "register": plan.register}
    if "extract" in apps:
        sizes["prepare"] = plan.prepare_read_only
        told = apps["extract"]["app_settings"]["BEAGLE_INVOCATION_SECONDS"]

        assert float(told) == plan.invocation_seconds
    for name, app in apps.items():
        assert app["instance_memory_in_mb"] == 1024 * sizes[name].gb
    assert int(apps["register"]["app_settings"]["BEAGLE_ITEMS_PER_REQUEST"]) == plan.register.gathers


def test_each_app_has_a_plan_of_its_own_and_its_package(
    azure: Applied, apps: dict[str, dict[str, Any]], asked_az: list[str]
) -> None:
    """Flex Consumption takes one app to a plan; Azure's command line brings the packages."""
    plans = azure.of_type("azurerm_service_plan")
    names = {name: app["name"] for name, app in apps.items()}

    assert {one["sku_name"] for one in plans.values()} == {"FC1"}
    assert len({one["service_plan_id"] for one in apps.values()}) == len(apps) == len(plans)
    assert len(asked_az) == len(apps)
    for name, app in names.items():
        [asked] = [line for line in asked_az if f"--name {app} " in line]

        assert asked.startswith("functionapp deployment source config-zip --subscription ")
        assert f"/functions/azure/{name}.zip --build-remote false" in asked
    assert set(apps) <= set(FUNCTIONS)
