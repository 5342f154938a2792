"""A long video in parts is the same video."""

import json
import subprocess
from fractions import Fraction
from itertools import pairwise

import pytest

from beagle.domain.errors import MediaTooLargeError, OutOfTimeError, ServiceError, UnreadableMediaError
from beagle.domain.making import VideoOptions
from beagle.media.video.cuts import Part, decoded_a_second
from beagle.media.video.extract import extract_video
from beagle.media.video.facts import Facts
from beagle.media.video.parts import PartResult, extract_part, frames_a_second, join_parts, plan_parts
from beagle.media.video.probe import probe

from .conftest import Folder, Time, json_round_trip, pixels, problems_of

CASES = {
    "ntsc.mp4": {"fps": 7},
    "long_plain.mp4": {"fps": "native", "frames": "jpeg:4"},
    "long_variable.mp4": {"fps": 5},
    "open_gop.mp4": {"fps": 9},
    "long_apple.mov": {"fps": 5, "profile": "equal"},
    "long_endless.mkv": {"fps": 3, "preview_frames": False},
    "slow.mp4": {"fps": "native"},
    "long_trimmed.mp4": {"fps": 10, "shape": "sections"},
    "long_rotated.mp4": {"fps": 5},
    "long_studio.mov": {"fps": 2},
}


def in_parts(path, sink, options, ffmpeg):
    """Extract each part as if by a process of its own, last first; return parts and what was joined."""
    facts = probe(path, ffmpeg, Time())
    parts = plan_parts(facts, 0.4 * len(facts.times), 1)
    results = []
    for part in reversed(parts):
        sent = Part.from_json(json_round_trip(part.to_json()))
        result = extract_part(path, facts, sent, sink, options, Time(), ffmpeg=ffmpeg)
        results.append(PartResult.from_json(json_round_trip(result.to_json())))
    return parts, join_parts(results, sink, options)


@pytest.mark.parametrize("name", CASES)
def test_parts_make_what_one_run_makes(clip, tmp_path, ffmpeg, name):
    """
    All but the segments is equal to the last byte, under the same names.

    Inside the segments x264 may decide otherwise, because it does not see what came before.
    """
    options = VideoOptions(**CASES[name])
    one, many = Folder(tmp_path / "one"), Folder(tmp_path / "many")

    whole = extract_video(clip(name), one, options, Time(), ffmpeg=ffmpeg)
    parts, joined = in_parts(clip(name), many, options, ffmpeg)

    assert len(parts) > 1
    assert problems_of(joined, many) == []
    assert one.names() == many.names()
    assert [n for n in one.names() if not n.endswith(".ts") and one.read(n) != many.read(n)] == []
    assert len(many.puts) == len(set(many.puts))
    if options.shape == "sections":
        assert joined == whole
    else:
        assert (joined.high.index, joined.low.index) == (whole.high.index, whole.low.index)
        assert joined.total_frames == whole.total_frames


def test_joints_cannot_be_heard_or_seen(clip, tmp_path, ffmpeg):
    """Over the joints, frames and sound follow each other at the same distances as everywhere else."""
    folder = Folder(tmp_path / "many")
    parts, _ = in_parts(clip("ntsc.mp4"), folder, VideoOptions(fps=1), ffmpeg)
    joined = tmp_path / "joined.ts"
    joined.write_bytes(
        b"".join(folder.read(name) for name in folder.names("segments/high") if "ts" in name[-2:])
    )

    def steps(stream: str) -> set[int]:
        said = subprocess.run(
            [
                ffmpeg.path,
                "-v",
                "warning",
                "-i",
                joined,
                "-map",
                f"0:{stream}",
                "-c",
                "copy",
                "-f",
                "framecrc",
                "-",
            ],
            check=True,
            capture_output=True,
            text=True,
        )
        assert said.stderr == ""
        times = sorted(
            int(line.split(",")[2]) for line in said.stdout.splitlines() if not line.startswith("#")
        )
        return {after - before for before, after in pairwise(times)}

    assert len(parts) >= 3
    assert steps("v") == {3003}
    assert steps("a") <= {2089, 2090, 2091}


