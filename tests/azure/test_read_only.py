"""Read-only storage on Azure: Beagle makes what Darwin may not, in the container itself."""

import io

from PIL import Image

from beagle.playground.story import ARCHIVE_FOLDER, read_uploads
from support.azure.world import World

SIZE = (640, 360)
FRAMES = 60


def picture(form: str) -> bytes:
    data = io.BytesIO()
    Image.linear_gradient("L").resize(SIZE).convert("RGB").save(data, form)
    return data.getvalue()


def test_what_the_demo_uploads_becomes_read_only_items_with_their_artifacts(
    world: World, folder: str
) -> None:
    """
    A JPEG stored on its side, a film, a key that few libraries can address, a damaged file; each comes twice.

    Darwin opens every artifact that it was told of, and finds nothing wrong. Keys begin with the container,
    the artifacts' too, or do not, as the route says.
    """
    uploads, _ = read_uploads()
    demo = {one.key.partition("/")[2]: one.data for one in uploads if one.key.startswith(ARCHIVE_FOLDER)}
    damaged = picture("JPEG")[:200] + b"\xff" * 2000
    for name, data in {**demo, "a//b.png": picture("PNG"), "damaged.jpg": damaged}.items():
        world.container.put(f"archive/{folder}/{name}", data)
    world.container.put(f"bare/{folder}/bare.jpg", picture("JPEG"))
    books = world.settle(f"archive/{folder}", 8)
    world.settle(f"bare/{folder}", 2)

    container = world.container.name
    items = {item.name: item for item in world.darwin.items() if folder in str(item.storage_keys)}
    assert {name: item.storage_keys for name, item in items.items()} == {
        "cutter.jpg": (f"{container}/archive/{folder}/cutter.jpg",),
        "b.png": (f"{container}/archive/{folder}/a//b.png",),
        "passing-ship.mp4": (f"{container}/archive/{folder}/passing-ship.mp4",),
        "bare.jpg": (f"bare/{folder}/bare.jpg",),
    }
    assert {name: item.problems for name, item in items.items()} == dict.fromkeys(items, ())
    assert books.codes("dead_lettered") == {f"archive/{folder}/damaged.jpg": "unreadable_media"}
    thumbnails = {name: item.slots[0].fields["storage_thumbnail_key"] for name, item in items.items()}
    assert thumbnails["bare.jpg"].startswith(".beagle/")
    assert {key.partition("/.beagle/")[0] for name, key in thumbnails.items() if name != "bare.jpg"} == {
        container
    }
    assert items["passing-ship.mp4"].slots[0].fields["total_frames"] == FRAMES


def test_metadata_that_comes_after_the_upload_loses_nothing(world: World, folder: str) -> None:
    """
    Who uploads, and then sets metadata, gives a blob another ETag, and nobody announces that.

    A picture and a film are registered all the same, with their artifacts.
    """
    uploads, _ = read_uploads()
    film = next(one.data for one in uploads if one.key.endswith("passing-ship.mp4"))
    for name, data in {"1.png": picture("PNG"), "film.mp4": film}.items():
        key = f"archive/{folder}/{name}"
        blob = world.container.client.upload_blob(key, data)
        event = world.container.event("PutBlob", key)
        blob.set_blob_metadata({"scanned": "yes"})
        world.container.send(event)
    books = world.settle(f"archive/{folder}", 2)

    items = {item.name: item for item in world.darwin.items() if folder in str(item.storage_keys)}
    assert {name: item.problems for name, item in items.items()} == {"1.png": (), "film.mp4": ()}
    assert not books.codes("superseded")


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
