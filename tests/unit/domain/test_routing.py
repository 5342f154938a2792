"""What becomes of an object: an item, nothing on purpose, or a verdict; never an item that cannot be."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beagle.domain.errors import VerdictError
from beagle.domain.events import NotAnObject, ObjectCreated, ObjectRef
from beagle.domain.keys import normalise_path
from beagle.domain.routes import parse_routes
from beagle.domain.routing import Routed, route_event
from beagle.providers.local.clock import EPOCH

WATCH = {"bucket": "up", "prefix": "cars/"}
ROUTE = {"name": "cars", "watch": WATCH, "dataset": "cars", "storage": "s3"}
UUID = "00000000-0000-4000-8000-000000000000"

SEGMENTS = st.text(st.characters(exclude_characters="/"), max_size=8)
KEYS = st.lists(SEGMENTS, min_size=1, max_size=4).map("/".join)


def routes(**changes):
    return parse_routes({"team": "acme", "routes": [{**ROUTE, **changes}]})


def fate(key, size=1, bucket="up", provider="aws", prefix=".beagle/", **changes):
    ref = ObjectRef(provider=provider, bucket=bucket, key=key)
    event = ObjectCreated(ref=ref, content="v1", size=size, occurred_at=EPOCH)
    return route_event(routes(**changes), event, prefix)


def code(*arguments, **changes):
    """Return why an object is ignored, or refused."""
    try:
        found = fate(*arguments, **changes)
    except VerdictError as error:
        return error.code
    return found.code if isinstance(found, NotAnObject) else "item"


@pytest.mark.parametrize(
    ("key", "end"),
    [
        ("cars/1.jpg", "item"),
        ("cars/a/b/1.JPG", "item"),
        ("cars/a//1.nii.gz", "item"),
        ("cars/a/1.txt", "unknown_type"),
        ("cars/a/jpg", "unknown_type"),
        ("cars/.jpg", "unknown_type"),
        ("vans/1.jpg", "no_route"),
        ("cars", "no_route"),
        ("Cars/1.jpg", "no_route"),
        (".beagle/cars/1.jpg", "own_artifact"),
        (f"cars/1.mp4/uploads/{UUID}/thumbnails/000000000.jpg", "darwin_write_back"),
    ],
)
def test_by_default_every_file_that_darwin_knows_becomes_an_item(key, end):
    assert code(key) == end


def test_another_bucket_is_nobodys():
    assert code("cars/1.jpg", bucket="up2") == "no_route"


def test_our_own_files_are_never_uploads_whatever_a_route_watches():
    """Wherever the deployment keeps them: registering them would make new ones, for ever."""
    everything = {"watch": {"bucket": "up", "include": "**"}}

    assert code(".beagle/x/1.jpg", **everything) == "own_artifact"
    assert code("made/by/beagle/1.jpg", prefix="made/by/beagle/", **everything) == "own_artifact"
    assert code(".beagle/x/1.jpg", prefix="made/by/beagle/", **everything) == "item"
    assert code(f"a/uploads/{UUID}/sections/1.png", **everything) == "darwin_write_back"


def test_include_and_exclude_choose_below_the_prefix():
    watch = {**WATCH, "include": ["*.jpg", "odd/**"], "exclude": ["**/drafts/**", "odd/no*"]}

    assert code("cars/1.jpg", watch=watch) == "item"
    assert code("cars/odd/any.thing", watch=watch) == "item"
    assert code("cars/a/1.jpg", watch=watch) == "not_included"
    assert code("cars/odd/drafts/1.jpg", watch=watch) == "excluded"
    assert code("cars/odd/none.jpg", watch=watch) == "excluded"


def test_why_an_object_is_ignored_is_told_by_the_first_route_that_came_near():
    near = {**ROUTE, "name": "near", "watch": {**WATCH, "exclude": "**"}}
    far = {**ROUTE, "name": "far", "watch": {"bucket": "other"}}
    parsed = parse_routes({"team": "acme", "routes": [far, near]})
    ref = ObjectRef(provider="aws", bucket="up", key="cars/1.jpg")

    found = route_event(parsed, ObjectCreated(ref=ref, content="v1", size=1, occurred_at=EPOCH))

    assert isinstance(found, NotAnObject)
    assert found.code == "excluded"


def test_a_folder_marker_is_ignored_but_a_file_called_like_one_is_told():
    """Consoles make empty objects that end in a slash; one with bytes is somebody's file."""
    assert code("cars/a/", size=0) == "folder_marker"
    assert code("cars/a/", size=None) == "folder_marker"
    assert code("cars/a/", size=7) == "unregisterable_key"
    assert code("cars/", size=7) == "unregisterable_key"


