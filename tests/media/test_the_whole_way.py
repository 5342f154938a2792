"""Read-only uploads, from the notification to the item: every stage, real media, a bucket in memory."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from dataclasses import replace
from io import BytesIO

import obstore
import pillow_heif
import pytest
from PIL import Image

from beagle.domain.outcomes import Ending
from beagle.media.video.ffmpeg import find_ffmpeg
from beagle.messages import dump_event
from media.archive import BUCKET, ROUTE
from support.world import Budget


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> bytes:
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    source = ("-f", "lavfi", "-i", "testsrc2=s=160x90:r=25:d=9", "-f", "lavfi", "-i", "sine=f=330:d=9")
    subprocess.run(
        [str(find_ffmpeg().path), "-v", "error", *source, "-preset", "veryfast", "-g", "50", str(path)],
        check=True,
    )
    return path.read_bytes()


def photo(width: int = 800, height: int = 600, orientation: int = 1) -> bytes:
    file, exif = BytesIO(), Image.Exif()
    exif[0x0112] = orientation
    Image.effect_noise((width, height), 60).convert("RGB").save(file, "JPEG", exif=exif)
    return file.getvalue()


def test_an_uploaded_photo_is_an_item_with_a_thumbnail_and_the_size_that_browsers_show(archive):
    place = archive()
    place.upload("in/a/turned.jpg", photo(orientation=6))
    place.settle()

    [item] = place.world.darwin.items()
    [thumbnail] = place.artifacts().values()
    assert (item.name, item.path, item.status, item.problems) == ("turned.jpg", "/a", "complete", ())
    assert {name: item.slots[0].fields[name] for name in ("width", "height")} == {"width": 600, "height": 800}
    assert Image.open(BytesIO(thumbnail)).size == (150, 200)
    assert place.world.endings()[Ending.REGISTERED] == 1


@pytest.mark.parametrize(("name", "kind"), [("IMG_1.HEIC", "HEIF"), ("1.avif", "AVIF")])
def test_heic_and_avif_are_images_where_a_route_says_so(archive, name, kind):
    """Darwin's tables do not know the suffixes: no other route takes them, and no default."""
    told = {
        **ROUTE,
        "watch": {"bucket": BUCKET, "prefix": "in/", "include": ["**/*.{heic,avif}"]},
        "type": "image",
    }
    pillow_heif.register_heif_opener()
    file = BytesIO()
    Image.new("RGB", (800, 600), "teal").save(file, kind)
    by_default, half_told = archive(), archive(route={**told, "type": None})
    place = archive(route=told)
    for each in (by_default, half_told, place):
        each.upload(f"in/a/{name}", file.getvalue())
        each.settle()

    [item] = place.world.darwin.items()
    [thumbnail] = place.artifacts().values()
    assert (item.name, item.path, item.status, item.problems) == (name, "/a", "complete", ())
    assert {key: item.slots[0].fields[key] for key in ("type", "width", "height")} == {
        "type": "image",
        "width": 800,
        "height": 600,
    }
    assert Image.open(BytesIO(thumbnail)).size == (267, 200)
    assert by_default.world.endings("prepare")[Ending.IGNORED] == 2
    told_why = {(letter.code, "`type`" in letter.reason) for letter in half_told.world.letters()}
    assert told_why == {("unsupported_media", True)}


def test_an_uploaded_clip_is_an_item_with_all_its_frames_and_segments(archive, clip):
    place = archive()
    place.upload("in/clips/c.mp4", clip)
    place.settle()

    [item] = place.world.darwin.items()
    assert (item.name, item.path, item.problems) == ("c.mp4", "/clips", ())
    assert len([name for name in place.artifacts() if "/sections/high/" in name]) == 45
    assert not place.world.letters()


def test_a_clip_made_in_parts_has_the_same_frames_and_manifest_as_one_made_at_once(archive, clip):
    """
    Invocations of a fraction of a second: the clip is split, its parts go through the queue, one item ends.
    """
    whole, parts = archive(), archive(invocation_seconds=0.05)
    for place in (whole, parts):
        place.upload("in/c.mp4", clip)
        place.settle()

    made = [outcome.code for stage, outcome in parts.world.journal.notes if stage == "extract"]
    assert made.count("in_parts") >= 2
    [item] = parts.world.darwin.items()
    assert item.problems == ()
    one, other = whole.artifacts(), parts.artifacts()
    same = [name for name in one if "/sections/high/" in name or name.endswith("frames_manifest.txt")]
    assert len(same) == 46
    assert {name: one[name] for name in same} == {name: other[name] for name in same}


def test_an_image_beside_a_video_is_made_where_images_can_be(archive, clip):
    """Extract, which makes the video, has no library that reads images, and needs none."""
    group = {"by": "{folder}", "slots": ["plan.jpg", "cam.mp4"]}
    place = archive(route={**ROUTE, "group": group})
    place.upload("in/a/plan.jpg", photo(), times=1)
    place.upload("in/a/cam.mp4", clip, times=1)
    place.settle()

    [item] = place.world.darwin.items()
    assert ([slot.fields["type"] for slot in item.slots], item.problems) == (["image", "video"], ())
    assert not place.world.letters()
    assert not place.world.journal.bugs


