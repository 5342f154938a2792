"""`register_existing_readonly`: other fields, other rules, and nothing is processed."""

import pytest

from beagle.emulator import EmulatedDarwin
from emulator.samples import JSON, flat, hls, post, reasons, sections, slot, slotted, still, still_fields

STILL_SLOT = {"slot_name": "front", "file_name": "1.jpg", **still_fields()}

TAKEN: dict[str, JSON] = {
    "a flat image": still(),
    "a flat image with a file name, a size and tags": still(file_name="1.jpg", size_bytes=10, tags=[]),
    "an image slot": slotted(STILL_SLOT),
    "flat sections": {"name": "clip.mp4", "path": "/", **sections()},
    "sections in a slot": slotted({"slot_name": "clip", "file_name": "clip.mp4", **sections(fps=5)}),
    "a document in sections": {"name": "a.pdf", "path": "/", **sections(type="pdf")},
    "an HLS video": slotted(hls()),
    "an HLS video without what is optional": slotted(
        {
            name: value
            for name, value in hls().items()
            if name
            not in {
                "storage_sections_key_extension",
                "storage_low_quality_sections_key_prefix",
                "storage_audio_peaks_key",
                "size_bytes",
            }
        }
    ),
    "all kinds in one item, in a layout": slotted(
        STILL_SLOT,
        hls(),
        {"slot_name": "pages", "file_name": "a.pdf", **sections(type="pdf")},
        layout={"version": 3, "slots_grid": [[["front"], ["clip.mp4"]], [["pages"]]]},
    ),
}


@pytest.mark.parametrize("item", TAKEN.values(), ids=TAKEN)
def test_each_shape_is_taken_and_ready_at_once(darwin: EmulatedDarwin, item: JSON) -> None:
    """The caller made the artifacts, so there is nothing to wait for."""
    reply = post(darwin, item, read_only=True)

    [registered] = darwin.items()
    assert reply.status == 200, reply.body
    assert registered.status == "complete"
    assert registered.access == "read_only"
    assert registered.payload == item


def without(fields: JSON, name: str) -> JSON:
    """Leave one field out."""
    return {other: value for other, value in fields.items() if other != name}


def with_lines(index: str) -> JSON:
    """Replace the high playlist."""
    segments = hls()["hls_segments"]
    return segments | {"high_quality": {"index": index, "bitrate": 1.0}}