def test_an_empty_object_is_a_verdict_and_an_unknown_size_is_not():
    assert code("cars/1.jpg", size=0) == "empty_object"
    assert code("cars/1.jpg", size=None) == "item"


@pytest.mark.parametrize("key", ["/cars/1.jpg", "a\0.jpg", "/"])
def test_a_key_that_darwin_cannot_hold_is_a_verdict(key):
    assert code(key, size=3, watch={"bucket": "up"}) == "unregisterable_key"


def test_a_name_that_cannot_be_is_a_verdict():
    assert code("cars/a/1.jpg", item_name="{folder}/{stem}") == "unusable_name"
    assert code("cars/1.jpg", item_name="{folder}") == "unusable_name"


def test_the_item_says_of_the_file_what_the_route_and_the_suffix_say():
    video = fate("cars/1.mp4", video={"fps": 5, "as_frames": True}).item.slots[0]
    still = fate("cars/1.jpg", video={"fps": 5, "as_frames": True}).item.slots[0]
    scan = fate("cars/1.nii.gz", dicom={"extract_views": True}).item.slots[0]
    told = fate("cars/1.bin", type="dicom").item.slots[0]
    frames = fate("cars/1.mp4", access="read_only", video={"as_frames": True}).item.slots[0]

    assert (video.media_type, video.fps, video.as_frames) == ("video", 5, True)
    assert (still.media_type, still.fps, still.as_frames) == ("image", None, None)
    assert (scan.media_type, scan.extract_views) == (None, True)
    assert (told.media_type, frames.as_frames) == ("dicom", None)
    assert (video.name, video.file_name, video.storage_key, video.size) == ("0", "1.mp4", "cars/1.mp4", 1)


def test_on_azure_the_storage_key_starts_with_the_container_unless_the_route_says_otherwise():
    assert fate("cars/1.jpg", provider="azure").item.slots[0].storage_key == "up/cars/1.jpg"
    bare = fate("cars/1.jpg", provider="azure", azure_container=False)
    assert bare.item.slots[0].storage_key == "cars/1.jpg"


@given(key=KEYS, size=st.sampled_from([None, 0, 1]), include=st.sampled_from([(), ("**",), ("{site}/**",)]))
def test_an_object_never_becomes_an_item_that_cannot_be(key, size, include):
    """Whatever the key: an item with a name, at a path, of this very key; or a reason, never a bug."""
    try:
        found = fate(key, size=size, watch={"bucket": "up", "include": include})
    except VerdictError:
        return
    if isinstance(found, NotAnObject):
        assert found.code
        return
    assert found.item.id.name
    assert "/" not in found.item.id.name
    assert found.item.id.path == normalise_path(found.item.id.path)
    assert found.item.slots[0].storage_key == key
    assert size != 0


@given(one=KEYS, other=KEYS)
def test_two_keys_share_a_place_only_if_they_differ_in_doubled_slashes_alone(one, other):
    """With the default templates no folder is dropped: what differs stays different in Darwin."""
    watch = {"bucket": "up", "prefix": "cars/", "include": "**"}
    places = []
    for key in (one, other):
        try:
            found = fate(f"cars/{key}", watch=watch)
        except VerdictError:
            return
        if not isinstance(found, Routed):
            return
        places.append((found.item.id.path, found.item.id.name))

    assert (places[0] == places[1]) == (normalise_path(one) == normalise_path(other))


@given(keys=st.lists(KEYS, min_size=2, max_size=5), by=st.sampled_from(["{folder}", "", "all"]))
def test_what_is_gathered_together_shares_one_identity(keys, by):
    """Objects of one group have one item; their slots are what differs."""
    groups = {}
    for key in keys:
        try:
            found = fate(
                key, watch={"bucket": "up", "include": "**"}, path="/", group={"series": True, "by": by}
            )
        except VerdictError:
            continue
        if isinstance(found, Routed):
            groups.setdefault(found.group, set()).add(replace(found.item, slots=()))

    assert all(len(items) == 1 for items in groups.values())
