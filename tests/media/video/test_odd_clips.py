"""What becomes of each kind of clip: right artifacts, or a dead letter with a code."""

import gzip
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from beagle.domain.errors import UnreadableMediaError, VerdictError
from beagle.domain.items import HlsArtifacts, SectionsArtifacts
from beagle.domain.making import VideoOptions
from beagle.media.video.extract import extract_video
from media.video.odd import REFUSED, REGISTERED

from .conftest import Folder, Time, pixels, problems_of, streams


@pytest.mark.parametrize("name", REGISTERED)
def test_every_kind_of_clip_has_artifacts_that_darwin_can_open(extract, sink, ffmpeg, clip, name):
    """Numbers, names and sizes agree, frames are the source's own pixels, browsers play the segments."""
    odd = REGISTERED[name]

    made = extract(name)

    assert isinstance(made, HlsArtifacts)
    assert problems_of(made, sink) == []
    assert (made.width, made.height) == odd.size
    assert bool(made.audio_peaks_key) == odd.sound
    theirs = pixels(ffmpeg, "-i", clip(name), "-map", "0:V:0", form=odd.form)
    assert made.visible_frames == made.total_frames == (odd.frames or len(theirs))
    assert pixels(ffmpeg, "-i", sink.path / "sections/high/%09d.png", form=odd.form) == theirs
    assert shown_by(sink.path / "thumbnail.jpg", sink.path / "sections/high") == made.total_frames // 2
    for quality in ("high", "low"):
        said = streams(ffmpeg, sink.path / f"segments/{quality}/000000000.ts")
        assert "Video: h264" in said
        assert "yuv420p" in said or "yuvj420p" in said
        assert "10" not in said.split("yuv")[1].split(",")[0]
        assert ("Audio: aac" in said) == odd.sound


def shown_by(thumbnail: Path, folder: Path) -> int:
    """Return which of all frames a thumbnail is most like."""
    shown = look_at(thumbnail)
    frames = sorted(folder.iterdir())
    return int(np.argmin([np.abs(look_at(frame) - shown).mean() for frame in frames]))


def look_at(path: Path) -> np.ndarray:
    """Return an image as eight bits of red, green and blue, on white."""
    with Image.open(path) as image:
        deep = image.mode.startswith("I")
        rgba = (image.point(lambda value: value / 256) if deep else image).convert("RGBA")
    white = Image.new("RGBA", rgba.size, "white")
    return np.asarray(Image.alpha_composite(white, rgba).convert("RGB"), float)


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_frames_for_us_is_a_verdict(extract, name):
    """It becomes a dead letter with the code that the README says; nothing is registered."""
    with pytest.raises(VerdictError) as caught:
        extract(name)

    assert caught.value.code == REFUSED[name].code


@pytest.mark.parametrize("cut", [0, 20, 700, 3000])
def test_a_file_that_breaks_off_is_a_verdict_or_whole(sink, clip, tmp_path, cut):
    """A video of which only the beginning was uploaded has no index, and becomes a dead letter."""
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(clip("plain.mp4").read_bytes()[:cut])

    with pytest.raises(UnreadableMediaError):
        extract_path(broken, sink)


def extract_path(path, sink):
    """Extract a file that is no clip of the session's."""
    return extract_video(path, sink, VideoOptions(), Time())