def test_a_part_alone_holds_its_own_frames(clip, tmp_path, ffmpeg):
    """What a part decodes is what stands there in the source, to the pixel."""
    facts = probe(clip("open_gop.mp4"), ffmpeg, Time())
    part = plan_parts(facts, 60, 1)[1]
    folder = Folder(tmp_path / "part")

    extract_part(clip("open_gop.mp4"), facts, part, folder, VideoOptions(), Time(), ffmpeg=ffmpeg)

    first = f"{part.first_frame}"
    ours = pixels(ffmpeg, "-start_number", first, "-i", folder.path / "sections/high/%09d.png")
    theirs = pixels(ffmpeg, "-i", clip("open_gop.mp4"), "-map", "0:V:0")
    assert ours == theirs[part.first_frame : part.first_frame + part.frames]


def facts_of(frames, *, rate=Fraction(30), key_every=250, **fields):
    """Return the facts of a video that is only imagined."""
    times = range(0, frames * 1000, 1000)
    return Facts(
        **{
            "codec": "h264",
            "width": 1920,
            "height": 1080,
            "pixel_format": "yuv420p",
            "native_fps": float(rate),
            "time_base": 1 / (rate * 1000),
            "times": times,
            "keys": times[::key_every],
            "seconds": float(frames / rate),
            "audio_rate": 48_000,
            "square": True,
            **fields,
        }
    )


@pytest.mark.parametrize("rate", [Fraction(30), Fraction(25), Fraction(30_000, 1001), Fraction(24_000, 1001)])
def test_a_plan_covers_every_frame_once(rate):
    """Parts follow each other without a gap, begin where segments begin, and none is much too long."""
    facts = facts_of(20_000, rate=rate)

    parts = plan_parts(facts, 60, 20)

    assert sum(part.frames for part in parts) == 20_000
    assert [part.first_frame for part in parts[1:]] == [p.first_frame + p.frames for p in parts[:-1]]
    assert all(part.first_frame % 15 == 0 for part in parts)
    assert max(part.frames for part in parts) <= 60 * 20 + 75
    assert [part.has_middle for part in parts].count(True) == 1
    assert [part.end for part in parts[:-1]] == [part.start for part in parts[1:]]
    assert plan_parts(facts, 60, 20) == parts


def test_three_hours_are_planned_in_a_moment():
    """There is no upper length: more video is more parts, whose messages stay small."""
    parts = plan_parts(facts_of(3 * 3600 * 30), 600, 25)

    assert len(parts) == 22
    assert len(json.dumps(parts[-1].to_json())) < 400


@pytest.mark.parametrize(
    "fields",
    [{"keys": []}, {"times": [0] * 20_000}, {"keys": [5000]}],
    ids=["no times", "one time", "late key"],
)
def test_what_cannot_be_cut_is_one_part_or_too_long(fields):
    """A little beyond what is planned it may fit all the same; far beyond, no attempt is paid for."""
    [part] = plan_parts(facts_of(20_000, **fields), 300, 20)

    assert part.is_whole
    with pytest.raises(MediaTooLargeError, match=r"cannot be cut.*MP4 or Matroska") as caught:
        plan_parts(facts_of(20_000, **fields), 60, 20)
    assert caught.value.context["seconds"] == 1000


@pytest.mark.parametrize("name", ["mpeg4.avi", "raw.hevc"])
def test_containers_that_hide_the_times_of_frames_are_told_of(clip, ffmpeg, name):
    """As an hour of it would be: frames that refer forward, in AVI, and a stream without any container."""
    facts = probe(clip(name), ffmpeg, Time())

    with pytest.raises(MediaTooLargeError, match="AVI and raw streams"):
        plan_parts(facts, 1, len(facts.times) / 5)


