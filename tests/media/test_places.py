"""Where an item's objects are found and its artifacts lie, whatever Darwin's storage keys look like."""

import io
from dataclasses import replace

import numpy as np
import obstore
import pytest
from obstore.store import MemoryStore
from PIL import Image

from beagle.domain.events import ObjectCreated, ObjectRef
from beagle.domain.items import ReadyItem
from beagle.domain.routes import parse_routes
from beagle.domain.routing import route_event
from beagle.media.child import Children
from beagle.media.maker import Maker
from beagle.providers.local.clock import EPOCH, FakeClock
from beagle.providers.objects import Objects
from media.stills.dicom_samples import slice_of
from support.world import Budget

CONTAINER = "images"
ROUTE = {"watch": {"bucket": CONTAINER}, "dataset": "d", "storage": "s", "access": "read_only"}


@pytest.fixture
def bucket():
    return MemoryStore()


@pytest.fixture
def make(bucket):
    """Return how to make the artifacts of the item that these objects of a container become."""
    objects = Objects(lambda _: bucket, lambda _: pytest.fail("No key here is odd."), ".beagle/")

    def make(*keys, told=True, **route):
        routes = parse_routes({"team": "t", "routes": [{**ROUTE, **route}]})
        events = [announced(bucket, key) for key in keys]
        found = [route_event(routes, event) for event in events]
        item = replace(found[0].item, slots=tuple(one.item.slots[0] for one in found))
        if not told:
            item = replace(item, azure_container=None)
        ready = ReadyItem(event=events[0], item=item, route="d", making=found[0].making)
        with Children() as children:
            return Maker(objects.open, objects.sink, 900, children).make(ready, Budget(FakeClock(), 900))

    return make


def announced(bucket, key):
    meta = obstore.head(bucket, key)
    return ObjectCreated(
        ref=ObjectRef(provider="azure", bucket=CONTAINER, key=key),
        content=meta["e_tag"].strip('"'),
        size=meta["size"],
        occurred_at=EPOCH,
    )


def photo(width):
    file = io.BytesIO()
    Image.new("RGB", (width, 8)).save(file, "JPEG")
    return file.getvalue()


@pytest.mark.parametrize("with_container", [True, False])
def test_a_folder_called_as_its_container_is_a_folder(bucket, make, with_container):
    """Beside it lies another object, whose key is that without the folder."""
    for key, width in {"images/a.jpg": 20, "a.jpg": 30}.items():
        obstore.put(bucket, key, photo(width))
    found = {key: make(key, azure_container=with_container).slots[0] for key in ("images/a.jpg", "a.jpg")}

    front = "images/" if with_container else ""
    assert {key: (slot.storage_key, slot.artifacts.width) for key, slot in found.items()} == {
        "images/a.jpg": (f"{front}images/a.jpg", 20),
        "a.jpg": (f"{front}a.jpg", 30),
    }


@pytest.mark.parametrize("with_container", [True, False])
@pytest.mark.parametrize("first", ["l.jpg", "l.dcm"])
def test_all_storage_keys_of_a_group_are_of_one_form(bucket, make, first, with_container):
    """Those of its objects and of all artifacts, also of an image that takes an object's place."""
    obstore.put(bucket, "a/l.jpg", photo(20))
    obstore.put(bucket, "a/l.dcm", slice_of(np.eye(16, dtype="u2")).data)
    obstore.put(bucket, "a/r.jpg", photo(30))
    item = make(
        f"a/{first}",
        "a/r.jpg",
        azure_container=with_container,
        group={"by": "{folder}", "slots": [first, "r.jpg"]},
        dicom={"convert": True},
    )

    keys = [key for slot in item.slots for key in (slot.storage_key, slot.artifacts.thumbnail_key)]
    assert [key.startswith("images/") for key in keys] == [with_container] * 4
    for key in keys:
        assert obstore.head(bucket, key.removeprefix("images/"))


def test_an_item_that_an_older_version_routed_is_made_as_it_was(bucket, make):
    """It does not say whether storage keys start with the container: the first of them shows it."""
    obstore.put(bucket, "a.jpg", photo(20))

    for with_container in (True, False):
        slot = make("a.jpg", told=False, azure_container=with_container).slots[0]
        assert slot.artifacts.thumbnail_key.startswith("images/.beagle/") is with_container
