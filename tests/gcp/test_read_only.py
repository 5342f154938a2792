"""Read-only storage on Google Cloud: Beagle makes what Darwin may not, in the bucket itself."""

import gzip
import io
from importlib.resources import files

from PIL import Image

from beagle.emulator import Item
from gcp.conftest import World
from gcp.test_uploads import letters

FINAL = {"registered", "already_registered", "ignored", "dead_lettered", "superseded"}


def picture(form: str) -> bytes:
    data = io.BytesIO()
    Image.linear_gradient("L").resize((640, 360)).convert("RGB").save(data, form)
    return data.getvalue()


def test_uploads_become_read_only_items_with_their_artifacts(world: World, folder: str) -> None:
    """
    A still, a still under a key that few libraries can address, a film, a damaged still, one in gzip.

    Each is announced twice, and so is every artifact; Darwin opens all of them, and finds nothing wrong.
    None of them starts anything: there is no loop.
    """
    place = f"archive/{folder}"
    film = files("beagle.playground").joinpath("files", "passing-ship.mp4").read_bytes()
    world.upload(f"{place}/photo.jpg", picture("JPEG"), "image/jpeg")
    world.upload(f"{place}/a//b.png", picture("PNG"))
    world.upload(f"{place}/film.mp4", film)
    world.upload(f"{place}/damaged.jpg", picture("JPEG")[:200] + b"\xff" * 2000)
    packed = world.deployment.cloud.client().bucket(world.bucket).blob(f"{place}/packed.png")
    packed.content_encoding = "gzip"
    packed.upload_from_string(gzip.compress(picture("PNG")), content_type="image/png")
    deployment = world.deployment
    deployment.wait_until(
        lambda: sum(line.ending in FINAL for line in deployment.books(place).lines) == 10, "Every outcome"
    )

    def seen() -> int:
        return sum('"own_artifact"' in line for line in deployment.logs("prepare"))

    made = set(deployment.cloud.buckets.keys(world.bucket, ".beagle/"))
    deployment.wait_until(lambda: seen() >= 2 * len(made), "The artifacts' news")
    items = {item.name: item for item in world.darwin.items() if f"/{folder}" in item.path}
    assert sorted(items) == ["b.png", "film.mp4", "photo.jpg"]
    assert {name: item.problems for name, item in items.items()} == dict.fromkeys(items, ())
    assert {name: item.storage_keys for name, item in items.items()} == {
        "b.png": (f"{place}/a//b.png",),
        "film.mp4": (f"{place}/film.mp4",),
        "photo.jpg": (f"{place}/photo.jpg",),
    }
    frames = sections(items["film.mp4"], made)
    assert frames
    assert items["film.mp4"].slots[0].fields["total_frames"] == len(frames)
    assert {key: one.letter.code for key, one in letters(world, folder).items()} == {
        f"{place}/damaged.jpg": "unreadable_media",
        f"{place}/packed.png": "unreadable_media",
    }
    assert set(deployment.cloud.buckets.keys(world.bucket, ".beagle/")) == made
    own = [line for line in deployment.books(".beagle").lines if line.ending != "ignored"]
    assert not own


def sections(item: Item, artifacts: set[str]) -> list[str]:
    """Return the frames of a video as they lie in the bucket."""
    prefix = item.slots[0].fields["storage_sections_key_prefix"]
    return [key for key in artifacts if key.startswith(prefix) and "/high/" in key]