def test_parts_are_smaller_where_key_frames_are_rare():
    """What a part decodes on its way to its first frame is time of its invocation."""
    often, seldom = facts_of(100_000), facts_of(100_000, key_every=50_000)

    usual = plan_parts(often, 600, 20, 100)
    smaller = plan_parts(seldom, 300, 20, 100)

    assert len(usual) == len(plan_parts(often, 600, 20)) == 9
    assert len(smaller) > len(plan_parts(seldom, 300, 20))
    for part in smaller:
        behind_key = part.first_frame % 50_000
        assert behind_key / 100 + part.frames / 20 <= 2 * 300 + 5


def test_a_video_whose_parts_all_begin_at_its_start_has_a_longest_length():
    """An hour with one key frame is cut; of a day, the last part would decode most of it."""
    hour, day = (facts_of(hours * 3600 * 30, key_every=10**9) for hours in (1, 24))

    assert len(plan_parts(hour, 540, 28, 160)) > 1
    with pytest.raises(MediaTooLargeError, match="key frames lie too far apart"):
        plan_parts(day, 540, 28, 160)


def test_on_a_machine_without_haste_nothing_is_too_long():
    """Who extracts at home waits."""
    week = 7 * 24 * 3600

    assert plan_parts(facts_of(20 * 60 * 30, keys=[]), week, 1)[0].is_whole
    assert decoded_a_second(facts_of(300), 4) > frames_a_second(facts_of(300), VideoOptions(fps=1), 4)


def test_a_short_video_is_one_part():
    """The usual case costs nothing."""
    [part] = plan_parts(facts_of(300), 600, 25)

    assert part.is_whole
    assert frames_a_second(facts_of(300), VideoOptions(), 4) > frames_a_second(
        facts_of(300), VideoOptions(), 2
    )


def test_a_part_that_does_not_hold_what_was_promised_is_refused(clip, sink, ffmpeg):
    """Numbers of frames would be wrong for all parts behind it."""
    facts = probe(clip("long_plain.mp4"), ffmpeg, Time())
    fields = plan_parts(facts, 60, 1)[1].to_json()
    part = Part.from_json({**fields, "frames": fields["frames"] + 1})

    with pytest.raises(UnreadableMediaError):
        extract_part(clip("long_plain.mp4"), facts, part, sink, VideoOptions(), Time(), ffmpeg=ffmpeg)


def test_only_all_parts_can_be_joined(clip, sink, ffmpeg):
    """A missing part is a mistake of the caller's, not a shorter video."""
    facts = probe(clip("long_plain.mp4"), ffmpeg, Time())
    options = VideoOptions(fps=1)
    part = plan_parts(facts, 60, 1)[0]
    result = extract_part(clip("long_plain.mp4"), facts, part, sink, options, Time(), ffmpeg=ffmpeg)

    with pytest.raises(ValueError, match="not all parts"):
        join_parts([result], sink, options)


def test_no_time_left_ends_at_once(clip, sink, ffmpeg):
    """The message stays in its queue."""
    with pytest.raises(OutOfTimeError):
        extract_video(clip("long_plain.mp4"), sink, VideoOptions(), Time(0), ffmpeg=ffmpeg)


def test_a_bucket_that_fails_ends_the_extraction(clip, sink, ffmpeg):
    """The service's own error reaches the caller, and nothing goes on in the background."""

    class Broken(Folder):
        def put(self, name, data, content_type, content_encoding=""):
            if len(self.puts) > 10:
                raise ServiceError("the bucket is full")
            super().put(name, data, content_type, content_encoding)

    broken = Broken(sink.path)
    with pytest.raises(ServiceError, match="the bucket is full"):
        extract_video(clip("long_plain.mp4"), broken, VideoOptions(), Time(), ffmpeg=ffmpeg)
    assert len(broken.puts) < 30
