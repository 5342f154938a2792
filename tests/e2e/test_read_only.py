"""Read-only storage, deployed: Beagle makes what Darwin may not, in the bucket itself."""

import io
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from PIL import Image

from beagle.emulator import EmulatedDarwin, Hooks, Item, serve
from beagle.media.video.ffmpeg import find_ffmpeg
from beagle.playground.ministack import Ministack
from beagle.playground.stack import QUEUE_OUTPUTS, Stack
from e2e.books import Books, lines_of
from e2e.conftest import READ_ONLY, deliver_twice
from e2e.test_uploads import codes

SECONDS = 60.0
ROTATED = 6  # EXIF: the picture lies on its side
SIZE = (640, 360)


@dataclass(frozen=True, slots=True)
class World:
    """A Darwin that may only read, and a Beagle deployed for it; every event comes twice."""

    darwin: EmulatedDarwin
    stack: Stack
    bucket: str

    def object(self, key: str) -> bytes:
        """Return what lies in the bucket."""
        s3 = self.stack.aws.client("s3")
        data: bytes = s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return data

    def artifacts(self) -> set[str]:
        """List what Beagle has written into the watched bucket."""
        pages = self.stack.aws.client("s3").get_paginator("list_objects_v2")
        found = pages.paginate(Bucket=self.bucket, Prefix=".beagle/")
        return {entry["Key"] for page in found for entry in page.get("Contents", ())}


@pytest.fixture(scope="module")
def shared(aws: Ministack, deployed: Callable[..., Stack]) -> Iterator[World]:
    s3 = aws.client("s3")

    def open_object(bucket: str, key: str) -> bytes | None:
        try:
            data: bytes = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        except ClientError:
            return None
        return data

    bucket = "archive-uploads"
    darwin = EmulatedDarwin.with_defaults(hooks=Hooks(open_object=open_object), processing_seconds=0)
    darwin.add_storage(READ_ONLY, bucket=bucket, region="us-east-1", readonly=True)
    with serve(darwin) as server:
        stack = deployed("archive", server.url, Access="read_only", RequestsPerMinute="1000")
        deliver_twice(stack)
        yield World(darwin, stack, bucket)


@pytest.fixture
def world(shared: World) -> Iterator[World]:
    yield shared
    shared.stack.wait_until_idle(seconds=SECONDS)
    sqs = shared.stack.aws.client("sqs")
    for queue in shared.stack.queues:
        sqs.purge_queue(QueueUrl=shared.stack.outputs[QUEUE_OUTPUTS[queue]])
    shared.darwin.reset()


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seconds of moving picture and sound."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    inputs = (
        *("-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=3"),
        *("-f", "lavfi", "-i", "sine=frequency=440:duration=3"),
    )
    coded = ("-pix_fmt", "yuv420p", "-g", "25", "-c:a", "aac")
    subprocess.run([find_ffmpeg().path, "-v", "error", *inputs, *coded, path], check=True)
    return path


def picture(form: str, *, orientation: int = 0) -> bytes:
    image = Image.linear_gradient("L").resize(SIZE).convert("RGB")
    exif = Image.Exif()
    if orientation:
        exif[0x0112] = orientation
    data = io.BytesIO()
    image.save(data, form, exif=exif)
    return data.getvalue()


def settle(world: World, folder: str, received: int) -> Books:
    """Wait until so many announcements have ended, and return the books."""
    final = {"registered", "already_registered", "ignored", "dead_lettered", "superseded"}

    def ended() -> bool:
        lines = Books.of(world.stack, folder).lines
        return sum(line.ending in final for line in lines) >= received

    world.stack.wait_until(ended, seconds=SECONDS, what="The end of every announcement")
    world.stack.wait_until_idle(seconds=SECONDS)
    return Books.of(world.stack, folder)


def only(items: list[Item], name: str) -> Item:
    [item] = [item for item in items if item.name == name]
    return item


