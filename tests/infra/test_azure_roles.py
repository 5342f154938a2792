"""Who may do what on Azure; as in test_azure.py, a stand-in of the provider has applied it."""

import re
from typing import Any

import pytest

from beagle.domain.keys import ARTIFACT_PREFIX
from support.applied import Applied
from support.terraform import ROOT

pytestmark = pytest.mark.xdist_group("terraform")
Grants = set[tuple[str, str, str]]
BLOBS = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"


def grants(azure: Applied, name: str) -> Grants:
    """Return who has which role on what, of the assignments of one block."""
    return {
        (one["principal_id"], one["role_definition_name"], one["scope"])
        for one in azure.address("azurerm_role_assignment", name).values()
    }


def of_type(azure: Applied, kind: str) -> list[dict[str, Any]]:
    return [one["values"] for one in azure.resources if one["type"] == kind]


def identity(function: str) -> str:
    return f"azurerm_user_assigned_identity.beagle-{function}.principal_id"


def queue(name: str) -> str:
    return f"azurerm_storage_queue.{name}.id"


@pytest.fixture
def functions(azure: Applied) -> dict[str, dict[str, Any]]:
    return azure.of_type("azurerm_function_app_flex_consumption")


def test_functions_own_their_queue_and_send_where_their_work_goes(
    azure: Applied, functions: dict[str, dict[str, Any]]
) -> None:
    """And nowhere else. To put a message off, a function must write it: to read and process is not enough."""
    own = {"prepare": "uploads", "extract": "videos", "register": "items"}
    onward = {
        "prepare": ["items", "videos"] if "extract" in functions else ["items"],
        "extract": ["items"],
        "register": [],
    }
    wanted: Grants = set()
    for name in functions:
        wanted.add((identity(name), "Storage Queue Data Contributor", queue(own[name])))
        for sent in [*onward[name], "dead-letters", f"{own[name]}-poison"]:
            wanted.add((identity(name), "Storage Queue Data Message Sender", queue(sent)))

    assert grants(azure, "queues") == wanted


def test_functions_reach_the_objects_they_need(azure: Applied, functions: dict[str, dict[str, Any]]) -> None:
    """By prefix, each in its own places; the watched container only where Darwin may not write."""
    state = "azurerm_storage_container.state.id"
    wanted = {
        ("prepare", "Contributor", state, ("attempts/prepare/", "groups/", "parcels/")),
        ("register", "Contributor", state, ("attempts/register/", "ledger/")),
        ("register", "Reader", state, ("parcels/",)),
    }
    if "extract" in functions:
        source = (
            "/subscriptions/acme/resourceGroups/data/providers/Microsoft.Storage/storageAccounts/acmedata"
        )
        source += "/blobServices/default/containers/uploads"
        wanted.add(("extract", "Contributor", state, ("attempts/extract/", "parcels/", "parts/")))
        wanted.add(("extract", "Reader", state, ("ledger/",)))
        for name in ("prepare", "extract"):
            wanted.add((name, "Reader", source, ()))
            wanted.add((name, "Writer", source, (ARTIFACT_PREFIX,)))
    found = set()
    roles = azure.of_type("azurerm_role_definition").values()
    own = {f"azurerm_role_definition.{role['name']}.role_definition_resource_id" for role in roles}
    for one in azure.address("azurerm_role_assignment", "blobs").values():
        places = re.findall(rf"@Resource\[{BLOBS}:path\] StringStartsWith '([^']+)'", one["condition"] or "")
        [name] = re.findall(r"beagle-(\w+)\.principal_id", one["principal_id"])
        role = "Writer" if one["role_definition_id"] in own else one["role_definition_name"]
        role = role.removeprefix("Storage Blob Data ")
        found.add((name, role, one["scope"], tuple(places)))

        assert bool(places) is (one["condition_version"] == "2.0") is bool(one["condition"])

    assert found == wanted


def test_a_condition_stands_before_every_way_to_a_blob(azure: Applied) -> None:
    """All that the roles allow to be done to blobs is asked for, listing aside."""
    asked = {
        frozenset(re.findall(rf"!\(ActionMatches\{{'{BLOBS}/([^']+)'\}}", one["condition"]))
        for one in azure.address("azurerm_role_assignment", "blobs").values()
        if one["condition"]
    }
    texts = [one["condition"] or "" for one in azure.address("azurerm_role_assignment", "blobs").values()]

    assert asked == {frozenset({"read", "write", "add/action", "delete", "move/action"})}
    assert all(text.count("(") == text.count(")") for text in texts)


def test_who_writes_artifacts_may_delete_nothing(
    azure: Applied, functions: dict[str, dict[str, Any]]
) -> None:
    """Azure's own roles for writers of blobs may delete the container, and this one is not ours."""
    roles = list(azure.of_type("azurerm_role_definition").values())

    assert len(roles) == ("extract" in functions)
    for role in roles:
        [may] = role["permissions"]

        assert set(may["data_actions"]) == {f"{BLOBS}/read", f"{BLOBS}/write"}
        assert not may["actions"]
        assert role["scope"] == "/subscriptions/acme/resourceGroups/data"


