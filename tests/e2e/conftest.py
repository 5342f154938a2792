"""The real template on a local AWS, and an emulated Darwin: one of each for every test worker."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from beagle.emulator import DEFAULT_KEY, DEFAULT_TEAM, EmulatedDarwin, Hooks, Server, serve
from beagle.playground.ministack import Ministack
from beagle.playground.packaging import build_local, project_root, zip_folder
from beagle.playground.stack import FUNCTION_OUTPUTS, Function, Stack, deploy
from e2e.archive import READ_ONLY, Archive, Deploy, open_archive, purge
from e2e.hands import Hands

ROOT = project_root()
# What the emulated Darwin knows from the start: a dataset, a read-write storage and a read-only one.
DATASET = "incoming"
READ_WRITE = "acme-uploads"


@dataclass(frozen=True, slots=True)
class World:
    """A Darwin and a deployed Beagle that registers with it."""

    darwin: EmulatedDarwin
    url: str
    stack: Stack


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep these tests on one worker: a local AWS is started once, not once a worker."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.e2e)
            item.add_marker(pytest.mark.xdist_group("local-aws"))


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ministack]:
    """Start a local AWS that enforces IAM."""
    with Ministack(tmp_path_factory.mktemp("aws")) as running:
        yield running


@pytest.fixture(scope="session")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the functions as they are now, for this interpreter."""
    return build_local(ROOT, tmp_path_factory.mktemp("build") / "aws")


@pytest.fixture(scope="session")
def deployed(aws: Ministack, code: Path) -> Deploy:
    """Return how to deploy the template: `deployed("name", url, Access="read_only")`."""
    return deployer(aws, code)


def deployer(aws: Ministack, code: Path) -> Deploy:
    """Return how to deploy the template; each name is a stack of its own, with its own bucket."""
    archive = zip_folder(code)

    def deploy_to(name: str, darwin_url: str, **parameters: str) -> Stack:
        defaults = {
            "BucketName": f"{name}-uploads",
            "CreateBucket": "true",
            "Team": DEFAULT_TEAM,
            "Dataset": DATASET,
            "Storage": READ_ONLY if parameters.get("Access") == "read_only" else READ_WRITE,
            "DarwinUrl": darwin_url,
        }
        stack = deploy(aws, ROOT / "template.yaml", archive, {**defaults, **parameters}, name=name)
        stack.put_api_key(DEFAULT_KEY)
        # The local AWS starts instances as if there were a core for each.
        limit_instances(stack, prepare=2, register=1)
        return stack

    return deploy_to


def limit_instances(stack: Stack, *, prepare: int, register: int) -> None:
    """
    Let so many instances of each function run at a time.

    Two of register, as deployed, may meet over the two deliveries of one event: then one message waits for
    a quarter of a minute, which only those tests should have to that are about it.
    """
    limits: dict[Function, int] = {"prepare": prepare, "extract": 2, "register": register}
    for function in stack.functions:
        stack.aws.client("lambda").put_function_concurrency(
            FunctionName=stack.outputs[FUNCTION_OUTPUTS[function]],
            ReservedConcurrentExecutions=limits[function],
        )


@dataclass(frozen=True, slots=True)
class Connected:
    """A Darwin with hands in one bucket of the local AWS, as its storage integration gives them."""

    darwin: EmulatedDarwin
    server: Server


@pytest.fixture(scope="session")
def connect(aws: Ministack) -> Iterator[Callable[[str], Connected]]:
    """
    Return how to start a Darwin for a bucket: `connect("beagle-uploads")`.

    It looks whether each registered key exists there, and writes its thumbnails back into it.
    """
    running: list[Server] = []

    def start(bucket: str) -> Connected:
        s3 = aws.client("s3")

        def exists(where: str, key: str) -> bool:
            found = s3.list_objects_v2(Bucket=where, Prefix=key, MaxKeys=1).get("Contents", ())
            return [entry["Key"] for entry in found] == [key]

        def write_back(where: str, key: str, data: bytes) -> None:
            s3.put_object(Bucket=where, Key=key, Body=data, ContentType="image/jpeg")

        darwin = EmulatedDarwin.with_defaults(
            hooks=Hooks(object_exists=exists, write_back=write_back), processing_seconds=0
        )
        darwin.add_storage(READ_WRITE, bucket=bucket, prefix="darwin", region="eu-west-1")
        server = serve(darwin)
        running.append(server)
        return Connected(darwin, server)

    yield start
    for server in running:
        server.close()


