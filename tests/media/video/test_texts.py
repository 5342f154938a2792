"""Pixels to PNG, bytes to segments, numbers to text: what needs no video."""

import io
import subprocess

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from beagle.domain.making import Making, VideoOptions
from beagle.media.video.choice import Choice, visible_before
from beagle.media.video.facts import Header, Packets, exact_rate
from beagle.media.video.manifest import bitrate, manifest_lines, playlist
from beagle.media.video.png import PngEncoder, layout_of
from beagle.media.video.runner import FrameLog
from beagle.media.video.segments import SegmentSplitter

from .conftest import Folder

SAID = (
    "n: {0:3} pts: {0:6} pts_time:{0}.5 duration: 1 duration_time:0.1 fmt:yuv420p cl:left sar:1/1 s:64x36 "
    "i:P iskey:0 type:B"
)


@pytest.mark.parametrize(
    "before", ["[Parsed_showinfo_0 @ 0x7f6c6c001e80] ", "", "q=2-31", "    minor_version   : 512"]
)
def test_a_frame_is_counted_wherever_another_thread_of_ffmpeg_was_with_its_line(before):
    """While one thread writes what an output is like, piece by piece, another tells of frames."""
    log = FrameLog(lambda _done, _total: None, 2)
    told = [log.read(line) for line in ("Stream mapping:", SAID.format(0), before + SAID.format(1))]

    assert told == [False, True, True]
    assert (log.times, log.stamps, log.size()) == ([0.5, 1.5], [0, 1], (64, 36))


def test_what_is_said_before_the_work_begins_is_no_frame():
    """The source's own words are among it."""
    log = FrameLog(lambda _done, _total: None, 2)

    assert not log.read("    title           : " + SAID.format(0))
    assert log.times == []


@pytest.mark.parametrize(
    ("form", "mode", "channels"), [("yuv420p", "RGB", 3), ("yuva420p", "RGBA", 4), ("gray", "L", 1)]
)
@pytest.mark.parametrize("size", [(1, 1), (7, 3), (160, 90)])
def test_png_keeps_every_pixel(form, mode, channels, size):
    """Another reader gets back what was put in, alpha and grey included."""
    width, height = size
    pixels = np.random.default_rng(1).integers(0, 256, height * width * channels, np.uint8).tobytes()

    data = PngEncoder(width, height, layout_of(form, deep=False)).encode(pixels)

    with Image.open(io.BytesIO(data)) as image:
        assert (image.mode, image.size) == (mode, size)
        assert image.tobytes() == pixels


def test_png_keeps_sixteen_bits():
    """What has more than eight bits is stored with sixteen."""
    pixels = np.arange(60 * 40, dtype=">u2").tobytes()

    data = PngEncoder(60, 40, layout_of("gray10le", deep=True)).encode(pixels)

    with Image.open(io.BytesIO(data)) as image:
        assert np.array_equal(np.asarray(image, np.uint16), np.frombuffer(pixels, ">u2").reshape(40, 60))


@given(st.floats(1, 200).map(lambda step: round(step, 4)), st.integers(0, 100_000))
def test_visible_frames_are_counted_without_listing_them(step, frame):
    """So many visible frames come before one of the source's as darwin-py's rule makes them."""
    count = visible_before(frame, step)

    assert int(count * step) >= frame
    assert count == 0 or int((count - 1) * step) < frame


@given(
    st.floats(1, 40).map(lambda step: round(step, 4)),
    st.integers(0, 300),
    st.integers(1, 300),
    st.integers(0, 600),
)
def test_pictures_are_numbered_by_what_is_visible(step, first, frames, middle):
    """Whatever comes besides for the thumbnail, every visible frame of a part has its number, and it none."""
    has_middle = first <= middle < first + frames
    choice = Choice(step=step, first_frame=first, middle=middle if has_middle else None)
    visible = {int(k * step): k for k in range(first + frames + 1)}
    chosen = [frame for frame in range(first, first + frames) if frame in visible or frame == choice.middle]

    assert [choice.number(place) for place in range(len(chosen))] == [visible.get(f) for f in chosen]
    assert [place for place, f in enumerate(chosen) if f == middle] == (
        [choice.thumbnail_place] if has_middle else []
    )
    assert choice.visible(frames) + choice.hides_one_of(frames) == len(chosen)


def test_what_a_route_asks_is_the_same_to_a_version_that_knows_more():
    """Parts of one video find each other over an update: what is not asked for is not part of its name."""
    assert not Making().identity
    assert Making(fps=5, converts=("pdf",)).identity == "fps=5,converts=('pdf',)"


