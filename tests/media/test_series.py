"""DICOM series on read-only storage, from the slices' notifications to one item with a frame for each."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from io import BytesIO

import numpy as np
import obstore
import pytest
from PIL import Image

from beagle import messages
from beagle.domain.outcomes import Ending
from beagle.media import maker
from beagle.pipeline.replay import Choice, plan_replay, run_replay
from media.archive import ROUTE
from media.stills.dicom_samples import slice_of

SERIES = {
    **ROUTE,
    "group": {"series": True, "settle_minutes": 5},
    "dicom": {"convert": True},
}
NUMBERS = {"a.dcm": 3, "b.dcm": 1, "c.dcm": 2}
"""Keys, and where their slices stand: not in the order of their names."""


def a_slice(number: int, side: int = 16) -> bytes:
    """Return a slice whose grey tells its number: 40 for the first, 80 for the second..."""
    window = {"WindowCenter": 128, "WindowWidth": 256}
    return slice_of(np.full((side, side), 40 * number, np.uint16), InstanceNumber=number, **window).data


def upload_all(place, times: int = 2, **others: bytes) -> None:
    for name, number in NUMBERS.items():
        place.upload(f"in/ct/{name}", others.get(name[0]) or a_slice(number), times)


def greys(place) -> list[int]:
    kept = sorted((path, data) for path, data in place.artifacts().items() if "/sections/high/" in path)
    return [Image.open(BytesIO(data)).getpixel((4, 4)) for _, data in kept]


@pytest.fixture
def place(archive):
    return archive(route=SERIES)


def test_a_series_is_one_item_whose_frames_are_its_slices_in_their_order(place):
    """
    Three slices, each announced twice: one item, three frames ordered by the headers.
    """
    upload_all(place)
    place.settle()

    [item] = place.world.darwin.items()
    [slot] = item.slots
    assert (item.name, item.path, item.status, item.problems) == ("ct", "/ct", "complete", ())
    assert (slot.type, slot.storage_key) == ("video", "in/ct/a.dcm")
    assert [section["section_index"] for section in slot.fields["sections"]] == [1, 2, 3]
    assert greys(place) == [40, 80, 120]
    assert place.world.endings()[Ending.REGISTERED] == 1
    assert not place.world.letters()


def test_a_series_that_is_too_large_to_hold_is_read_as_it_is_drawn(place, monkeypatch):
    monkeypatch.setattr(maker, "HELD", 100)
    upload_all(place)
    place.settle()

    assert greys(place) == [40, 80, 120]


def test_the_order_of_keys_wins_where_the_route_says_so(archive):
    place = archive(route={**SERIES, "dicom": {"convert": True, "ignore_layout": True}})
    upload_all(place)
    place.settle()

    assert greys(place) == [120, 40, 80]


def test_slices_without_a_suffix_are_slices(archive):
    """As scanners write them: IM000001."""
    place = archive(route={**SERIES, "watch": {**ROUTE["watch"], "include": "**"}})
    for number in (1, 2):
        place.upload(f"in/ct/IM{number:06d}", a_slice(number))
    place.settle()

    assert greys(place) == [40, 80]
    assert len(place.world.darwin.items()) == 1


def test_a_single_slice_is_an_image_as_if_there_were_no_series(place):
    place.upload("in/ct/a.dcm", a_slice(1))
    place.settle()

    [item] = place.world.darwin.items()
    assert (item.slots[0].type, item.problems) == ("image", ())


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("b", b"\0" * 128 + b"DICM and no more", "unsupported_media"),
        ("b", b"this is no slice at all", "unreadable_media"),
        ("c", a_slice(2)[:-100], "unreadable_media"),
    ],
)
def test_a_slice_that_cannot_be_drawn_is_named_by_the_letters(place, name, data, code):
    """
    Each slice is accounted for by a letter, and all name the one that is to blame.
    """
    upload_all(place, 1, **{name: data})
    place.settle()
    letters = place.world.letters()

    assert Counter(letter.code for letter in letters) == {code: 3}
    assert all(f"in/ct/{name}.dcm: " in letter.reason for letter in letters)
    assert not place.world.darwin.items()


def test_a_series_stands_once_its_bad_slice_was_replaced(place):
    """The new slice's own announcement draws the series; the letters, replayed, find it registered."""
    upload_all(place, 1, b=b"this is no slice at all")
    place.settle()
    place.upload("in/ct/b.dcm", a_slice(1), times=1)
    place.settle()
    world = place.world
    list(run_replay(plan_replay(world.letter_box.list_letters(), Choice()), world.uploads, world.letter_box))
    place.settle()

    assert len(world.darwin.items()) == 1
    assert greys(place) == [40, 80, 120]
    assert not world.letters()


@pytest.mark.parametrize("announced", [False, True], ids=["never announced", "announced later"])
def test_a_series_is_drawn_from_a_slice_as_it_stands_whether_its_second_write_is_announced(place, announced):
    """Of two writes at once S3 may announce the first alone; then no other message ever comes."""
    upload_all(place, 1)
    put = obstore.put(place.bucket, "in/ct/b.dcm", a_slice(4))
    place.settle()
    if announced:
        event = place.world.event("in/ct/b.dcm", put["e_tag"].strip('"'), size=len(a_slice(4)))
        place.world.uploads.send([messages.dump_event(replace(event, ref=place.ref("in/ct/b.dcm")), 0)])
        place.settle()

    assert greys(place) == [80, 120, 160]
    assert len(place.world.darwin.items()) == 1
    assert not place.world.letters()


def test_another_kind_of_file_among_the_slices_is_named(place):
    upload_all(place)
    place.upload("in/ct/d.mp4", b"no film, but called one")
    place.settle()

    assert {letter.code for letter in place.world.letters()} == {"unsupported_media"}
    assert all("in/ct/d.mp4" in letter.reason for letter in place.world.letters())


def test_a_slice_that_comes_too_late_is_told_and_stands_once_its_item_was_removed(place):
    upload_all(place)
    place.settle()
    place.upload("in/ct/d.dcm", a_slice(4), times=1)
    place.settle()
    world = place.world
    [letter] = world.letters()
    [item] = world.darwin.items()
    world.darwin.remove_item(item.id)
    list(run_replay(plan_replay(world.letter_box.list_letters(), Choice()), world.uploads, world.letter_box))
    place.settle()

    assert (letter.code, letter.event.ref.key) == ("late_for_group", "in/ct/d.dcm")
    [item] = world.darwin.items()
    assert len(item.slots[0].fields["sections"]) == 4
    assert not world.letters()