def test_a_slow_videos_clock_does_not_run_backwards(extract, sink, ffmpeg):
    """With a frame a second, the first would have to be decoded before time zero: it is shifted."""
    extract("slow.mp4")

    for quality in ("high", "low"):
        path = sink.path / f"segments/{quality}/000000000.ts"
        said = subprocess.run(
            [ffmpeg.path, "-v", "error", "-copyts", "-i", path, "-c", "copy", "-f", "framecrc", "-"],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        lines = [line.split(",") for line in said.splitlines() if not line.startswith("#")]
        assert all(0 <= int(dts) <= int(pts) for _, dts, pts, *_ in lines)
        assert [int(pts) - int(lines[0][2]) < 60 * 90_000 for _, _, pts, *_ in lines].count(True) == len(
            lines
        )


def test_a_small_video_keeps_its_size_in_the_thumbnail(extract, sink, ffmpeg):
    """Thumbnails shrink only, and show what the viewer sees, upright."""
    extract("rotated.mp4")

    assert "90x160" in streams(ffmpeg, sink.path / "thumbnail.jpg")


def test_the_thumbnail_of_the_thinnest_video_is_a_pixel_thin(extract, sink):
    extract("thin.mkv")

    with Image.open(sink.path / "thumbnail.jpg") as thumbnail:
        assert thumbnail.size == (356, 1)


def test_what_a_files_own_words_say_of_frames_is_not_believed(extract, sink):
    """Ffmpeg prints a title among its own lines, which tell each frame's time."""
    made = extract("talkative.mp4")

    assert problems_of(made, sink) == []
    assert (made.width, made.height, made.total_frames) == (160, 90, 75)


@pytest.mark.parametrize("options", [{"frames": "png"}, {"frames": "jpeg:3"}, {"shape": "sections"}])
def test_the_thumbnail_shows_the_middle_though_no_picture_does(  # noqa: PLR0913, PLR0917 - fixtures
    extract, sink, clip, ffmpeg, tmp_path, options
):
    """At four frames a second the 38th of 75 is not visible, and no other is put in its place."""
    every = Folder(tmp_path / "every")
    extract_video(clip("plain.mp4"), every, VideoOptions(), Time(), ffmpeg=ffmpeg)

    made = extract("plain.mp4", fps=4, **options)

    assert problems_of(made, sink) == []
    assert shown_by(sink.path / "thumbnail.jpg", every.path / "sections/high") == 37
    for number in range(12):
        source = int(number * 25 / 4)
        assert sink.read(f"sections/low/{number:09d}.jpg") == every.read(f"sections/low/{source:09d}.jpg")


@pytest.mark.parametrize(("fps", "visible"), [("native", 75), (5, 15), (7, 22), (60, 75), (0.5, 2)])
def test_the_rate_says_how_many_frames_are_visible(extract, sink, fps, visible):
    """The manifest marks the visible frames; a rate above the source's changes nothing."""
    made = extract("plain.mp4", fps=fps)

    assert (made.visible_frames, made.total_frames) == (visible, 75)
    assert problems_of(made, sink) == []
    lines = sink.read("frames_manifest.txt").decode().split("\n")
    assert [line.split(":")[:2] for line in lines[:2]] == [["0", "0"], ["1", "0"]]


def test_frames_are_stored_as_the_route_says(extract, sink, ffmpeg):
    """JPEG of the wanted quality, and no previews where none are wanted."""
    made = extract("plain.mp4", frames="jpeg:9", preview_frames=False)

    assert (made.sections_extension, made.low_sections_prefix) == ("jpg", None)
    assert len(sink.names("sections/high")) == 75
    assert sink.names("sections/low") == []
    assert "mjpeg" in streams(ffmpeg, sink.path / "sections/high/000000003.jpg")
    assert problems_of(made, sink) == []


def test_previews_that_equal_the_frames_are_encoded_once(extract, sink):
    """JPEG of quality 5 is what previews are: both names get the same bytes."""
    made = extract("plain.mp4", frames="jpeg:5", fps=5)

    assert problems_of(made, sink) == []
    assert sink.read("sections/high/000000007.jpg") == sink.read("sections/low/000000007.jpg")


def test_sections_need_no_segments(extract, sink):
    """The documentation's shape lists every visible frame with its size; nothing is encoded to play."""
    made = extract("odd.mp4", shape="sections", fps=5)

    assert isinstance(made, SectionsArtifacts)
    assert len(made.sections) == 15
    assert {(s.width, s.height) for s in made.sections} == {(159, 89)}
    assert problems_of(made, sink) == []
    assert sink.names("segments") == []


def test_artifacts_say_what_they_are(extract, sink):
    """Content types are set; audio peaks are stored as gzip, with the same bytes every time."""
    extract("plain.mp4", fps=5)

    assert sink.types["thumbnail.jpg"] == ("image/jpeg", "")
    assert sink.types["sections/high/000000000.png"] == ("image/png", "")
    assert sink.types["segments/high/000000000.ts"] == ("video/mp2t", "")
    assert sink.types["frames_manifest.txt"] == ("text/plain", "")
    assert sink.types["audio_peaks.gz"][1] == "gzip"
    assert 2900 < len(gzip.decompress(sink.read("audio_peaks.gz"))) < 3200
    assert sink.read("audio_peaks.gz")[4:8] == bytes(4)
