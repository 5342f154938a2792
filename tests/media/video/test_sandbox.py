"""What a program may do over a file: nothing but read it and answer."""

import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from beagle.domain.errors import (
    BeagleError,
    ConfigurationError,
    MediaTooLargeError,
    OutOfTimeError,
    ServiceError,
    UnreadableMediaError,
    VerdictError,
)
from beagle.domain.making import VideoOptions
from beagle.media import sandbox
from beagle.media.sandbox import Limits
from beagle.media.video.extract import extract_video
from beagle.media.video.ffmpeg import find_ffmpeg, is_safe, parse_version
from beagle.media.watchdog import StalledError

from .conftest import Time

VERSION = 'if [ "$1" = -version ]; then echo "ffmpeg version 9.0.2"; exit; fi'


@pytest.fixture
def some_file(tmp_path):
    path = tmp_path / "any"
    path.write_bytes(b"any")
    return path


def run(program, file, *, limits=None, seconds=20.0, readers=(), on_line=lambda _line: False):  # noqa: PLR0913 - those of the real one
    """Run a program that takes the descriptor and the pipes as its arguments."""
    return sandbox.run(
        lambda descriptor, pipes: [str(program), str(descriptor), *pipes],
        file,
        readers,
        deadline=Time(seconds),
        limits=limits or Limits(),
        on_line=on_line,
    )


def alive(pid: int) -> bool:
    """Say whether a process runs, and is not just unburied."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until_dead(pid: int) -> bool:
    """Say whether a process ends within ten seconds."""
    end = time.monotonic() + 10
    while alive(pid) and time.monotonic() < end:
        time.sleep(0.01)
    return not alive(pid)


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ("ffmpeg version n9.0.2-17-g2a571b6068-20260930 Copyright", (9, 0, 2)),
        ("ffmpeg version 8.1.3 Copyright", (8, 1, 3)),
        ("ffmpeg version 5.1.9-0+deb12u1 Copyright", (5, 1, 9)),
        ("ffmpeg version 7.0.2-static https://johnvansickle.com", (7, 0, 2)),
        ("ffmpeg version 9.1 Copyright", (9, 1, 0)),
        ("ffmpeg version N-112233-g0123456789 Copyright", None),
        ("something else", None),
    ],
)
def test_versions_are_read_as_builders_write_them(said, version):
    """The number may stand between letters and suffixes; a snapshot has none."""
    assert parse_version(said) == version


@pytest.mark.parametrize(
    ("version", "safe"),
    [
        ((5, 1, 9), False),
        ((7, 0, 2), False),
        ((8, 1, 2), False),
        ((8, 1, 3), True),
        ((8, 2, 0), True),
        ((9, 0, 1), False),
        ((9, 0, 2), True),
        ((10, 0, 0), True),
    ],
)
def test_only_versions_without_known_holes_are_safe(version, safe):
    """Each major version has its own floor."""
    assert is_safe(version) == safe


def test_an_old_ffmpeg_is_refused_unless_asked_for(script):
    """Beagle does not start on it; a test may."""
    old = script("echo ffmpeg version 5.1.9-0+deb12u1")

    with pytest.raises(ConfigurationError):
        find_ffmpeg(old)
    assert find_ffmpeg(old, allow_older=True).path == old


def test_the_shipped_ffmpeg_is_safe(ffmpeg):
    """The wheel's binary passes the check that every start makes."""
    assert find_ffmpeg().path == ffmpeg.path