@pytest.mark.parametrize("native", [23.976023976023978, 24, 25, 29.97002997002997, 30, 50, 59.94005994005994])
@pytest.mark.parametrize("fps", [0.5, 1, 2, 3, 5, 7, 10, 12.5, 15, 24])
def test_visible_frames_are_those_of_darwin_py(native, fps):
    """The manifest marks what darwin-py's filter would select of a film."""
    step = VideoOptions(fps=fps).step(native)
    total = 5000
    lines = manifest_lines([0.0] * total, [total], step)
    shown = [n for n, line in enumerate(lines) if line.split(":")[2] == "1"]

    assert step == 1 or shown == [n for n in range(total) if int(int((n + 1) / step) * step) == n]


def test_the_manifest_counts_frames_within_their_segments():
    """A segment without frames has no line, and times stand as they are."""
    assert list(manifest_lines([0.0, 0.04, 0.08], [2, 0, 1], 2.0)) == [
        "0:0:1:0.0",
        "1:0:0:0.04",
        "0:2:1:0.08",
    ]


def test_a_playlist_is_written_as_ffmpeg_writes_it():
    """Whole seconds for the longest, six digits for each, the end marked."""
    assert playlist([2.002, 1.5], lambda n: f"k/{n}.ts") == (
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:0\n"
        "#EXTINF:2.002000,\nk/0.ts\n#EXTINF:1.500000,\nk/1.ts\n#EXT-X-ENDLIST\n"
    )


def test_a_bit_rate_that_cannot_be_measured_is_none():
    """No segment that lasts, no rate."""
    assert bitrate([2.0, 1.0], [1000, 1000]) == (4000 + 8000) / 2
    assert bitrate([0.0], [1000]) is None


@pytest.mark.parametrize("sizes", [[7], [188], [189], [1, 1000, 3], [20_000]], ids=str)
def test_segments_do_not_depend_on_how_bytes_arrive(extracted, sizes):
    """Pipes cut where they like; segments are the same, tables first, every frame once."""
    whole, expected = extracted
    splitter, got, at = SegmentSplitter(first=0, since_start=0), [], 0
    while at < len(whole):
        for size in sizes:
            got += splitter.feed(whole[at : at + size])
            at += size
    got += splitter.end()

    assert got == expected
    assert sum(segment.frames for segment, _ in got) == 75
    assert all(data[188:191] == b"\x47\x40\x00" for _, data in got)


@pytest.fixture(scope="module")
def extracted(clip, ffmpeg):
    """Make a transport stream, and cut it in one go."""
    words = [
        "-i",
        clip("plain.mp4"),
        "-c:v",
        "libx264",
        "-g",
        "15",
        "-b:v",
        "20k",
        "-an",
        "-f",
        "mpegts",
        "-",
    ]
    whole = subprocess.run([ffmpeg.path, "-v", "error", *words], check=True, capture_output=True).stdout
    splitter = SegmentSplitter(first=0, since_start=0)
    return whole, [*splitter.feed(whole), *splitter.end()]


def test_segments_are_those_of_ffmpegs_own_writer(clip, ffmpeg, tmp_path, extract, sink):
    """The same number, the same frames in each, the same playlist."""
    made = extract("ntsc.mp4", fps=1, profile="equal")
    theirs = Folder(tmp_path / "theirs")
    theirs.path.mkdir()
    words = [
        "-c:v",
        "libx264",
        "-crf",
        "23",
        "-g",
        "15",
        "-f",
        "hls",
        "-hls_time",
        "2",
        "-hls_list_size",
        "0",
    ]
    names = ["-hls_segment_filename", theirs.path / "%09d.ts", theirs.path / "index.m3u8"]
    subprocess.run([ffmpeg.path, "-v", "error", "-i", clip("ntsc.mp4"), *words, *names], check=True)

    assert sink.read("segments/high/index.m3u8") == theirs.read("index.m3u8")
    assert made.high.index.count("artifacts/clip/segments/high/") == len(theirs.names()) - 1


@pytest.mark.parametrize(
    ("line", "turned"),
    [("      Display Matrix: rotation of -90.00 degrees", True), ("    x: rotation of 90", False)],
)
def test_rotation_is_read_where_ffmpeg_writes_it(line, turned):
    """And nowhere else: a tag may say the same."""
    header = Header()
    for said in ("Input #0, mov, from 'fd:':", "  Stream #0:0: Video: h264, yuv420p, 2x2, 25 fps", line):
        header.read(said)

    assert header.turned == turned


def test_a_rate_that_nobody_knows_is_none():
    """Then frames and duration tell it."""
    assert exact_rate(b"no Matroska", Packets()) is None


def test_the_step_is_darwin_pys():
    """Four digits, never below one."""
    assert VideoOptions(fps=7).step(30_000 / 1001) == 4.2814
    assert VideoOptions(fps=60).step(25) == 1.0
    assert VideoOptions().step(25) == 1.0
