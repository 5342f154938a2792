"""The settings of a deployment. The environment is read here, and nowhere else."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from beagle.domain.errors import ConfigurationError, RoutesError
from beagle.domain.items import Access
from beagle.domain.keys import ARTIFACT_PREFIX, is_artifact

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from beagle.domain.routes import Routes, Watch

PREFIX = "BEAGLE_"

StageName = Literal["prepare", "extract", "register"]

_Slashed = Annotated[
    str, BeforeValidator(lambda text: text if not text or text.endswith("/") else f"{text}/")
]

_Listed = Annotated[
    tuple[StageName, ...],
    BeforeValidator(lambda text: text.replace(" ", "").split(",") if isinstance(text, str) else text),
]

EMULATORS = (
    "aws_endpoint_url",
    "pubsub_emulator_host",
    "storage_emulator_host",
    "secrets_emulator_host",
)
"""Settings that only a local play of a provider needs."""


class Settings(BaseModel):
    """What a function is told by its environment; each field is a variable named `BEAGLE_` and its name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    deployment: str = Field(
        "", description="The deployment's name, which tells its metrics from those of others in the account."
    )
    team: str = Field("", description="The team's slug in Darwin (without a routes file).")
    dataset: str = Field("", description="The dataset's slug in Darwin (without a routes file).")
    storage: str = Field("", description="The storage integration's name in Darwin (without a routes file).")
    access: Access = Field("read_write", description="What the storage integration allows Darwin.")
    bucket: str = Field("", description="The watched bucket (without a routes file).")
    prefix: _Slashed = Field("", description="Only keys below this become items (without a routes file).")
    routes: str = Field("routes.yaml", description="The routes file, beside the entry points.")
    routes_from: Literal["parameters", "file"] | None = Field(
        None,
        description="Where the deployment has its routes from: `parameters` or `file`; a package that was "
        "built otherwise is refused. Not set: the file, if there is one.",
    )
    artifact_prefix: _Slashed = Field(
        ARTIFACT_PREFIX, description="Where Beagle writes in the watched bucket; never taken for uploads."
    )
    darwin_url: str = Field("https://darwin.v7labs.com", description="Darwin's address, without a path.")
    api_key_secret: str = Field(
        "", description="Where the secret store keeps Darwin's API key; on AWS an ARN."
    )
    uploads_queue: str = Field("", description="The queue of notifications; on AWS its address.")
    videos_queue: str = Field("", description="The queue of read-only videos, which wait for extraction.")
    items_queue: str = Field("", description="The queue of items that wait for registration.")
    dead_letters_queue: str = Field("", description="The queue of dead letters.")
    state_bucket: str = Field("", description="The bucket of the ledger.")
    stages: _Listed = Field(
        ("prepare", "extract", "register"),
        description="Azure: which stages the function app runs, with commas between them.",
    )
    account_url: str = Field("", description="Azure: where the watched storage account's blobs are.")
    state_url: str = Field("", description="Azure: where the state's storage account's blobs are.")
    queues_url: str = Field(
        "", description="Azure: where the queues are; the host reads it as `BEAGLE_QUEUES__queueServiceUri`."
    )
    queues: str = Field("", description="Azure: a connection string, for Azurite; never for a deployment.")
    items_per_request: int = Field(
        100, ge=1, le=500, description="At most so many items in one registration request."
    )
    requests_per_minute: float = Field(
        50, gt=0, le=1000, description="At most so many requests a minute from one instance (two run)."
    )
    gather_seconds: float = Field(
        1,
        ge=0,
        le=60,
        description="How long the first of the items that come one by one (not on AWS) waits for more.",
    )
    invocation_seconds: float = Field(
        900, gt=0, description="How long one invocation of extract may take; longer videos are split."
    )
    memory_megabytes: int = Field(
        0,
        ge=0,
        description="Google Cloud: the function's memory, in which the video lies that extract reads.",
    )
    tracing: bool = Field(False, description="Whether AWS X-Ray traces the functions.")
    aws_endpoint_url: str = Field("", description="Another address for AWS itself, for local emulators.")
    pubsub_emulator_host: str = Field("", description="Another address for Pub/Sub, for local emulators.")
    storage_emulator_host: str = Field(
        "", description="Another address for Cloud Storage, for local emulators."
    )
    secrets_emulator_host: str = Field(
        "", description="Another address for Secret Manager, for local emulators."
    )

    def require(self, *names: str) -> None:
        """Check that settings are there.

        Raises:
            ConfigurationError: One is not; the message names its variable.

        """
        if missing := [f"{PREFIX}{name.upper()}" for name in names if not getattr(self, name)]:
            raise ConfigurationError(f"Not set: {', '.join(missing)}.")


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Return the settings that the environment holds; what is set but empty counts as not set.

    Raises:
        ConfigurationError: A variable has a value that cannot be; every such one is named.

    """
    environment = os.environ if environment is None else environment  # noqa: TID251 - this is settings.py
    names = {f"{PREFIX}{name.upper()}": name for name in Settings.model_fields}
    # What the providers' own tools call them.
    names |= {name.upper(): name for name in EMULATORS}
    names["BEAGLE_QUEUES__queueServiceUri"] = "queues_url"
    values = {field: environment[name] for name, field in names.items() if environment.get(name)}
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        faults = "; ".join(
            f"{PREFIX}{str(fault['loc'][0]).upper()}: {fault['msg']}"
            for fault in error.errors(include_url=False, include_input=False)
        )
        raise ConfigurationError(f"The environment is wrong: {faults}.") from error


def read_memory(environment: Mapping[str, str] | None = None) -> int | None:
    """Return the bytes that Lambda gives this function; None elsewhere."""
    environment = os.environ if environment is None else environment  # noqa: TID251 - this is settings.py
    # https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
    megabytes = environment.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "")
    return int(megabytes) << 20 if megabytes.isdecimal() else None


def load_routes(text: str) -> Routes:
    """Return the routes of a routes file, its examples checked.

    Raises:
        RoutesError: It is no YAML, does not hold together, or an example ends otherwise.

    """
    from beagle.domain.routes import parse_routes  # noqa: PLC0415 - register has no routes to wait for
    from beagle.domain.routing import check_examples  # noqa: PLC0415
    from beagle.strict_yaml import load_yaml  # noqa: PLC0415

    return check_examples(parse_routes(load_yaml(text)))


def routes_of(settings: Settings, folder: Path) -> Routes:
    """Return the routes of a deployment: of the file in the folder, or of the settings alone.

    Raises:
        RoutesError: The file does not hold together, watches the place where Beagle itself writes, or what
            the deployment never hears of.
        ConfigurationError: There is no file, and the settings name no dataset; or the deployment says
            otherwise.

    """
    path = folder / settings.routes
    _require_agreement(settings, path)
    routes = _routes_of(settings, path)
    for route in routes.routes:
        _require_within_reach(route.name, route.watch, settings)
        if is_artifact(route.watch.prefix, settings.artifact_prefix):
            raise RoutesError(
                f"Route {route.name} watches {route.watch.prefix}, which lies below "
                f"{settings.artifact_prefix}, where Beagle writes: what it makes would start it again."
            )
    return routes


def _require_agreement(settings: Settings, path: Path) -> None:
    """Hold the package against what the deployment says of it.

    A build that forgot the routes would register everything in one dataset, and nothing takes that back.
    """
    if settings.routes_from == "file" and not path.is_file():
        raise ConfigurationError(
            "The deployment says that its routes come from a file, and this package was built without one: "
            "make build ROUTES=routes.yaml, and deploy again; or deploy with Routes=parameters (Terraform: "
            'routes = "parameters"). Until then messages wait.'
        )
    if settings.routes_from == "parameters" and path.is_file():
        raise ConfigurationError(
            "This package was built with a routes file, and the deployment says that its parameters decide: "
            'deploy with Routes=file (Terraform: routes = "file"), or build without ROUTES. Until then '
            "messages wait."
        )


def _require_within_reach(name: str, watch: Watch, settings: Settings) -> None:
    """Refuse a route that nothing would ever reach: a deployment hears of one bucket, below one prefix."""
    if settings.bucket and watch.bucket != settings.bucket:
        raise RoutesError(
            f"Route {name} watches the bucket {watch.bucket}, and this deployment hears of {settings.bucket} "
            "alone: correct the route, or have a deployment for each bucket."
        )
    if not (watch.prefix.startswith(settings.prefix) or settings.prefix.startswith(watch.prefix)):
        raise RoutesError(
            f"Route {name} watches {watch.prefix}, and this deployment hears only of what lies below "
            f"{settings.prefix}: correct the route, or deploy with another prefix."
        )


def _routes_of(settings: Settings, path: Path) -> Routes:
    if path.is_file():
        try:
            return load_routes(path.read_text(encoding="utf-8-sig"))
        except UnicodeDecodeError as error:
            raise RoutesError(f"{path} is no text in UTF-8.") from error
    from beagle.domain.routes import parse_routes  # noqa: PLC0415 - see `load_routes`

    settings.require("team", "dataset", "storage", "bucket")
    return parse_routes(
        {
            "team": settings.team,
            "routes": [
                {
                    "name": "default",
                    "watch": {"bucket": settings.bucket, "prefix": settings.prefix},
                    "dataset": settings.dataset,
                    "storage": settings.storage,
                    "access": settings.access,
                }
            ],
        }
    )
