"""The life of an item, and the endpoints that list, count and change items."""

from typing import Any

import pytest

from beagle.emulator import EmulatedDarwin, Hooks
from beagle.emulator.pictures import THUMBNAIL
from emulator.samples import JSON, FakeClock, call, flat, hls, post, reasons, sections, slot, slotted, still

ITEMS = "v2/teams/acme/items"


def listed(darwin: EmulatedDarwin, query: str = "") -> list[str]:
    """Return the names that a query lists."""
    reply = call(darwin, "GET", f"{ITEMS}?{query}")
    assert reply.status == 200, reply.body
    return [item["name"] for item in reply.json()["items"]]


def row(darwin: EmulatedDarwin) -> JSON:
    """Return the one item there is, as lists tell it."""
    found: JSON = call(darwin, "GET", ITEMS).json()["items"][0]
    return found


@pytest.fixture
def cars(darwin: EmulatedDarwin, clock: FakeClock) -> EmulatedDarwin:
    """Register a few items of several kinds, and let them be processed."""
    darwin.add_dataset("other")
    post(darwin, flat("1.jpg", "/cars"), flat("2.jpg", "/cars/a,b"), flat("drive.mp4", "/"))
    post(darwin, flat("1.jpg", "/"), dataset_slug="other")
    clock.now += 10
    return darwin


def test_a_read_write_item_is_processed_for_a_while(darwin: EmulatedDarwin, clock: FakeClock) -> None:
    """Then it is new, which is Darwin's word for ready."""
    post(darwin, flat())
    assert (row(darwin)["status"], row(darwin)["processing_status"]) == ("processing", "processing")

    clock.now += 1.9
    assert darwin.items()[0].status == "processing"

    clock.now += 0.2
    assert darwin.items()[0].status == "complete"
    assert (row(darwin)["status"], row(darwin)["processing_status"]) == ("new", "complete")


def test_a_read_write_item_whose_file_is_missing_ends_in_error(clock: FakeClock) -> None:
    """Registration accepts any key; the mistake shows later, on the item."""
    hooks = Hooks(object_exists=lambda bucket, key: (bucket, key) == ("acme-uploads", "cars/1.jpg"))
    darwin = EmulatedDarwin.with_defaults(clock, hooks=hooks)
    post(darwin, flat("1.jpg"), flat("2.jpg"))
    clock.now += 10

    good, bad = darwin.items()
    assert (good.status, bad.status) == ("complete", "error")
    upload = call(darwin, "GET", f"{ITEMS}/{bad.id}").json()["uploads"][0]
    assert upload["processing_error"]["message"] == "AccessDenied"
    assert upload["processing_error"]["storage_key"] == "cars/2.jpg"


def test_azures_storage_keys_begin_with_their_container(clock: FakeClock) -> None:
    """The container is no part of the blob's name."""
    asked: list[tuple[str, str]] = []
    hooks = Hooks(object_exists=lambda bucket, key: asked.append((bucket, key)) or True)
    darwin = EmulatedDarwin.with_defaults(clock, hooks=hooks)
    darwin.add_storage("lake", "azure", "container", prefix="container/darwin")
    post(darwin, flat("1.jpg", "/container/a"), storage_slug="lake")
    clock.now += 10
    darwin.items()

    assert asked == [("container", "a/1.jpg")]


def test_a_hook_that_fails_is_asked_again(clock: FakeClock) -> None:
    """Trouble with the bucket is not the item's fault."""
    answers: list[Any] = [OSError("away"), True]

    def object_exists(bucket: str, key: str) -> bool:
        del bucket, key
        answer = answers.pop(0)
        if isinstance(answer, OSError):
            raise answer
        return bool(answer)

    darwin = EmulatedDarwin.with_defaults(clock, hooks=Hooks(object_exists=object_exists))
    post(darwin, flat())
    clock.now += 10

    with pytest.raises(OSError, match="away"):
        darwin.items()
    assert darwin.items()[0].status == "complete"


