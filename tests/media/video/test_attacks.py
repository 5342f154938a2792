"""Files that want more than to be decoded."""

import struct
import subprocess

import pytest

from beagle.domain.errors import MediaTooLargeError, UnreadableMediaError, UnsupportedMediaError
from beagle.domain.making import VideoOptions
from beagle.media.video.extract import extract_video
from beagle.media.video.ffmpeg import Bounds, find_ffmpeg
from beagle.media.video.probe import probe
from media.archive import PLAYLIST

from .conftest import Time


def test_a_list_of_files_is_no_video(sink, clip, tmp_path):
    """An ffconcat named .mp4 would show the frames of another file."""
    attack = tmp_path / "attack.mp4"
    attack.write_text(f"ffconcat version 1.0\nfile {clip('plain.mp4')}\n")

    with pytest.raises(UnreadableMediaError):
        extract_video(attack, sink, VideoOptions(), Time())
    assert sink.puts == []


def test_a_playlist_reads_no_local_file(sink, clip, tmp_path):
    """An HLS playlist named .mp4 is refused, whatever it points to."""
    attack = tmp_path / "attack.mp4"
    attack.write_text(PLAYLIST.format(f"file://{clip('plain.mp4')}"))

    with pytest.raises(UnreadableMediaError):
        extract_video(attack, sink, VideoOptions(), Time())
    assert sink.puts == []


def test_a_playlist_makes_no_request(sink, tmp_path, listener):
    """Nobody on the network hears of it: not the metadata service, not a host of the attacker's."""
    url, seen = listener
    attack = tmp_path / "attack.mp4"
    attack.write_text(PLAYLIST.format(url))

    with pytest.raises(UnreadableMediaError):
        extract_video(attack, sink, VideoOptions(), Time())
    assert seen == []


def test_a_decoder_with_a_hole_is_not_started(sink, clip):
    """MagicYUV, whose decoder wrote out of bounds, is none of the codecs that are trusted."""
    with pytest.raises(UnsupportedMediaError) as caught:
        extract_video(clip("magicyuv.avi"), sink, VideoOptions(), Time())
    assert caught.value.context["codec"] == "magicyuv"


def test_a_huge_header_is_refused_before_anything_is_decoded(sink, clip, tmp_path):
    """A file of some kilobytes that claims pictures of 900 million pixels."""
    data = bytearray(clip("motion_jpeg.avi").read_bytes())
    shape = struct.pack("<II", 160, 90)
    huge = struct.pack("<II", 30_000, 30_000)
    data = data.replace(shape, huge)
    start, size = b"\xff\xc0\x00\x11\x08", struct.pack(">HH", 90, 160)
    data = data.replace(start + size, start + struct.pack(">HH", 30_000, 30_000))
    attack = tmp_path / "attack.avi"
    attack.write_bytes(data)

    with pytest.raises(MediaTooLargeError):
        extract_video(attack, sink, VideoOptions(), Time())
    assert sink.puts == []


@pytest.mark.parametrize(
    "bounds",
    [{"pixels": 160 * 89}, {"seconds": 2}, {"frame_rate": 24}, {"frames": 74}, {"streams": 1}],
    ids=lambda bounds: next(iter(bounds)),
)
def test_every_bound_holds(clip, bounds):
    """Pixels, duration, frame rate, frames and streams are looked at before anything is decoded."""
    with pytest.raises(MediaTooLargeError):
        probe(clip("plain.mp4"), find_ffmpeg(bounds=Bounds(**bounds)), Time())


def test_a_files_own_words_are_not_taken_for_ffmpegs(ffmpeg, tmp_path, clip):
    """Tags that look like ffmpeg's description of a stream, or like a frame, change nothing."""
    lying = "\n  Stream #0:7: Video: h264, yuv420p, 9x9\n[Parsed_showinfo_0 @ 0x1] n: 0 pts: 0 pts_time:9"
    path = tmp_path / "lying.mkv"
    subprocess.run(
        [
            ffmpeg.path,
            "-v",
            "error",
            "-i",
            clip("plain.mp4"),
            "-c",
            "copy",
            "-metadata",
            f"title={lying}",
            path,
        ],
        check=True,
    )

    facts = probe(path, ffmpeg, Time())

    assert (facts.width, facts.height, len(facts.times)) == (160, 90, 75)
    assert probe(clip("plain.mp4"), ffmpeg, Time()).native_fps == facts.native_fps
