"""A video for which there is too little memory is told so; all others are tried."""

from fractions import Fraction

import pytest

from beagle.domain.errors import MediaTooLargeError
from beagle.domain.making import VideoOptions
from beagle.media.room import memory_bound
from beagle.media.video.facts import Facts
from beagle.media.video.memory import least_memory, require_memory
from beagle.settings import read_memory

GIGABYTE = 1 << 30


def facts_of(width, height, pixel_format="yuv420p"):
    times = range(300)
    return Facts(
        codec="h264", width=width, height=height, pixel_format=pixel_format, native_fps=30.0,
        time_base=Fraction(1, 30), times=times, keys=times[::50], seconds=10.0, audio_rate=0,
    )  # fmt: skip


HD, UHD = facts_of(1920, 1080), facts_of(3840, 2160)
LARGEST = facts_of(8192, 4320)


@pytest.mark.parametrize(
    ("facts", "processors", "megabytes"),
    [
        (HD, 4, 7076),
        (UHD, 4, 7076),
        (UHD, 2, 3008),
        (UHD, 1, 2048),
        (facts_of(3840, 2160, "yuv420p10le"), 4, 3008),
    ],
)
def test_what_fits_is_tried(facts, processors, megabytes):
    """Every size in use, in the memory that functions have by default, and in less."""
    require_memory(facts, VideoOptions(), processors, megabytes << 20)


def test_what_cannot_fit_is_refused_with_what_would_help():
    """The largest frames that are allowed at all, with the memory of a default deployment."""
    with pytest.raises(MediaTooLargeError, match=r"8192x4320 .* function has 7,076.*ExtractMemory") as caught:
        require_memory(LARGEST, VideoOptions(), 4, 7076 << 20)

    assert caught.value.context["needed"] > 8 * GIGABYTE
    require_memory(LARGEST, VideoOptions(shape="sections"), 4, 7076 << 20)


def test_where_nobody_bounds_memory_nothing_is_refused():
    """On a machine of one's own it is anybody's guess what else runs there."""
    require_memory(LARGEST, VideoOptions(), 64, None)


def test_more_colours_and_more_processors_take_more_memory():
    deep = facts_of(1920, 1080, "yuv420p10le")
    options = VideoOptions()

    assert least_memory(HD, options, 2) < least_memory(HD, options, 4) < least_memory(deep, options, 4)


@pytest.mark.parametrize(
    ("name", "said", "bound"),
    [
        ("memory.max", "2147483648\n", 2 * GIGABYTE),
        ("memory.max", "max\n", None),
        ("memory/memory.limit_in_bytes", "4294967296\n", 4 * GIGABYTE),
        ("memory/memory.limit_in_bytes", "9223372036854771712\n", None),
        ("memory.other", "1", None),
    ],
)
def test_a_containers_bound_is_read_where_linux_says_it(tmp_path, name, said, bound):
    """In both versions of control groups; a machine that has none bounds nothing."""
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(said)

    assert memory_bound(tmp_path) == bound


def test_lambda_says_its_memory_in_the_environment():
    assert read_memory({"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "7076"}) == 7076 << 20
    assert read_memory({}) is None
