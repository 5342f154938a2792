"""`register_existing`: what Darwin takes, blocks and refuses for storage it may write to."""

import pytest

from beagle.emulator import EmulatedDarwin
from emulator.samples import JSON, accepted, call, flat, hls, post, reasons, slot, slotted, still


def test_a_flat_item_becomes_one_slot_called_0(darwin: EmulatedDarwin) -> None:
    """Its file is named as the item, and its layout is the simple one."""
    reply = post(darwin, flat("1.jpg", "/cars"))

    [told] = reply.json()["items"]
    [item] = darwin.items()
    assert reply.status == 200
    assert reply.json()["blocked_items"] == []
    assert told["id"] == item.id
    assert (told["name"], told["path"]) == ("1.jpg", "/cars")
    assert (
        told["slots"][0].items()
        >= {
            "slot_name": "0",
            "file_name": "1.jpg",
            "type": "image",
            "as_frames": False,
            "extract_views": False,
            "size_bytes": 0,
        }.items()
    )
    assert item.layout == {"type": "simple", "version": 1, "slots": ["0"]}
    assert item.storage_keys == ("cars/1.jpg",)
    assert item.payload == flat("1.jpg", "/cars")


@pytest.mark.parametrize(
    ("sent", "told"),
    [("/a/b", "/a/b"), ("a/b", "/a/b"), ("/a/b/", "/a/b"), ("", "/"), ("/", "/"), ("ä ö/ü", "/ä ö/ü")],
)
def test_a_path_gains_its_leading_slash(darwin: EmulatedDarwin, sent: str, told: str) -> None:
    """A folder is the same folder however its slashes were sent."""
    reply = post(darwin, flat() | {"path": sent})

    assert reply.json()["items"][0]["path"] == told
    assert darwin.items()[0].path == told


def test_a_path_may_be_left_out(darwin: EmulatedDarwin) -> None:
    """The item then lies in the dataset's root."""
    post(darwin, {"name": "1.jpg", "storage_key": "1.jpg"})

    assert darwin.items()[0].path == "/"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.jpg", "image"),
        ("A.PNG", "image"),
        ("a.mp4", "video"),
        ("a.pdf", "pdf"),
        ("a.dcm", "dicom"),
        ("a.nii.gz", "dicom"),
    ],
)
def test_a_type_is_told_from_the_file_name(darwin: EmulatedDarwin, name: str, kind: str) -> None:
    """V7's own Lambda sends no type at all."""
    post(darwin, flat(name))

    assert darwin.items()[0].slots[0].type == kind


def test_a_type_that_cannot_be_told_refuses_the_request(darwin: EmulatedDarwin) -> None:
    """A file without a known ending needs its type."""
    assert post(darwin, flat("a.bin")).status == 422
    assert post(darwin, flat("a.bin", type="image")).status == 200


@pytest.mark.parametrize("word", ["true", True])
def test_flags_are_taken_as_words_or_booleans_and_told_as_booleans(
    darwin: EmulatedDarwin, word: object
) -> None:
    """V7's samples send the one, darwin-py the other."""
    reply = post(darwin, flat("a.mp4", as_frames=word), flat("a.dcm", extract_views=word))

    video, dicom = (item["slots"][0] for item in reply.json()["items"])
    assert video["as_frames"] is True
    assert video["extract_views"] is False
    assert dicom["extract_views"] is True


@pytest.mark.parametrize("fps", [0, 5, 29.97, "native"])
def test_a_video_may_say_its_rate(darwin: EmulatedDarwin, fps: object) -> None:
    """A number, or the word native."""
    assert post(darwin, flat("a.mp4", fps=fps)).status == 200
    assert darwin.items()[0].slots[0].fps == fps