def test_uploads_become_read_only_items_with_their_artifacts(world: World, clip: Path, folder: str) -> None:
    """
    Stills, a key that few libraries can address, a video, a text, a damaged file; each announced twice.

    Darwin opens every artifact that it was told of, and finds nothing wrong. What Beagle wrote is not
    announced to it, so nothing goes round in circles.
    """
    stack, damaged = world.stack, picture("JPEG")[:200] + b"\xff" * 2000
    stack.upload(picture("JPEG", orientation=ROTATED), f"{folder}/photo.jpg", content_type="image/jpeg")
    stack.upload(picture("PNG"), f"{folder}/a//b.png")
    stack.upload(clip, f"{folder}/clip.mp4")
    stack.upload(b"words", f"{folder}/notes.txt")
    stack.upload(damaged, f"{folder}/damaged.jpg")
    books = settle(world, folder, 10)

    items = world.darwin.items()
    assert sorted(item.name for item in items) == ["b.png", "clip.mp4", "photo.jpg"]
    assert {item.name: item.problems for item in items} == {item.name: () for item in items}
    assert {
        key: books.of_key(f"{folder}/{key}", "register") for key in ("photo.jpg", "a//b.png", "clip.mp4")
    } == {key: ["already_registered", "registered"] for key in ("photo.jpg", "a//b.png", "clip.mp4")}
    assert codes(stack) == {f"{folder}/damaged.jpg": "unreadable_media"}
    assert books.codes("ignored") == {f"{folder}/notes.txt": "unknown_type"}

    photo = only(items, "photo.jpg").slots[0].fields
    assert (photo["width"], photo["height"]) == (SIZE[1], SIZE[0])
    with Image.open(io.BytesIO(world.object(photo["storage_thumbnail_key"]))) as thumbnail:
        assert thumbnail.height > thumbnail.width
    assert only(items, "b.png").storage_keys == (f"{folder}/a//b.png",)
    video = only(items, "clip.mp4").slots[0].fields
    sections = {key for key in world.artifacts() if key.startswith(video["storage_sections_key_prefix"])}
    assert video["total_frames"] == len([key for key in sections if "/high/" in key]) == 75

    everything = [line.key for stage in stack.functions for line in lines_of(stack.logs(stage))]
    assert not [key for key in everything if key.startswith(".beagle/")]


def test_a_video_in_parts_becomes_the_same_item(world: World, clip: Path, folder: str) -> None:
    """
    Extract is told that an invocation is short: it cuts the video, extracts the parts and joins them.

    Darwin gets one item, whose frames and manifest are those of the video in one go.
    """
    stack = world.stack
    stack.upload(clip, f"{folder}/whole.mp4")
    settle(world, folder, 2)
    stack.configure("extract", BEAGLE_INVOCATION_SECONDS="0.05")
    try:
        stack.upload(clip, f"{folder}/parts.mp4")
        books = settle(world, folder, 4)
    finally:
        stack.configure("extract", BEAGLE_INVOCATION_SECONDS="900")

    assert [line.code for line in books.lines if line.key == f"{folder}/parts.mp4"].count("in_parts") >= 2
    assert books.of_key(f"{folder}/parts.mp4", "register").count("registered") == 1
    assert not [line for line in books.lines if line.ending == "dead_lettered"]
    items = world.darwin.items()
    whole, parts = (only(items, name).slots[0].fields for name in ("whole.mp4", "parts.mp4"))
    assert len(items) == 2
    assert [item.problems for item in items] == [(), ()]
    assert parts["total_frames"] == whole["total_frames"] == 75
    manifests = [world.object(fields["storage_frames_manifest_key"]) for fields in (whole, parts)]
    assert manifests[0] == manifests[1]
    frames = [
        [
            world.object(key)
            for key in sorted(world.artifacts())
            if key.startswith(fields["storage_sections_key_prefix"]) and key.endswith(".png")
        ]
        for fields in (whole, parts)
    ]
    assert frames[0] == frames[1]