@pytest.mark.parametrize(
    ("prefix", "start"), [("darwin", "darwin/"), ("/darwin/", "darwin/"), ("", ""), ("a/b", "a/b/")]
)
def test_darwin_writes_back_below_the_storages_prefix(prefix: str, start: str) -> None:
    """One thumbnail a file, at accept: the very events that a trigger must not fall for."""
    written: dict[tuple[str, str], bytes] = {}
    hooks = Hooks(write_back=lambda bucket, key, data: written.update({(bucket, key): data}))
    darwin = EmulatedDarwin.with_defaults(hooks=hooks)
    darwin.add_storage("acme-uploads", prefix=prefix)
    post(darwin, flat("1.jpg"))
    post(darwin, flat("1.jpg"), still(), read_only=False)
    post(darwin, still(), read_only=True)

    [((bucket, key), data)] = written.items()
    upload = darwin.items()[0].slots[0].upload_id
    assert (bucket, key) == ("acme-uploads", f"{start}cars/1.jpg/uploads/{upload}/thumbnails/000000000.jpg")
    assert data == THUMBNAIL


def test_lists_tell_no_storage_key(cars: EmulatedDarwin) -> None:
    """A client cannot tell by looking whether an item is its own."""
    reply = call(cars, "GET", ITEMS)

    assert b"storage_key" not in reply.body
    assert set(reply.json()["items"][0]) >= {
        "id",
        "name",
        "path",
        "status",
        "processing_status",
        "workflow_status",
        "archived",
        "tags",
        "cursor",
        "layout",
        "uploads",
        "slots",
        "slot_types",
        "dataset_id",
        "inserted_at",
        "updated_at",
    }


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["1.jpg", "2.jpg", "drive.mp4", "1.jpg"]),
        ("dataset_ids[]=2", ["1.jpg"]),
        ("dataset_ids=1,2&item_names=1.jpg,2.jpg", ["1.jpg", "2.jpg", "1.jpg"]),
        ("dataset_ids[]=1&item_names[]=1.jpg", ["1.jpg"]),
        ("dataset_ids[]=1&item_names[]=1.jpg&item_paths[]=/cars", ["1.jpg"]),
        ("dataset_ids[]=1&item_names[]=1.jpg&item_paths[]=/", []),
        ("item_paths[]=/cars/a,b", ["2.jpg"]),
        ("item_paths=/cars/a,b", []),
        ("item_path_prefix=/cars", ["1.jpg", "2.jpg"]),
        ("item_name_prefix=d", ["drive.mp4"]),
        ("item_name_contains=.jpg", ["1.jpg", "2.jpg", "1.jpg"]),
        ("slot_types[]=video&slot_types[]=pdf", ["drive.mp4"]),
        ("statuses[]=new", ["1.jpg", "2.jpg", "drive.mp4", "1.jpg"]),
        ("statuses[]=processing,error", []),
        ("include_workflow_data=true&sort[id]=asc&page[size]=500", ["1.jpg", "2.jpg", "drive.mp4", "1.jpg"]),
    ],
)
def test_filters_hold_together(cars: EmulatedDarwin, query: str, names: list[str]) -> None:
    """Lists of values take any of them; values with commas need the brackets."""
    assert listed(cars, query) == names


@pytest.mark.parametrize("query", ["item_nmaes[]=x", "dataset_ids[]=x", "page[size]=0", "page[from]=x"])
def test_a_filter_that_is_not_understood_is_refused(cars: EmulatedDarwin, query: str) -> None:
    """A typing mistake would otherwise list everything."""
    assert call(cars, "GET", f"{ITEMS}?{query}").status == 422


def test_items_by_id(cars: EmulatedDarwin) -> None:
    """One by its path, several by a filter, all ids by a list."""
    one, two, *_ = cars.items()

    assert call(cars, "GET", f"{ITEMS}/{one.id}").json()["name"] == "1.jpg"
    assert call(cars, "GET", f"{ITEMS}/nobody").status == 404
    assert listed(cars, f"item_ids[]={one.id}&item_ids[]={two.id}") == ["1.jpg", "2.jpg"]
    for path in ("list_ids", "ids"):
        ids = call(cars, "GET", f"{ITEMS}/{path}?dataset_ids[]=1&item_path_prefix=/cars").json()["item_ids"]
        assert ids == [one.id, two.id]


