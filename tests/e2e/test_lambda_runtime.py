"""The functions as they are packaged, in Lambda's own runtime and under its limits."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from beagle.domain.making import VideoOptions
from beagle.emulator import EmulatedDarwin, Fault, Hooks, serve
from beagle.media.room import processors
from beagle.media.video.ffmpeg import find_ffmpeg
from beagle.media.video.memory import least_memory
from beagle.media.video.probe import probe
from beagle.playground.ministack import Ministack
from beagle.playground.stack import Function, Stack
from beagle.providers.local.clock import SystemClock, Until
from e2e.books import Books
from e2e.conftest import READ_ONLY, Connected
from e2e.lambda_instance import Bounds
from e2e.lambda_sandbox import PYTHON, NotHereError, Packages, packages
from e2e.lambda_service import LambdaService
from e2e.lambda_world import SECONDS, World, film, large_picture, times_of
from e2e.test_read_only import picture
from e2e.test_uploads import codes

FUNCTIONS: tuple[Function, ...] = ("prepare", "extract", "register")


@pytest.fixture(scope="module")
def packed() -> Packages:
    try:
        return packages()
    except NotHereError as error:
        pytest.skip(f"no Lambda runtime: {error}")


@pytest.fixture(scope="module")
def service(
    aws: Ministack, packed: Packages, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LambdaService]:
    with LambdaService(aws, packed, tmp_path_factory.mktemp("lambda")) as running:
        yield running


@pytest.fixture(scope="module")
def world(aws: Ministack, deployed: Callable[..., Stack], service: LambdaService) -> Iterator[World]:
    s3 = aws.client("s3")

    def open_object(bucket: str, key: str) -> bytes | None:
        try:
            data: bytes = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        except ClientError:
            return None
        return data

    darwin = EmulatedDarwin.with_defaults(hooks=Hooks(open_object=open_object), processing_seconds=0)
    darwin.add_storage(READ_ONLY, bucket="lambda-uploads", region="us-east-1", readonly=True)
    with serve(darwin) as server:
        stack = deployed("lambda", server.url, Access="read_only", RequestsPerMinute="1000")
        service.serve(stack)
        yield World(darwin, stack, service)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return film(tmp_path_factory.mktemp("clip") / "clip.mp4", "320x180")


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return film(tmp_path_factory.mktemp("large") / "large.mp4", "1920x1080", seconds=6)


def test_the_packages_do_their_work(world: World, clip: Path, folder: str) -> None:
    """
    An image and a video on read-only storage become items, and no artifact has a problem.

    All three functions run from their packages, ffmpeg from the layer, boto3 from the runtime; afterwards
    nothing lies in /tmp, and /tmp was the only place to write to.
    """
    world.stack.upload(picture("JPEG"), f"{folder}/photo.jpg")
    world.stack.upload(clip, f"{folder}/clip.mp4")
    books = world.settle(folder, 2)

    assert world.names(folder) == ["clip.mp4", "photo.jpg"]
    assert {line.ending for line in books.lines} == {"passed_on", "registered"}
    assert {report.function: report.error for report in world.service.reports} == dict.fromkeys(FUNCTIONS, "")
    for function in FUNCTIONS:
        for instance in world.service.instances(function):
            assert instance.writable() == {"/tmp"}  # noqa: S108 - Lambda's
            assert instance.left_in_tmp() == []


def test_libraries_come_from_where_lambda_has_them(packed: Packages) -> None:
    """boto3 is no part of a package: each function imports the runtime's, and its own libraries first."""
    for function in FUNCTIONS:
        program = f"import {function}, boto3, urllib3; print(boto3.__file__, urllib3.__file__)"
        done = packed.sandbox(function).run(PYTHON, "-c", program)

        assert done.stdout.split() == ["/var/runtime/boto3/__init__.py", "/var/task/urllib3/__init__.py"], (
            done.stderr
        )


def test_nobody_would_write_elsewhere(
    world: World, packed: Packages, clip: Path, folder: str, tmp_path: Path
) -> None:
    """
    Where package and layer could be written to, the functions leave every file and folder as it was.
    """
    folders = [*packed.functions.values(), packed.layer]
    before = times_of(folders)
    with LambdaService(world.stack.aws, replace(packed, frozen=False), tmp_path) as open_service:
        open_service.serve(world.stack)
        world.stack.upload(picture("PNG"), f"{folder}/picture.png")
        world.stack.upload(clip, f"{folder}/clip.mp4")
        world.settle(folder, 2)
        assert "/var/task" in open_service.instances("extract")[0].writable()
    world.service.serve(world.stack)

    assert times_of(folders) == before


