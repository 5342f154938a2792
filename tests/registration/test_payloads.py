from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beagle.domain.errors import InvalidRequestError
from beagle.domain.items import Item, Layout
from beagle.emulator import DEFAULT_KEY, EmulatedDarwin, Request
from beagle.ports import Destination
from beagle.registration.payloads import build_item, build_request
from registration.samples import (
    HLS,
    IMAGE,
    SECTIONS,
    THUMBNAIL,
    TO_ARCHIVE,
    TO_UPLOADS,
    archived,
    item,
    slot,
)

FRONT, BACK = slot("front.jpg", name="front"), slot("back.jpg", name="back")

READ_WRITE = {
    "image": item("a.jpg"),
    "video": item("a.mp4", slot("a.mp4", media_type="video", fps=5.0, as_frames=True)),
    "video at its own rate": item("a.mp4", slot("a.mp4", media_type="video", fps="native")),
    "pdf": item("a.pdf", slot("a.pdf", media_type="pdf")),
    "dicom": item("a.dcm", slot("a.dcm", media_type="dicom")),
    "dicom views": item("a.dcm", slot("a.dcm", media_type="dicom", extract_views=True)),
    "type left to Darwin": item("a.tif", slot("a.tif", media_type=None)),
    "a slot of another name": item("a.jpg", slot("a.jpg", name="main")),
    "several slots": item("cars", FRONT, BACK),
    "series": item("s", slot("1.dcm", media_type="dicom"), slot("2.dcm", media_type="dicom")),
    "layout 1": item(
        "cars", FRONT, BACK, layout=Layout(version=1, kind="horizontal", slots=("front", "back"))
    ),
    "layout 2": item(
        "cars", FRONT, BACK, layout=Layout(version=2, kind="grid", slots=("front", "back"), shape=(1, 1))
    ),
    "layout 3": item("cars", FRONT, BACK, layout=Layout(version=3, grid=((("front",), ("back",)),))),
    "tags": item("a.jpg", tags=("incoming",)),
    "tags of slots": item("cars", slot("front.jpg", name="front", tags=("incoming",)), BACK),
}
READ_ONLY = {
    "image": archived("a.jpg", slot("a.jpg", artifacts=IMAGE)),
    "image in a slot": archived("a.jpg", slot("a.jpg", name="main", artifacts=IMAGE)),
    "sections": archived("a.mp4", slot("a.mp4", media_type="video", fps=5.0, artifacts=SECTIONS)),
    "hls": archived("a.mp4", slot("a.mp4", media_type="video", fps=5.0, as_frames=False, artifacts=HLS)),
    "hls with all": archived(
        "a.mp4",
        slot(
            "a.mp4",
            media_type="video",
            artifacts=replace(HLS, low_sections_prefix="sections/low", audio_peaks_key="peaks.gz"),
        ),
    ),
    "dicom as sections": archived("a.dcm", slot("a.dcm", media_type="dicom", artifacts=SECTIONS)),
    "several slots": archived(
        "cars",
        slot("a.jpg", name="a", artifacts=IMAGE),
        slot("b.mp4", name="b", media_type="video", artifacts=HLS),
        slot("c.mp4", name="c", media_type="video", artifacts=SECTIONS),
        layout=Layout(version=1, kind="simple", slots=("a", "b", "c")),
        tags=("incoming",),
    ),
}


def post(destination: Destination, *items: Item) -> tuple[int, dict]:
    darwin = EmulatedDarwin.with_defaults()
    darwin.add_tag("incoming")
    endpoint = "register_existing" if destination.access == "read_write" else "register_existing_readonly"
    reply = darwin.handle(
        Request(
            "POST",
            f"/api/v2/teams/{destination.team}/items/{endpoint}",
            headers={"authorization": f"ApiKey {DEFAULT_KEY}", "content-type": "application/json"},
            body=build_request(destination, items),
        )
    )
    return reply.status, reply.json()


@pytest.mark.parametrize("name", READ_WRITE)
def test_every_read_write_shape_is_taken_by_schemas_written_apart_from_ours(name: str) -> None:
    status, answer = post(TO_UPLOADS, READ_WRITE[name])

    assert (status, len(answer.get("items", ())), answer.get("blocked_items")) == (200, 1, []), answer


@pytest.mark.parametrize("name", READ_ONLY)
def test_every_read_only_shape_is_taken_by_schemas_written_apart_from_ours(name: str) -> None:
    status, answer = post(TO_ARCHIVE, READ_ONLY[name])

    assert (status, len(answer.get("items", ())), answer.get("blocked_items")) == (200, 1, []), answer


def test_one_image_takes_the_short_form_of_the_documentation() -> None:
    assert build_item(item("car_1.png", slot("car_1.png"), path="")) == {
        "path": "/",
        "type": "image",
        "storage_key": "in/car_1.png",
        "name": "car_1.png",
    }


def test_without_a_type_the_file_name_is_sent_for_darwin_to_infer_it_from() -> None:
    assert build_item(READ_WRITE["type left to Darwin"]) == {
        "path": "/cars",
        "name": "a.tif",
        "slots": [{"slot_name": "0", "file_name": "a.tif", "storage_key": "in/a.tif"}],
    }