def test_a_changed_route_leaves_the_artifacts_of_the_registered_item_alone(archive, clip):
    """
    The same clip, announced again when its route asks for more frames: annotations stay on theirs.
    """
    place = archive(route={**ROUTE, "video": {"fps": 1}})
    event = place.upload("in/c.mp4", clip, times=1)
    place.world.run_prepare()
    place.change(video={"fps": 2})
    place.world.uploads.send([dump_event(event, 0)])
    place.world.run_prepare()
    for _ in range(2):
        place.run_extract(Budget(place.world.clock, 900))
    place.settle()

    [item] = place.world.darwin.items()
    [(_, frames)] = Counter(
        name.partition("/sections/high/")[0] for name in place.artifacts() if "/sections/high/" in name
    ).most_common(1)
    assert (item.slots[0].fields["visible_frames"], item.problems) == (9, ())
    assert frames == 18
    assert place.world.endings()[Ending.ALREADY_REGISTERED] == 1


def test_a_clip_that_stands_registered_is_not_made_again(archive, clip):
    """Announced once more it ends in extract, and its artifacts are left alone."""
    place = archive()
    event = place.upload("in/c.mp4", clip, times=1)
    place.settle()
    made = dict.fromkeys(place.artifacts())
    for key in made:
        obstore.delete(place.bucket, key)
    place.world.uploads.send([dump_event(event, 0)])
    place.settle()

    assert made
    assert place.artifacts() == {}
    ended = [o.ending for _, o in place.world.journal.notes if o.ending is not Ending.PASSED_ON]
    assert ended == [Ending.REGISTERED, Ending.ALREADY_REGISTERED]


def test_an_object_that_was_overwritten_meanwhile_is_made_from_its_new_content(archive):
    """By its first event too: S3 may announce two writes at once as one. The others find it registered."""
    place = archive()
    place.upload("in/1.jpg", photo(400, 300))
    place.upload("in/1.jpg", photo(500, 300))
    place.settle()

    [item] = place.world.darwin.items()
    assert item.slots[0].fields["width"] == 500
    assert place.world.endings("register") == {Ending.REGISTERED: 1, Ending.ALREADY_REGISTERED: 3}
    assert not place.world.letters()


@pytest.mark.parametrize(
    ("key", "data", "code"),
    [
        ("in/broken.jpg", b"\xff\xd8\xff\xe0 this is no picture", "unreadable_media"),
        ("in/broken.mp4", b"nor is this a film", "unreadable_media"),
        ("in/slice.dcm", b"\0" * 128 + b"DICM", "unsupported_media"),
    ],
)
def test_what_cannot_have_artifacts_is_a_dead_letter_with_its_code(archive, key, data, code):
    place = archive()
    place.upload(key, data, times=1)
    place.settle()

    assert [letter.code for letter in place.world.letters()] == [code]
    assert not place.world.darwin.items()


@pytest.mark.parametrize(
    ("spared", "said"), [(0, r"It has 0 MB and lies in memory"), (1 << 20, r"160x90 need .* has 1 for that")]
)
def test_a_video_for_which_memory_has_no_room_is_a_dead_letter_that_says_what_to_raise(
    archive, clip, spared, said
):
    """
    Where files lie in memory: neither before the download nor before the decoding does anybody die of it.
    """
    place = archive()
    memory = len(clip) + (512 << 20) + spared
    maker = replace(place.extract.artifacts, memory=memory, files_in_memory=True)
    place.extract = replace(place.extract, artifacts=maker)
    place.upload("in/clip.mp4", clip, times=1)
    place.settle()

    [letter] = place.world.letters()
    assert letter.code == "media_too_large"
    assert re.search(said, letter.reason)
    assert "extract_memory" in letter.reason
    assert not place.artifacts()


def test_an_object_that_is_gone_is_a_dead_letter_once_it_was_missed_twice(archive):
    """A store may say so once of what is there."""
    place = archive()
    place.upload("in/1.jpg", photo(), times=1)
    obstore.delete(place.bucket, "in/1.jpg")
    place.settle()

    assert [(letter.code, letter.attempts) for letter in place.world.letters()] == [("object_gone", 2)]


def test_artifacts_are_no_uploads(archive):
    """
    What Beagle writes is announced like anything else, and ends there.
    """
    place = archive(route={**ROUTE, "watch": {"bucket": BUCKET}})
    place.upload("in/1.jpg", photo())
    place.settle()
    for path, data in place.artifacts().items():
        place.upload(path, data)
    place.settle()

    assert len(place.world.darwin.items()) == 1
    assert place.world.endings("prepare")[Ending.IGNORED] == 2
