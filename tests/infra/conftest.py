"""Deployments on the stand-ins of providers, which several modules look at."""

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