REFUSED: dict[str, JSON] = {
    "a read-write item": flat(),
    "a read-write item with its type": flat(type="image"),
    "a read-write slot": slotted(slot()),
    "an image with a rate": still(fps=1),
    "an image with frames": still(as_frames=False),
    "an image of no type": without(still(), "type"),
    "an image without a thumbnail": without(still(), "storage_thumbnail_key"),
    "an image without a width": without(still(), "width"),
    "an image without a height": without(still(), "height"),
    "an image without a key": without(still(), "storage_key"),
    "an image of no width": still(width=0),
    "an image with a width in a word": still(width="640"),
    "a key with a leading slash": still(storage_key="/1.jpg"),
    "a thumbnail with a leading slash": still(storage_thumbnail_key="/t.jpg"),
    "a name with a slash": still("a/b.jpg"),
    "an image slot without a slot name": slotted(without(STILL_SLOT, "slot_name")),
    "an image slot without a file name": slotted(without(STILL_SLOT, "file_name")),
    "two files in one slot": slotted(STILL_SLOT, STILL_SLOT),
    "two DICOM-like files in one slot": slotted(
        *[{"slot_name": "a", "file_name": "a.pdf", **sections(type="pdf")}] * 2
    ),
    "sections with a size at the root": {"name": "a", "path": "/", **sections(width=1, height=1)},
    "sections that begin with 0": {"name": "a", "path": "/", **sections()}
    | {"sections": [sections()["sections"][0] | {"section_index": 0}]},
    "sections with a gap": {"name": "a", "path": "/", **sections()}
    | {"sections": [sections()["sections"][0] | {"section_index": 2}]},
    "no sections": {"name": "a", "path": "/", **sections(0)},
    "a section without its picture": {"name": "a", "path": "/", **sections()}
    | {"sections": [without(sections()["sections"][0], "storage_hq_key")]},
    "a section with a leading slash": {"name": "a", "path": "/", **sections()}
    | {"sections": [sections()["sections"][0] | {"storage_hq_key": "/1.png"}]},
    "DICOM": {"name": "a.dcm", "path": "/", **sections(type="dicom")},
    "HLS with a rate": slotted(hls(fps=5)),
    "HLS with frames": slotted(hls(as_frames=True)),
    "HLS with the extractor's own size": slotted(hls(total_size_bytes=1)),
    "HLS with the item's name in the slot": slotted(hls(name="clip.mp4")),
    "HLS with an unknown extension": slotted(hls(storage_sections_key_extension="webp")),
    "HLS with one rendition": slotted(hls(hls_segments={"high_quality": {"index": "x", "bitrate": 1}})),
    "HLS with a leading slash in the playlist": slotted(hls(hls_segments=with_lines("#EXTM3U\n/a.ts\n"))),
    "HLS with a leading slash in a prefix": slotted(hls(storage_sections_key_prefix="/a")),
    "HLS with a leading slash in the manifest": slotted(hls(storage_frames_manifest_key="/a")),
    "HLS without its file name": slotted(without(hls(), "file_name")),
    "HLS as a flat item": {
        "name": "clip.mp4",
        "path": "/",
        **without(without(hls(), "slot_name"), "file_name"),
    },
} | {
    f"HLS without {name}": slotted(without(hls(), name))
    for name in (
        "storage_key",
        "width",
        "height",
        "native_fps",
        "visible_frames",
        "total_frames",
        "hls_segments",
        "storage_sections_key_prefix",
        "storage_frames_manifest_key",
        "storage_thumbnail_key",
    )
}


@pytest.mark.parametrize("item", REFUSED.values(), ids=REFUSED)
def test_one_wrong_item_refuses_the_whole_request(darwin: EmulatedDarwin, item: JSON) -> None:
    """The read-only endpoint has field sets of its own, and a 422 for everything else."""
    reply = post(darwin, still("good.jpg"), item, read_only=True)

    assert reply.status == 422
    assert reply.json()["errors"]["code"] == "INVALID_REQUEST"
    assert darwin.items() == []


def test_options_belong_to_the_other_endpoint(darwin: EmulatedDarwin) -> None:
    """Nothing is processed here, so there is nothing to choose."""
    assert post(darwin, still(), read_only=True, options={"ignore_dicom_layout": True}).status == 422


def test_each_endpoint_wants_its_own_kind_of_storage(darwin: EmulatedDarwin) -> None:
    """A read-write storage on the read-only endpoint, and the reverse, are refused by name."""
    for reply in (
        post(darwin, still(), read_only=True, storage_slug="acme-uploads"),
        post(darwin, flat(), storage_slug="acme-archive"),
    ):
        assert reply.status == 422
        assert "storage_slug" in reply.json()["errors"]


def test_dicom_is_taken_when_the_emulator_is_told_so() -> None:
    """V7's own end-to-end suite registers it; its docs say it cannot be."""
    darwin = EmulatedDarwin.with_defaults(readonly_dicom=True)
    volume = sections(type="dicom", metadata={"handler": "volume"})

    assert post(darwin, {"name": "a.dcm", "path": "/", **volume}, read_only=True).status == 200


def test_names_are_shared_with_the_other_endpoint(darwin: EmulatedDarwin) -> None:
    """A name is taken whoever took it."""
    post(darwin, flat("1.jpg", "/"))

    assert reasons(post(darwin, still("1.jpg"), read_only=True)) == {"1.jpg": ["ALREADY_EXISTS"]}