def test_pages_follow_a_cursor(darwin: EmulatedDarwin) -> None:
    """Every item once, also when items are added and removed between the pages."""
    post(darwin, *(flat(f"{n}.jpg") for n in range(7)))
    seen: list[str] = []
    cursor = "0"
    while cursor:
        page = call(darwin, "GET", f"{ITEMS}?page[size]=3&page[from]={cursor}").json()
        seen += [item["name"] for item in page["items"]]
        cursor = page["page"]["next"]
        if len(seen) == 3:
            darwin.remove_item(darwin.items()[0].id)
            post(darwin, flat("late.jpg"))

    assert seen == [f"{n}.jpg" for n in range(7)] + ["late.jpg"]
    assert listed(darwin, "page[offset]=6") == ["late.jpg"]


def test_counts_and_folders(cars: EmulatedDarwin) -> None:
    """By dataset, by status, by folder."""
    call(cars, "POST", f"{ITEMS}/archive", {"filters": {"item_names": ["2.jpg"]}})

    assert call(cars, "GET", f"{ITEMS}/general_counts").json()["simple_counts"] == [
        {"dataset_id": 1, "filtered_item_count": 3, "item_count": 3},
        {"dataset_id": 2, "filtered_item_count": 1, "item_count": 1},
    ]
    assert call(cars, "GET", f"{ITEMS}/status_counts").json()["simple_counts"] == [
        {"status": "archived", "item_count": 1},
        {"status": "new", "item_count": 3},
    ]
    folders = call(cars, "GET", f"{ITEMS}/folders?dataset_ids[]=1").json()["folders"]
    assert [folder["path"] for folder in folders] == ["/", "/cars", "/cars/a,b"]


def test_archiving_keeps_the_name_and_deleting_frees_it(cars: EmulatedDarwin) -> None:
    """An archived item is still there; a deleted one is not."""
    chosen = {"filters": {"dataset_ids": [1], "item_names": ["1.jpg"]}}

    assert call(cars, "POST", f"{ITEMS}/archive", chosen).json() == {"affected_item_count": 1}
    assert listed(cars, "statuses[]=archived") == ["1.jpg"]
    assert reasons(post(cars, flat("1.jpg", "/cars"))) == {"1.jpg": ["ALREADY_EXISTS"]}

    call(cars, "POST", f"{ITEMS}/restore", chosen)
    assert listed(cars, "statuses[]=archived") == []

    assert call(cars, "DELETE", ITEMS, chosen).json() == {"affected_item_count": 1}
    assert reasons(post(cars, flat("1.jpg", "/cars"))) == {}


def test_a_change_without_a_filter_is_refused(cars: EmulatedDarwin) -> None:
    """Nobody deletes everything by leaving something out."""
    for payload in ({}, {"filters": {}}, {"filters": {"item_names": []}}, {"filters": {"item_nmaes": ["x"]}}):
        assert call(cars, "DELETE", ITEMS, payload).status == 422
    assert len(cars.items()) == 4


def test_moving_items_frees_their_place_and_takes_another(cars: EmulatedDarwin) -> None:
    """A place that is taken refuses the move."""
    move = {"filters": {"dataset_ids": [1], "item_names": ["1.jpg"]}, "path": "trucks/"}

    assert call(cars, "POST", f"{ITEMS}/path", move).json() == {"affected_item_count": 1}
    assert cars.items()[0].path == "/trucks"
    assert reasons(post(cars, flat("1.jpg", "/cars"))) == {}
    assert call(cars, "POST", f"{ITEMS}/path", move).status == 422


def test_two_items_of_one_name_cannot_move_to_one_place(darwin: EmulatedDarwin) -> None:
    """Neither moves."""
    post(darwin, flat("1.jpg", "/a"), flat("1.jpg", "/b"))

    assert (
        call(darwin, "POST", f"{ITEMS}/path", {"filters": {"item_names": ["1.jpg"]}, "path": "/c"}).status
        == 422
    )
    assert [item.path for item in darwin.items()] == ["/a", "/b"]