REFUSED: dict[str, JSON] = {
    "an unknown field": flat(colour="red"),
    "a description": flat(description="for uploads only"),
    "a read-only field": flat(storage_thumbnail_key="t.jpg"),
    "a read-only size": flat(width=10, height=10),
    "a read-only image": still(),
    "a read-only video": slotted(hls()),
    "no storage key": {"name": "1.jpg", "path": "/"},
    "no name": {"path": "/", "storage_key": "1.jpg"},
    "an empty name": flat(""),
    "a name with a slash": flat() | {"name": "a/b.jpg"},
    "a key with a leading slash": flat() | {"storage_key": "/cars/1.jpg"},
    "an empty key": flat() | {"storage_key": ""},
    "a name that is a number": flat() | {"name": 1},
    "an unknown type": flat(type="audio"),
    "a rate in a word": flat("a.mp4", fps="10"),
    "a negative rate": flat("a.mp4", fps=-1),
    "a rate on DICOM": flat("a.dcm", fps=1),
    "a rate on an image": flat("a.jpg", fps=5),
    "a flag in another word": flat("a.mp4", as_frames="yes"),
    "tags in a string": flat(tags="night"),
    "no slots": slotted(),
    "a flat key beside slots": slotted(slot(), storage_key="cars/1.jpg"),
    "a slot without a name": slotted({"file_name": "a.jpg", "storage_key": "a.jpg"}),
    "a slot with an empty name": slotted(slot() | {"slot_name": ""}),
    "a slot without a file name": slotted({"slot_name": "a", "storage_key": "a.jpg"}),
    "a slot with a leading slash in its key": slotted(slot() | {"storage_key": "/a.jpg"}),
    "a slot with a path": slotted(slot(path="/")),
    "a slot name shared by images": slotted(slot("a.jpg", "x"), slot("b.jpg", "x")),
    "a slot name shared by DICOM and an image": slotted(slot("a.dcm", "x"), slot("b.jpg", "x")),
    "views of a slot not called 0": slotted(slot("a.dcm", "a.dcm", extract_views="true")),
    "a layout of version 4": flat(layout={"version": 4, "slots": ["0"]}),
    "a layout of an unknown kind": flat(layout={"version": 1, "type": "circle", "slots": ["0"]}),
    "a layout 1 with a shape": flat(
        layout={"version": 1, "type": "grid", "slots": ["0"], "layout_shape": [1]}
    ),
    "a layout 2 without a shape": flat(layout={"version": 2, "type": "grid", "slots": ["0"]}),
    "a layout 3 without depth": flat(layout={"version": 3, "slots_grid": ["0"]}),
    "a layout of a slot that is not there": flat(layout={"version": 1, "type": "simple", "slots": ["1"]}),
    "a layout 3 of a slot that is not there": flat(layout={"version": 3, "slots_grid": [[["1"]]]}),
    "a layout 3 of 17 viewports": slotted(
        *(slot(f"{n}.jpg") for n in range(17)),
        layout={"version": 3, "slots_grid": [[[f"{n}.jpg"] for n in range(17)]]},
    ),
    "a layout 3 of 17 channels": slotted(
        *(slot(f"{n}.jpg") for n in range(17)),
        layout={"version": 3, "slots_grid": [[[f"{n}.jpg" for n in range(17)]]]},
    ),
}


@pytest.mark.parametrize("item", REFUSED.values(), ids=REFUSED)
def test_one_wrong_item_refuses_the_whole_request(darwin: EmulatedDarwin, item: JSON) -> None:
    """A field too many, too few or of the wrong kind is a 422, and nothing of the request is kept."""
    reply = post(darwin, flat("good.jpg"), item)

    assert reply.status == 422
    assert reply.json()["errors"]["code"] == "INVALID_REQUEST"
    assert darwin.items() == []


def test_a_refusal_names_the_field(darwin: EmulatedDarwin) -> None:
    """Whoever reads it finds the item by its place."""
    errors = post(darwin, flat(), flat("2.jpg", colour="red")).json()["errors"]

    assert [field for field in errors if field != "code"] == ["items.1.flat.colour"]


@pytest.mark.parametrize(
    "extra",
    [
        {"storage_name": "acme-uploads"},
        {"options": {"force_tiling": True}},
        {"options": {"handle_as_slices": True}},
    ],
    ids=str,
)
def test_unknown_fields_around_the_items_are_refused_too(darwin: EmulatedDarwin, extra: JSON) -> None:
    """The upload endpoint's options are not this endpoint's."""
    assert post(darwin, flat(), **extra).status == 422


def test_dicom_files_may_share_a_slot_as_a_series(darwin: EmulatedDarwin) -> None:
    """All slices of one slot name make one volume, with the order of the request on demand."""
    series = slotted(slot("1.dcm", "ct"), slot("2.dcm", "ct"), name="ct")
    reply = post(darwin, series, options={"ignore_dicom_layout": True})

    [item] = darwin.items()
    assert reply.status == 200
    assert [s.slot_name for s in item.slots] == ["ct", "ct"]
    assert item.options == {"ignore_dicom_layout": True}


def test_views_are_made_of_the_slot_called_0(darwin: EmulatedDarwin) -> None:
    """Multi-planar reconstruction, as the docs write it."""
    reply = post(darwin, slotted(slot("a.dcm", "0", extract_views="true")))

    assert reply.json()["items"][0]["slots"][0]["extract_views"] is True