@pytest.mark.parametrize(
    ("bounds", "error"),
    [
        (Bounds(seconds=0, memory_megabytes=10_000), "Sandbox.Timedout"),
        (Bounds(seconds=900, memory_megabytes=1), "Runtime.ExitError"),
    ],
    ids=["time", "memory"],
)
def test_what_lambda_ends_comes_again(
    world: World, clip: Path, folder: str, bounds: Bounds, error: str
) -> None:
    """
    Extract, and the ffmpeg it has started, stand still until their time or memory is used up, and are killed.

    The video is registered after all, once, by an instance that finds nothing of the former in /tmp.
    """
    world.stack.upload(clip, f"{folder}/clip.mp4")
    world.stop("extract", "ffmpeg").bounds = bounds
    report = world.ended("extract", folder)
    world.redeliver(report)
    books = world.settle(folder, 1)

    assert report.error == error
    assert books.of_key(f"{folder}/clip.mp4", "register") == ["registered"]
    assert [instance.left_in_tmp() for instance in world.service.instances("extract")] == [[]]


def test_a_silent_darwin_leaves_time_to_say_so(world: World, folder: str) -> None:
    """
    Darwin takes an item and keeps silent for longer than register may run: it names the message in time.
    """
    with world.configured("register", Timeout=12):
        world.darwin.inject(Fault(kind="hang", seconds=30, when="after"))
        world.stack.upload(picture("JPEG"), f"{folder}/photo.jpg")
        report = world.ended("register", folder)
    world.redeliver(report)
    books = world.settle(folder, 1)

    assert report.error == ""
    assert books.count("register") == {"again": 1, "registered": 1}


def test_a_video_waits_for_more_memory(world: World, large: Path, folder: str) -> None:
    """
    Linux kills ffmpeg, the largest process, when all together hold more than the function may: not a verdict.
    """
    clock = SystemClock()
    facts = probe(large, find_ffmpeg(), Until(clock, clock.monotonic() + SECONDS))
    memory = (least_memory(facts, VideoOptions(), processors()) >> 20) + 10
    with world.configured("extract", MemorySize=memory):
        world.stack.upload(large, f"{folder}/large.mp4")
        report = world.ended("extract", folder)
    world.redeliver(report)
    books = world.settle(folder, 1)

    assert report.most_memory > memory << 20
    assert books.count("extract") == {"again": 1, "passed_on": 1}


def test_a_video_that_can_never_have_so_much_memory_is_told_so(
    world: World, large: Path, folder: str
) -> None:
    """No attempt is made where even the least that was measured is more than the function has."""
    with world.configured("extract", MemorySize=256):
        world.stack.upload(large, f"{folder}/large.mp4")
        world.stack.wait_until(
            lambda: f"{folder}/large.mp4" in codes(world.stack), seconds=SECONDS, what="The dead letter"
        )

    assert codes(world.stack)[f"{folder}/large.mp4"] == "media_too_large"
    assert Books.of(world.stack, folder).count("extract") == {"dead_lettered": 1}


def test_an_image_that_takes_all_memory_is_told_so(world: World, folder: str) -> None:
    """
    Linux kills the process that decodes an image: it is dead-lettered for its size, and not tried for ever.
    """
    with world.configured("prepare", MemorySize=256):
        world.stack.upload(large_picture(), f"{folder}/large.png")
        world.stack.wait_until(
            lambda: f"{folder}/large.png" in codes(world.stack), seconds=SECONDS, what="The dead letter"
        )

    assert codes(world.stack)[f"{folder}/large.png"] == "media_too_large"
    assert Books.of(world.stack, folder).count("prepare") == {"dead_lettered": 1}


def test_read_write_storage_needs_no_more(
    world: World, deployed: Callable[..., Stack], connect: Callable[[str], Connected], folder: str
) -> None:
    """The same packages, deployed for read-write storage, without extract and its layer."""
    connected = connect("lambda-simple-uploads")
    stack = deployed("lambda-simple", connected.server.url, RequestsPerMinute="1000")
    world.service.serve(stack)
    stack.upload(b"no picture, but bytes", f"{folder}/a b+.png")
    stack.wait_until(lambda: bool(connected.darwin.items()), seconds=SECONDS, what="Registration")

    assert [item.storage_keys for item in connected.darwin.items()] == [(f"{folder}/a b+.png",)]
    assert stack.functions == ("prepare", "register")
