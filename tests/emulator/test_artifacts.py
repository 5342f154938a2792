"""What the emulator finds when it opens the artifacts of a read-only item."""

from collections.abc import Callable

import pytest

from beagle.emulator import EmulatedDarwin, Hooks
from emulator.samples import PREFIX, artifacts, hls, post, sections, slotted, still

Objects = dict[str, bytes]


def problems(objects: Objects, **fields: object) -> list[str]:
    """Register the sample video over these objects and return what is wrong with it."""
    darwin = EmulatedDarwin.with_defaults(hooks=Hooks(open_object=lambda _, key: objects.get(key)))
    assert post(darwin, slotted(hls(**fields)), read_only=True).status == 200
    [item] = darwin.items()
    assert item.status == "complete"
    return list(item.problems)


def test_a_video_that_is_all_there_has_no_problems() -> None:
    """The numbers agree and every key exists."""
    assert problems(artifacts()) == []


@pytest.mark.parametrize("key", artifacts())
def test_every_missing_object_is_a_problem(key: str) -> None:
    """Whatever the slot names must be in the bucket: it says which key is not."""
    objects = artifacts()
    del objects[key]

    [problem] = problems(objects)
    assert key in problem


def spoil(key: str, data: bytes) -> Callable[[Objects], None]:
    """Replace or add an object."""
    return lambda objects: objects.update({f"{PREFIX}/{key}": data})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (spoil("frames_manifest.txt", b"0:0:1:0.0\n1:0:1:0.1\n2:0:0:0.2"), "3 lines, total_frames says 4"),
        (
            spoil("frames_manifest.txt", b"0:0:1:0\n1:0:1:0\n2:0:1:0\n3:0:0:0"),
            "shows 3 frames, visible_frames says 2",
        ),
        (spoil("frames_manifest.txt", b"0:0:1:0\n1:0:1:0\n2:0:0:0\n3:0:0:0\n"), "line 5 is not"),
        (spoil("frames_manifest.txt", b"0:0:1:0\n1:0:1\n2:0:0:0\n3:0:0:0"), "line 2 is not"),
        (spoil("audio_peaks.gz", b"plain"), "are not gzip"),
        (spoil("sections/high/000000002.png", b"png"), "more frames than visible_frames"),
    ],
)
def test_numbers_that_do_not_agree_are_problems(change: Callable[[Objects], None], words: str) -> None:
    """Darwin would show such an item, wrongly."""
    objects = artifacts()
    change(objects)

    assert any(words in problem for problem in problems(objects))


def test_a_playlist_must_be_one() -> None:
    """It names its segments after a header."""
    segments = {
        "high_quality": {"index": "nothing", "bitrate": 1.0},
        "low_quality": hls()["hls_segments"]["low_quality"],
    }

    found = problems(artifacts(), hls_segments=segments)
    assert any("is no playlist" in problem for problem in found)


def test_sections_and_stills_are_looked_at_too() -> None:
    """Their pictures and thumbnails, by key."""
    darwin = EmulatedDarwin.with_defaults(hooks=Hooks(open_object=lambda _bucket, _key: None))
    post(darwin, still(), {"name": "a", "path": "/", **sections(1)}, read_only=True)

    image, video = darwin.items()
    assert [problem.split()[2] for problem in image.problems] == ["storage_key", "storage_thumbnail_key"]
    assert len(video.problems) == 4


def test_without_a_way_to_the_bucket_nothing_is_claimed() -> None:
    """No hook, no problems."""
    darwin = EmulatedDarwin.with_defaults()
    post(darwin, slotted(hls()), read_only=True)

    assert darwin.items()[0].problems == ()
