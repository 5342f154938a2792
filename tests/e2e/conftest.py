"""The real template on a local AWS, and an emulated Darwin: one of each for every test worker."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from beagle.emulator import DEFAULT_KEY, DEFAULT_TEAM, EmulatedDarwin, serve
from beagle.playground.ministack import Ministack
from beagle.playground.packaging import Target, build_functions, project_root, zip_folder
from beagle.playground.stack import Stack, deploy

ROOT = project_root()
# What the emulated Darwin knows from the start: a dataset, a read-write storage and a read-only one.
DATASET = "incoming"
READ_WRITE = "acme-uploads"
READ_ONLY = "acme-archive"

Deploy = Callable[..., Stack]


@dataclass(frozen=True, slots=True)
class World:
    """A Darwin and a deployed Beagle that registers with it."""

    darwin: EmulatedDarwin
    url: str
    stack: Stack


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ministack]:
    """Start a local AWS that enforces IAM."""
    with Ministack(tmp_path_factory.mktemp("aws")) as running:
        yield running


@pytest.fixture(scope="session")
def functions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the functions as they are now, for this interpreter."""
    return zip_folder(build_functions(ROOT, tmp_path_factory.mktemp("build") / "aws", target=Target.LOCAL))


@pytest.fixture(scope="session")
def deployed(aws: Ministack, functions: Path) -> Deploy:
    """
    Return how to deploy the template: `deployed("name", url, Access="read_only")`.

    Each name is a stack of its own, with its own bucket.
    """

    def deploy_to(name: str, darwin_url: str, **parameters: str) -> Stack:
        defaults = {
            "BucketName": f"{name}-uploads",
            "CreateBucket": "true",
            "Team": DEFAULT_TEAM,
            "Dataset": DATASET,
            "Storage": READ_ONLY if parameters.get("Access") == "read_only" else READ_WRITE,
            "DarwinUrl": darwin_url,
        }
        stack = deploy(aws, ROOT / "template.yaml", functions, {**defaults, **parameters}, name=name)
        stack.put_api_key(DEFAULT_KEY)
        return stack

    return deploy_to


@pytest.fixture(scope="session")
def world(deployed: Deploy) -> Iterator[World]:
    """Deploy Beagle for read-write storage, with a Darwin of its own."""
    darwin = EmulatedDarwin.with_defaults()
    with serve(darwin) as server:
        yield World(darwin, server.url, deployed("beagle", server.url))