def test_the_child_has_no_environment_of_ours(script, some_file, monkeypatch):
    """Credentials and keys of ours are not its business."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary")
    lines = []
    program = 'import os, sys; [print("env", name, file=sys.stderr) for name in os.environ]'
    body = f"exec {sys.executable} -S -c '{program}'"

    run(script(body), some_file, on_line=lambda line: bool(lines.append(line)))

    told = {line.removeprefix("env ") for line in lines if line.startswith("env ")}
    assert told - {"PWD", "LC_CTYPE"} == {"MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_"}


def test_the_child_can_write_no_file_and_stands_nowhere(script, some_file, tmp_path):
    """Its working directory is gone before it begins, and a file elsewhere stays empty."""
    target = tmp_path / "target"
    lines = []
    body = (
        f'/bin/echo relative > here || echo nowhere >&2; /bin/echo absolute > "{target}" || echo refused >&2'
    )

    run(script(body), some_file, on_line=lambda line: bool(lines.append(line)))

    assert "nowhere" in lines
    assert "refused" in lines
    assert target.read_bytes() == b""


def test_a_program_that_hangs_is_killed_with_its_children(script, some_file):
    """At the deadline the whole group dies, and the error leaves the message in its queue."""
    program = script('sleep 600 & echo $! "pid" >&2; echo $$ pid >&2; wait')
    lines = []

    with pytest.raises(OutOfTimeError) as caught:
        run(program, some_file, seconds=1, on_line=lambda line: bool(lines.append(line)))

    assert caught.value.retryable
    pids = [int(line.split()[0]) for line in lines if line.endswith(" pid")]
    assert len(pids) == 2
    assert all(wait_until_dead(pid) for pid in pids)


def test_a_program_without_progress_is_killed(script, some_file):
    """Silence on all pipes and an idle processor are a hang, long before the deadline."""
    began = time.monotonic()

    with pytest.raises(StalledError) as caught:
        run(script("exec sleep 600"), some_file, limits=Limits(stall_seconds=0.5), seconds=100)

    assert time.monotonic() - began < 5
    assert isinstance(caught.value, ServiceError)


def test_decoding_in_silence_is_progress(ffmpeg, some_file):
    """Frames between a key frame and the first that is wanted are decoded, and nothing is written."""
    got = []
    silence = "testsrc2=s=1280x720:r=30:d=300,select=gte(n\\,5000)"
    words = ["-nostdin", "-v", "error", "-f", "lavfi", "-i", silence, "-frames:v", "1", "-f", "mjpeg"]

    began = time.monotonic()
    ending = sandbox.run(
        lambda _, pipes: [str(ffmpeg.path), *words, pipes[0]],
        some_file,
        [lambda stream: got.append(stream.read(100))],
        deadline=Time(60),
        limits=Limits(stall_seconds=0.4),
    )

    assert time.monotonic() - began > 0.8
    assert ending.status == 0
    assert got[0].startswith(b"\xff\xd8")


def test_work_without_an_end_meets_the_deadline(script, some_file):
    """A busy loop is no hang for the watchdog, and is stopped all the same."""
    with pytest.raises(OutOfTimeError):
        run(script("while :; do :; done"), some_file, limits=Limits(stall_seconds=0.4), seconds=1.2)


def test_a_slow_reader_is_not_the_programs_fault(script, some_file):
    """While we are busy with what it wrote, it may wait for us as long as it takes."""
    got = []

    def slowly(stream) -> None:
        while data := stream.read(10):
            got.append(data)
            time.sleep(0.8)

    program = script('n="${2#pipe:}"; printf 12345678901234567890 > /dev/fd/$n')
    ending = run(program, some_file, readers=[slowly], limits=Limits(stall_seconds=0.5))

    assert (ending.status, b"".join(got)) == (0, b"12345678901234567890")


def test_a_reader_that_fails_ends_the_run(script, some_file):
    """When the bucket does not take artifacts, nothing goes on decoding."""

    def fail(stream) -> None:
        stream.read(1)
        raise ServiceError("the bucket is gone")

    began = time.monotonic()
    with pytest.raises(ServiceError, match="the bucket is gone"):
        run(script('n="${2#pipe:}"; echo x > /dev/fd/$n; exec sleep 600'), some_file, readers=[fail])

    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("end", "error"),
    [
        ("exit 183", UnreadableMediaError),
        ("exit 244", MediaTooLargeError),
        ("kill -SEGV $$", UnreadableMediaError),
        ("kill -KILL $$", ServiceError),
        ("kill -XCPU $$", OutOfTimeError),
    ],
)
def test_the_way_it_ends_decides_what_is_to_be_done(script, some_file, end, error):
    """Never its words: those are kept, cut short, for the person who reads the dead letter."""
    ending = run(script(f"echo {'x' * 5000} >&2; {end}"), some_file)

    with pytest.raises(error) as caught:
        ending.require_success()
    assert isinstance(caught.value, BeagleError)
    assert len(str(caught.value)) < 3000


def test_endless_talk_is_not_kept(script, some_file):
    """A line without an end, or a million lines, take no memory."""
    ending = run(script("/usr/bin/head -c 30000000 /dev/zero >&2; exit 3"), some_file)

    assert ending.status == 3
    assert len(ending.said) <= 2000


def test_a_memory_limit_holds(script, some_file):
    """The kernel refuses what is over the limit."""
    body = f"exec {sys.executable} -S -c 'x = bytearray(300 << 20)'"

    assert run(script(body), some_file, limits=Limits(memory=200 << 20)).status == 1
    assert run(script(body), some_file, limits=Limits(memory=4 << 30)).status == 0


@pytest.mark.parametrize("kind", ["link", "device"])
def test_links_and_devices_are_not_opened(script, some_file, tmp_path, kind):
    """Whoever can plant them in a temporary folder gains nothing."""
    path = Path("/dev/zero")
    if kind == "link":
        path = tmp_path / "link"
        path.symlink_to(some_file)

    with pytest.raises(OSError, match=r"Too many levels|not a regular file"):
        run(script("exit 0"), path)


def test_no_name_of_the_upload_is_on_a_command_line(clip, sink, tmp_path, script, ffmpeg):
    """Keys that look like options, patterns or paths reach no program: it gets an open file."""
    fake = script(f'{VERSION}\necho "$@" >&2; exit 183')
    odd = tmp_path / "-i %d ;rm.mp4"
    odd.write_bytes(clip("plain.mp4").read_bytes())

    with pytest.raises(VerdictError) as caught:
        extract_video(odd, sink, VideoOptions(), Time(), ffmpeg=find_ffmpeg(fake))
    said = str(caught.value)
    assert "rm.mp4" not in said
    assert str(tmp_path) not in said

    made = extract_video(odd, sink, VideoOptions(fps=1), Time(), ffmpeg=ffmpeg)
    assert made.visible_frames == 3


def test_a_hanging_ffmpeg_leaves_nothing(clip, sink, script, tmp_path, monkeypatch):
    """No file, no folder, no process; and the message comes again."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    fake = script(f"{VERSION}\nsleep 600 & exec sleep 600")
    hanging = replace(find_ffmpeg(fake), limits=Limits(stall_seconds=0.5))

    with pytest.raises(StalledError):
        extract_video(clip("plain.mp4"), sink, VideoOptions(), Time(), ffmpeg=hanging)

    assert list((tmp_path / "tmp").iterdir()) == []
    assert sink.puts == []