@pytest.mark.parametrize(
    "layout",
    [
        {"version": 1, "type": "horizontal", "slots": ["a/front", "back"]},
        {"version": 2, "type": "grid", "slots": ["a/front", "back"], "layout_shape": [2, 1]},
        {"version": 3, "slots_grid": [[["a/front"]], [["back"]]]},
        {"version": 3, "slots_grid": [[["a/front", "back"]]]},
        None,
    ],
    ids=str,
)
def test_three_versions_of_layout_are_taken_and_kept(darwin: EmulatedDarwin, layout: JSON | None) -> None:
    """Side by side, in a shape, in a grid of channels; or none. Slot names may hold a slash."""
    pair = slotted(slot("front.mp4", "a/front"), slot("back.jpg", "back"))
    reply = post(darwin, pair if layout is None else pair | {"layout": layout})

    assert reply.status == 200
    assert darwin.items()[0].layout == (
        layout or {"version": 1, "type": "grid", "slots": ["a/front", "back"]}
    )


def test_a_taken_name_is_blocked_in_every_slot_and_the_rest_is_accepted(darwin: EmulatedDarwin) -> None:
    """200 does not mean registered."""
    pair = slotted(slot("front.jpg"), slot("back.jpg"))
    post(darwin, pair)

    reply = post(darwin, pair, flat("new.jpg"))

    assert reply.status == 200
    assert accepted(reply) == ["new.jpg"]
    assert reasons(reply) == {"pair": ["ALREADY_EXISTS", "ALREADY_EXISTS"]}
    assert len(darwin.items()) == 2
    assert [blocked.name for blocked in darwin.blocked()] == ["pair"]


def test_a_name_is_taken_within_one_request_too(darwin: EmulatedDarwin) -> None:
    """The first of two wins, whatever their keys."""
    reply = post(darwin, flat("1.jpg", "/a"), flat("1.jpg", "a") | {"storage_key": "elsewhere/1.jpg"})

    assert accepted(reply) == ["1.jpg"]
    assert reasons(reply) == {"1.jpg": ["ALREADY_EXISTS"]}
    assert darwin.items()[0].storage_keys == ("a/1.jpg",)


def test_names_are_unique_by_folder_and_dataset_only(darwin: EmulatedDarwin) -> None:
    """The same name elsewhere, and the same key under another name, are new items."""
    darwin.add_dataset("other")
    post(darwin, flat("1.jpg", "/a"))

    assert accepted(post(darwin, flat("1.jpg", "/b"))) == ["1.jpg"]
    assert accepted(post(darwin, flat("1.jpg", "/a"), dataset_slug="other")) == ["1.jpg"]
    assert accepted(post(darwin, flat("2.jpg", "/a") | {"storage_key": "a/1.jpg"})) == ["2.jpg"]
    assert accepted(post(darwin, flat("1.JPG", "/a"))) == ["1.JPG"]


@pytest.mark.parametrize("tags", [["night", "nigth"], {"nigth": "text"}], ids=str)
def test_unknown_tags_block_the_item(darwin: EmulatedDarwin, tags: object) -> None:
    """A tag class must exist before an item may carry it."""
    darwin.add_tag("night")

    reply = post(darwin, flat("1.jpg", tags=tags), flat("2.jpg", tags=["night"]))

    assert reasons(reply) == {"1.jpg": ["UNKNOWN_TAGS"]}
    assert [(item.tags, item.slots[0].tags) for item in darwin.items()] == [(("night",), ())]


def test_tags_of_a_slot_must_be_known_as_well(darwin: EmulatedDarwin) -> None:
    """Slots carry tags of their own."""
    assert reasons(post(darwin, slotted(slot(tags=["nigth"])))) == {"pair": ["UNKNOWN_TAGS"]}


def test_an_item_someone_else_registered_blocks_the_name(darwin: EmulatedDarwin) -> None:
    """Until it is renamed or removed."""
    item = darwin.seed_item("incoming", "cars", "1.jpg", "other/1.jpg")
    assert reasons(post(darwin, flat())) == {"1.jpg": ["ALREADY_EXISTS"]}

    darwin.rename_item(item.id, name="old.jpg")
    assert accepted(post(darwin, flat())) == ["1.jpg"]

    darwin.remove_item(darwin.items()[-1].id)
    assert accepted(post(darwin, flat())) == ["1.jpg"]


def test_an_archived_dataset_is_not_found(darwin: EmulatedDarwin) -> None:
    """Its slug leads nowhere any more."""
    call(darwin, "PUT", "datasets/1/archive")

    assert post(darwin, flat()).status == 404


def test_odd_keys_arrive_as_they_were_sent(darwin: EmulatedDarwin) -> None:
    """Darwin does not decode, normalise or trim a key."""
    keys = ["a b+c%2B%25.jpg", "a//b.jpg", "./x.jpg", "é.jpg", "é.jpg", "🐦.jpg", "x/ .jpg"]
    post(darwin, *(flat(f"{n}.jpg") | {"storage_key": key} for n, key in enumerate(keys)))

    assert [item.storage_keys[0] for item in darwin.items()] == keys