@pytest.fixture(scope="session")
def shared_world(deployed: Deploy, connect: Callable[[str], Connected]) -> World:
    """Deploy Beagle for read-write storage, with a Darwin of its own."""
    connected = connect("beagle-uploads")
    url = connected.server.url
    return World(connected.darwin, url, deployed("beagle", url, RequestsPerMinute="1000"))


@pytest.fixture
def world(shared_world: World) -> Iterator[World]:
    """Return the deployed Beagle, with nothing queued and an empty Darwin; only its ledger is kept."""
    _clear(shared_world)
    yield shared_world
    shared_world.darwin.clear_faults()
    _clear(shared_world)


def _clear(world: World) -> None:
    purge(world.stack)
    world.darwin.reset()


@pytest.fixture(scope="session")
def shared_archive(aws: Ministack, deployed: Deploy) -> Iterator[Archive]:
    """Deploy Beagle for read-only storage, with a Darwin of its own; every event comes twice."""
    with open_archive(aws, deployed, "archive") as archive:
        deliver_twice(archive.stack)
        yield archive


@pytest.fixture
def archive(shared_archive: Archive) -> Iterator[Archive]:
    """Return Beagle deployed for read-only storage, with nothing queued and an empty Darwin."""
    yield shared_archive
    shared_archive.stack.wait_until_idle(seconds=60)
    shared_archive.clear()


@pytest.fixture
def folder() -> str:
    """Name a folder that no other test uses: the ledger remembers what happened in the others."""
    return f"t{uuid.uuid4().hex[:8]}"


def rule_of(stack: Stack) -> str:
    """Return the name of the rule that brings a bucket's events."""
    cloudformation = stack.aws.client("cloudformation")
    found = cloudformation.describe_stack_resource(StackName=stack.name, LogicalResourceId="Created")
    return str(found["StackResourceDetail"]["PhysicalResourceId"]).rpartition("|")[2]


@pytest.fixture
def twice(world: World) -> Iterator[None]:
    """Have every event delivered twice: the rule gets a second target, the same queue once more."""
    deliver_twice(world.stack)
    yield
    world.stack.aws.client("events").remove_targets(Rule=rule_of(world.stack), Ids=["again"])


def deliver_twice(stack: Stack) -> None:
    """Have every event of a bucket delivered twice."""
    events, rule = stack.aws.client("events"), rule_of(stack)
    [target] = events.list_targets_by_rule(Rule=rule)["Targets"]
    answer: dict[str, Any] = events.put_targets(Rule=rule, Targets=[{**target, "Id": "again"}])
    assert not answer["FailedEntryCount"]


@pytest.fixture
def silent(world: World) -> Iterator[None]:
    """Switch the rule off: the bucket announces nothing, so that tests can do it in another form."""
    events, rule = world.stack.aws.client("events"), rule_of(world.stack)
    events.disable_rule(Name=rule)
    yield
    events.enable_rule(Name=rule)


@pytest.fixture
def hands(world: World, code: Path, tmp_path: Path) -> Iterator[Callable[[Function], Hands]]:
    """Return how to run a deployed function by hand: the platform leaves its queue alone meanwhile."""
    taken: list[Hands] = []

    def take(function: Function) -> Hands:
        hands = Hands(world.stack, function, code, tmp_path / function)
        taken.append(hands)
        return hands

    yield take
    for hands in taken:
        hands.close()
