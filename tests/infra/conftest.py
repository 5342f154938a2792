"""Deployments on the stand-ins of providers, which several modules look at."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.applied import Applied, apply_example

GIVEN = {
    "project": "acme",
    "region": "europe-west1",
    "bucket_name": "acme-uploads",
    "team": "acme",
    "dataset": "cars",
    "storage": "acme",
    "alarm_email": "ops@example.com",
}
GOOGLE = {
    "read_write": {**GIVEN, "access": "read_write"},
    "read_only": {**GIVEN, "access": "read_only", "prefix": "cars/"},
}


@pytest.fixture(scope="session", params=GOOGLE)
def google(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Applied:
    """Return what Terraform makes of infra/gcp; Google's own provider validated none of it."""
    return apply_example("gcp", "google", tmp_path_factory.mktemp(request.param), **GOOGLE[request.param])


ACCOUNT = "/subscriptions/acme/resourceGroups/data/providers/Microsoft.Storage/storageAccounts/acmedata"
AZURE_GIVEN = {
    "subscription_id": "acme",
    "location": "westeurope",
    "bucket_name": "uploads",
    "team": "acme",
    "dataset": "cars",
    "storage": "acme",
    "alarm_email": "ops@example.com",
}
AZURE = {
    "read_write, account created": {**AZURE_GIVEN, "access": "read_write"},
    "read_only, account given": {
        **AZURE_GIVEN,
        "access": "read_only",
        "prefix": "cars & trucks/",
        "account_id": ACCOUNT,
    },
}


@pytest.fixture(scope="session", params=AZURE)
def azure(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Applied]:
    """
    Return what Terraform makes of infra/azure; the real provider validated none of it.

    Of Azure's command line, which brings the packages, there is only what it is asked, in `az.log`.
    """
    place = tmp_path_factory.mktemp("azure")
    program = place / "bin" / "az"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$@" >> {place}/az.log\n')
    program.chmod(0o755)
    path = os.environ["PATH"]  # noqa: TID251 - tests have no settings.py
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{program.parent}{os.pathsep}{path}")
        yield apply_example("azure", "azurerm", place, **AZURE[request.param])


@pytest.fixture
def asked_az(azure: Applied) -> list[str]:
    """What Azure's command line was asked."""
    return Path(azure.terraform.folder.parents[3] / "az.log").read_text().splitlines()