def test_files_are_read_from_the_bucket() -> None:
    """Original, thumbnail and sections, by the slot's id; what is no picture is opaque."""
    objects = {
        "stills/1.jpg": THUMBNAIL,
        "videos/clip.mp4": b"<html>",
        "artifacts/clip/sections/high/000000001.png": b"BM",
    }
    objects["artifacts/clip/hq/1.png"] = THUMBNAIL
    darwin = EmulatedDarwin.with_defaults(hooks=Hooks(open_object=lambda _, key: objects.get(key)))
    post(
        darwin, still(), slotted(hls(), name="clip"), {"name": "s", "path": "/", **sections()}, read_only=True
    )
    image, clip, frames = (item.slots[0] for item in darwin.items())

    def read(target: str) -> tuple[int, bytes, str]:
        reply = call(darwin, "GET", f"v2/teams/acme/{target}")
        return reply.status, reply.body, dict(reply.headers)["Content-Type"]

    assert read(f"files/{image.id}/original") == (200, THUMBNAIL, "image/jpeg")
    assert read(f"uploads/{image.upload_id}")[0] == 200
    assert read(f"files/{image.id}/thumbnail")[0] == 404
    assert read(f"files/{clip.id}/original") == (200, b"<html>", "application/octet-stream")
    assert read(f"files/{clip.id}/sections/1") == (200, b"BM", "image/bmp")
    assert read(f"files/{frames.id}/sections/0")[1] == THUMBNAIL
    assert read(f"files/{frames.id}/sections/7")[0] == 404
    assert read("files/nobody/original")[0] == 404


def test_storages_are_listed_as_they_are_configured(darwin: EmulatedDarwin) -> None:
    """Prefixes in any form; a region only where there is one; the first is the default."""
    darwin.add_storage("lake", "azure", "container", prefix="container/folder")
    darwin.add_storage("gs", "gcp", "bucket", prefix="/darwin/", readonly=True)

    rows = {row["name"]: row for row in call(darwin, "GET", "teams/acme/storage").json()}
    assert rows["acme-uploads"] == {
        "name": "acme-uploads",
        "prefix": "darwin",
        "readonly": False,
        "provider": "aws",
        "default": True,
        "bucket": "acme-uploads",
        "region": "eu-west-1",
    }
    assert rows["acme-archive"]["readonly"] is True
    assert "region" not in rows["lake"]
    assert (rows["gs"]["prefix"], rows["gs"]["default"]) == ("/darwin/", False)
    assert call(darwin, "GET", "teams/rival/storage").status == 404


def test_datasets_are_listed_made_and_archived(darwin: EmulatedDarwin) -> None:
    """A slug is derived from the name; a name is taken once."""
    post(darwin, flat("1.jpg"), flat("a.mp4"))

    made = call(darwin, "POST", "datasets", {"name": "Bird Species!"})
    assert (made.status, made.json()["slug"]) == (201, "bird-species")
    taken = call(darwin, "POST", "datasets", {"name": "Bird Species!"})
    assert (taken.status, taken.json()["errors"]["name"]) == (422, ["has already been taken"])
    assert call(darwin, "POST", "datasets", {}).status == 422

    incoming, birds = call(darwin, "GET", "datasets/").json()
    assert (incoming["num_items"], incoming["num_images"], incoming["num_videos"]) == (2, 1, 1)
    assert call(darwin, "GET", f"datasets/{birds['id']}").json()["name"] == "Bird Species!"
    assert call(darwin, "PUT", f"datasets/{birds['id']}/archive").json()["archived"] is True
    assert call(darwin, "GET", "datasets/99").status == 404


def test_features_are_an_array_of_names(darwin: EmulatedDarwin) -> None:
    """As darwin-py reads them."""
    features = call(darwin, "GET", "teams/acme/features").json()

    assert all(set(feature) == {"name", "enabled"} for feature in features)


def test_slots_tell_their_kind_in_lists(darwin: EmulatedDarwin, clock: FakeClock) -> None:
    """Images show one frame a second, videos their rate, all of them that they are external."""
    post(darwin, slotted(slot("a.jpg"), slot("b.mp4", fps=5)))
    clock.now += 10

    item = row(darwin)
    assert item["slot_types"] == ["image", "video"]
    assert [s["fps"] for s in item["slots"]] == [1, 5]
    assert all(s["is_external"] for s in item["slots"])