def test_only_register_may_read_the_key(azure: Applied) -> None:
    """And nobody but who operates it may write it."""
    [vault] = azure.of_type("azurerm_key_vault").values()

    assert grants(azure, "secret") == {(identity("register"), "Key Vault Secrets User", vault["id"])}
    assert grants(azure, "secret_operators") == {
        ("azurerm_client_config.?.object_id", "Key Vault Secrets Officer", vault["id"])
    }
    assert vault["rbac_authorization_enabled"] is True


def test_the_key_has_no_value_in_the_state(azure: Applied) -> None:
    """The module makes a vault, never the secret."""
    assert not [one["type"] for one in azure.resources if one["type"] == "azurerm_key_vault_secret"]


def test_event_grid_may_send_and_put_aside(azure: Applied) -> None:
    """The topic's own identity, into one queue and one container."""
    topic = "azurerm_eventgrid_system_topic.beagle-uploads.principal_id"

    assert grants(azure, "announcing") == {
        (topic, "Storage Queue Data Message Sender", queue("uploads")),
        (topic, "Storage Blob Data Contributor", "azurerm_storage_container.undelivered.id"),
    }


def test_operators_read_letters_and_replay(azure: Applied) -> None:
    """Who runs Terraform, where nobody else is named: on Azure an owner may not, unless told so."""
    operator = "azurerm_client_config.?.object_id"
    dead = azure.address("azurerm_storage_queue", "dead")

    assert grants(azure, "operators") == {
        (operator, "Storage Queue Data Message Sender", queue("uploads")),
        *((operator, "Storage Queue Data Contributor", queue(name)) for name in dead),
    }
    assert grants(azure, "undelivered") == {
        (operator, "Storage Blob Data Reader", "azurerm_storage_container.undelivered.id")
    }


def test_nobody_may_do_anything_to_a_whole_account_or_group(azure: Applied) -> None:
    """Every role is on one queue, one container, one vault or the log."""
    scopes = {one["scope"] for one in of_type(azure, "azurerm_role_assignment")}

    assert len(scopes) > 8
    for scope in scopes:
        assert re.match(
            r"azurerm_(storage_queue|storage_container|key_vault|application_insights)\.|.*/containers/",
            scope,
        )


def test_no_key_where_an_identity_serves(azure: Applied, functions: dict[str, dict[str, Any]]) -> None:
    """What holds messages, state or uploads takes none; the hosts' own accounts do, one for each app."""
    kept = azure.address("azurerm_storage_account", "kept")
    hosts = azure.address("azurerm_storage_account", "host")
    [insights] = azure.of_type("azurerm_application_insights").values()

    assert {one["shared_access_key_enabled"] for one in kept.values()} == {False}
    assert set(hosts) == set(functions)
    assert insights["local_authentication_enabled"] is False
    for name, app in functions.items():
        told = app["app_settings"]

        assert app["storage_access_key"] == hosts[name]["primary_access_key"]
        assert hosts[name]["name"] in app["storage_container_endpoint"]
        assert app["webdeploy_publish_basic_authentication_enabled"] is False
        assert app["https_only"] is True
        assert app["identity"][0]["type"] == "UserAssigned"
        assert not [value for value in told.values() if "AccountKey" in value]
        assert told["BEAGLE_QUEUES__credential"] == "managedidentity"
        assert told["BEAGLE_QUEUES__clientId"] == told["AZURE_CLIENT_ID"]
        assert told["AZURE_CLIENT_ID"] == identity(name).replace("principal", "client")


def test_accounts_are_private_and_what_cannot_be_made_anew_stays(azure: Applied) -> None:
    """By each account's own settings, and by Terraform's refusal; an account that exists is not managed."""
    accounts = of_type(azure, "azurerm_storage_account")
    text = (ROOT / "infra" / "azure" / "buckets.tf").read_text()

    assert len(accounts) == 4
    for one in accounts:
        assert one["min_tls_version"] == "TLS1_2"
        assert one["allow_nested_items_to_be_public"] is False
        assert re.fullmatch(r"[a-z0-9]{3,24}", one["name"])
    assert len({one["name"] for one in accounts}) == len(accounts)
    for one in of_type(azure, "azurerm_storage_container"):
        assert one["container_access_type"] == "private"
    assert len(re.findall(r"(?m)^    prevent_destroy = true$", text)) == 2


def test_leftovers_go_when_nothing_can_ask_for_them(azure: Applied) -> None:
    """In the state's container only, and the ledger never."""
    [policy] = azure.of_type("azurerm_storage_management_policy").values()
    [rule] = policy["rule"]

    assert policy["storage_account_id"] == azure.address("azurerm_storage_account", "kept")["state"]["id"]
    assert rule["filters"][0]["prefix_match"] == ["state/attempts/", "state/parcels/", "state/parts/"]
    assert rule["actions"][0]["base_blob"][0]["delete_after_days_since_modification_greater_than"] == 30
