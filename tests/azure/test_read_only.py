"""Read-only storage on Azure: Beagle makes what Darwin may not, in the container itself."""

import io
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from beagle.media.video.ffmpeg import find_ffmpeg
from support.azure.world import World

SIZE = (640, 360)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Two seconds of moving picture and sound."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    inputs = (
        *("-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=2"),
        *("-f", "lavfi", "-i", "sine=frequency=440:duration=2"),
    )
    coded = ("-pix_fmt", "yuv420p", "-g", "25", "-c:a", "aac")
    subprocess.run([find_ffmpeg().path, "-v", "error", *inputs, *coded, path], check=True)
    return Path(path).read_bytes()


def picture(form: str) -> bytes:
    data = io.BytesIO()
    Image.linear_gradient("L").resize(SIZE).convert("RGB").save(data, form)
    return data.getvalue()


def test_uploads_become_read_only_items_with_their_artifacts(world: World, clip: bytes, folder: str) -> None:
    """
    Stills, a key that few libraries can address, a video, a damaged file; each announced twice.

    Darwin opens every artifact that it was told of, and finds nothing wrong. Keys begin with the container,
    the artifacts' too, or do not, as the route says.
    """
    damaged = picture("JPEG")[:200] + b"\xff" * 2000
    names = {
        "photo.jpg": picture("JPEG"),
        "a//b.png": picture("PNG"),
        "clip.mp4": clip,
        "damaged.jpg": damaged,
    }
    for name, data in names.items():
        world.container.put(f"archive/{folder}/{name}", data)
    world.container.put(f"bare/{folder}/bare.jpg", picture("JPEG"))
    books = world.settle(f"archive/{folder}", 8)
    world.settle(f"bare/{folder}", 2)

    container = world.container.name
    items = {item.name: item for item in world.darwin.items() if folder in str(item.storage_keys)}
    assert {name: item.storage_keys for name, item in items.items()} == {
        "photo.jpg": (f"{container}/archive/{folder}/photo.jpg",),
        "b.png": (f"{container}/archive/{folder}/a//b.png",),
        "clip.mp4": (f"{container}/archive/{folder}/clip.mp4",),
        "bare.jpg": (f"bare/{folder}/bare.jpg",),
    }
    assert {name: item.problems for name, item in items.items()} == dict.fromkeys(items, ())
    assert books.codes("dead_lettered") == {f"archive/{folder}/damaged.jpg": "unreadable_media"}
    thumbnails = {name: item.slots[0].fields["storage_thumbnail_key"] for name, item in items.items()}
    assert thumbnails["bare.jpg"].startswith(".beagle/")
    assert {key.partition("/.beagle/")[0] for name, key in thumbnails.items() if name != "bare.jpg"} == {
        container
    }
    assert items["clip.mp4"].slots[0].fields["total_frames"] == 50


def test_what_beagle_writes_starts_nothing(world: World, folder: str) -> None:
    """The subscription does not announce it, and if something else does, the code refuses it."""
    world.container.put(f"archive/{folder}/1.png", picture("PNG"))
    world.settle(f"archive/{folder}", 2)
    [item] = [item for item in world.darwin.items() if folder in str(item.storage_keys)]
    [own] = [
        blob.name
        for blob in world.container.client.list_blobs(name_starts_with=".beagle/")
        if str(item.slots[0].fields["storage_thumbnail_key"]).endswith(blob.name)
    ]
    before = world.darwin.items()
    world.container.announce("PutBlob", own)
    assert world.deployment.depth("uploads") == 0

    world.container.send(world.container.event("PutBlob", own))
    books = world.settle(own.rpartition("/")[0], 1)

    assert books.codes("ignored") == {own: "own_artifact"}
    assert world.darwin.items() == before