def test_views_are_asked_for_by_the_documented_text_in_the_documented_slot() -> None:
    [sent] = build_item(READ_WRITE["dicom views"])["slots"]

    assert (sent["slot_name"], sent["extract_views"]) == ("0", "true")


def test_a_read_only_image_tells_its_thumbnail_and_its_size() -> None:
    assert build_item(READ_ONLY["image"]) == {
        "path": "/cars",
        "name": "a.jpg",
        "type": "image",
        "storage_key": "in/a.jpg",
        "storage_thumbnail_key": THUMBNAIL,
        "width": 1920,
        "height": 1080,
    }


def test_sections_count_from_1_and_leave_out_previews_that_were_not_made() -> None:
    sections = build_item(READ_ONLY["sections"])["sections"]

    assert [section["section_index"] for section in sections] == [1, 2]
    assert [section.get("storage_lq_key") for section in sections] == ["f/0.jpg", None]
    assert "storage_lq_key" not in sections[1]


def test_an_hls_video_is_in_a_slot_with_exactly_the_keys_that_v7s_sdk_sends() -> None:
    """`fps` and `as_frames` get it refused; a bitrate that nobody could measure is null, not left out."""
    sent = build_item(READ_ONLY["hls"])

    assert set(sent) == {"path", "name", "slots"}
    assert set(sent["slots"][0]) == {
        "slot_name",
        "file_name",
        "type",
        "storage_key",
        "width",
        "height",
        "native_fps",
        "visible_frames",
        "total_frames",
        "hls_segments",
        "storage_sections_key_prefix",
        "storage_sections_key_extension",
        "storage_frames_manifest_key",
        "storage_thumbnail_key",
        "size_bytes",
    }
    assert sent["slots"][0]["hls_segments"]["low_quality"] == {"index": HLS.low.index, "bitrate": None}


def test_the_order_of_slices_is_an_option_of_read_write_requests_alone() -> None:
    ordered = Destination(
        team="acme", dataset="incoming", storage="acme-uploads", access="read_write", ignore_dicom_layout=True
    )

    assert json.loads(build_request(ordered, [READ_WRITE["series"]]))["options"] == {
        "ignore_dicom_layout": True
    }
    assert set(json.loads(build_request(TO_UPLOADS, [READ_WRITE["series"]]))) == {
        "items",
        "dataset_slug",
        "storage_slug",
    }
    read_only = replace(ordered, storage="acme-archive", access="read_only")
    assert post(read_only, READ_ONLY["image"])[0] == 200
    assert post(ordered, READ_WRITE["series"])[0] == 200


WRONG = {
    "read-only without artifacts": archived("a.jpg"),
    "read-write with artifacts": item("a.jpg", slot("a.jpg", artifacts=IMAGE)),
    "two images in one slot": item("cars", slot("a.jpg"), slot("b.jpg")),
    "a series on read-only": archived(
        "s",
        slot("1.dcm", media_type="dicom", artifacts=IMAGE),
        slot("2.dcm", media_type="dicom", artifacts=IMAGE),
    ),
    "views in another slot": item("a.dcm", slot("a.dcm", name="1", media_type="dicom", extract_views=True)),
    "views of an image": item("a.jpg", slot("a.jpg", extract_views=True)),
    "views on read-only": archived(
        "a.dcm", slot("a.dcm", media_type="dicom", extract_views=True, artifacts=IMAGE)
    ),
    "fps of dicom": item("a.dcm", slot("a.dcm", media_type="dicom", fps=5.0)),
    "frames of an image": item("a.jpg", slot("a.jpg", as_frames=True)),
    "a pdf as image": archived("a.pdf", slot("a.pdf", media_type="pdf", artifacts=IMAGE)),
    "a video as image": archived("a.mp4", slot("a.mp4", media_type="video", artifacts=IMAGE)),
    "no slot": item("a.jpg", slots=()),
    "a key with a leading slash": item("a.jpg", slot("a.jpg", storage_key="/in/a.jpg")),
    "an empty name": item("", slot("a.jpg")),
    "a name with a slash": item("a/b.jpg", slot("a.jpg")),
    "no valid text": item("\ud800.jpg", slot("a.jpg")),
    "a layout of other slots": item("cars", FRONT, BACK, layout=Layout(version=1, slots=("left", "right"))),
    "tags of a read-only slot": archived(
        "cars",
        slot("a.jpg", name="a", artifacts=IMAGE, tags=("x",)),
        slot("b.jpg", name="b", artifacts=IMAGE),
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_combination_is_refused_before_anything_is_sent(name: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        build_item(WRONG[name])

    assert 10 < len(str(caught.value)) <= 2000


@given(
    name=st.text(st.characters(exclude_characters="/", exclude_categories=["Cs"]), min_size=1),
    key=st.text(min_size=1),
)
def test_any_name_and_key_arrives_as_it_was(name: str, key: str) -> None:
    """The bytes of a request say every character back unchanged, or nothing is sent."""
    try:
        body = build_request(TO_UPLOADS, [item(name, slot("a.jpg", storage_key=key))])
    except InvalidRequestError:
        assert key.startswith("/") or any("\ud800" <= character <= "\udfff" for character in key)
        return

    [sent] = json.loads(body)["items"]
    assert (sent["name"], sent["storage_key"]) == (name, key)