KILLED = """
import itertools
import sys
import time
from pathlib import Path
sys.path[:0] = sys.argv[3:]
from beagle.media.video.extract import extract_video
from beagle.domain.making import VideoOptions

class Folder:
    begun = itertools.count(1)
    def put(self, name, data, content_type, content_encoding=""):
        if next(self.begun) > 20:
            time.sleep(3600)
        path = Path(sys.argv[2]) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        print(name, flush=True)
    def key(self, name):
        return name

class Hour:
    def remaining(self):
        return 3600

extract_video(Path(sys.argv[1]), Folder(), VideoOptions(), Hour())
"""


def test_killed_in_the_middle_and_done_again_is_as_done_once(clip, sink, tmp_path, ffmpeg):
    """`kill -9` leaves no process and no temporary file; the next run overwrites what is there."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    movie = clip("ntsc.mp4")
    path = [word for word in sys.path if word]
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(movie), str(sink.path), *path],
        stdout=subprocess.PIPE,
        env={"TMPDIR": str(temporary)},
        text=True,
    ) as process:
        for _ in range(20):
            assert process.stdout.readline()
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        process.kill()
    left = len(sink.names())
    assert children
    assert all(wait_until_dead(int(child)) for child in children)
    assert list(temporary.iterdir()) == []

    made = extract_video(movie, sink, VideoOptions(), Time(), ffmpeg=ffmpeg)

    assert 20 <= left < len(sink.names())
    expected = 2 * made.visible_frames + 2 * (made.high.index.count(".ts") + 1) + 3
    assert len(sink.names()) == expected
    assert len(sink.puts) == len(set(sink.puts)) == expected


def test_nothing_is_ever_on_the_disk(clip, sink, tmp_path, monkeypatch, ffmpeg):
    """Frames and segments go from pipe to bucket: the temporary folder is empty whenever one looks."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    seen = set()

    extract_video(
        clip("plain.mp4"),
        sink,
        VideoOptions(),
        Time(),
        ffmpeg=ffmpeg,
        progress=lambda _done, _total: seen.update(temporary.iterdir()),
    )

    assert seen == set()
