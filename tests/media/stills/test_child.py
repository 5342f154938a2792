"""What becomes of an object whose decoder crashes, hangs, lies or takes too much; and of the next one."""

import os
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from beagle.domain.errors import (
    ConfigurationError,
    MediaTooLargeError,
    OutOfTimeError,
    QueueUnavailableError,
    UnreadableMediaError,
)
from beagle.media.child import ChildLimits, Children
from beagle.media.stills import make_still
from beagle.media.uploads import Uploads
from media.stills.samples import Object, Sink, encode, natural
from support.processes import is_alive

OBJECT = Object(b"some bytes")


@pytest.fixture(scope="module")
def wild():
    """Children that run decoders which misbehave."""
    with Children(ChildLimits(seconds=5), tasks="media.stills.misbehaving") as running:
        yield running


class Left:
    """A deadline that lies so many seconds ahead of its making."""

    def __init__(self, seconds: float) -> None:
        self.end = time.monotonic() + seconds

    def remaining(self) -> float:
        return self.end - time.monotonic()


def honest(children: Children) -> dict:
    return children.run("honest", {}, [OBJECT], lambda *_: None)


def is_running(pid: int) -> bool:
    """Say whether a process is there, be it dead and unburied: our own children are buried."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def ends(pid: int) -> bool:
    """Say whether a process that is nobody's child ends within ten seconds, be it that nobody buries it."""
    end = time.monotonic() + 10
    while is_alive(pid) and time.monotonic() < end:
        time.sleep(0.01)
    return not is_alive(pid)


def test_a_child_holds_no_secret_of_its_parent(wild, monkeypatch):
    """Neither its environment nor its open files are ours; its memory is bounded."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hidden")
    seen = honest(wild)

    assert set(seen["environment"]) <= {
        "LC_CTYPE",
        "LD_LIBRARY_PATH",
        "MALLOC_ARENA_MAX",
        "OPENBLAS_NUM_THREADS",
    }
    assert seen["descriptors"] <= 8
    assert seen["memory"] == [ChildLimits().memory] * 2
    assert seen["read"] == [len(OBJECT.data)]


def test_a_child_is_reused(wild):
    assert honest(wild)["pid"] == honest(wild)["pid"]


@pytest.mark.parametrize(
    ("task", "error"),
    [
        ("crash", UnreadableMediaError),
        ("deaf", UnreadableMediaError),
        ("chatty", UnreadableMediaError),
        ("liar", UnreadableMediaError),
        ("greedy", MediaTooLargeError),
    ],
)
def test_a_decoder_that_fails_costs_its_object_only(wild, task, error):
    """The object gets a verdict with what happened; the next object is decoded."""
    with pytest.raises(error) as caught:
        wild.run(task, {}, [OBJECT], lambda *_: None)

    assert str(caught.value)
    assert honest(wild)["read"] == [10]


def test_a_crash_is_named(wild):
    with pytest.raises(UnreadableMediaError, match="SIGSEGV") as caught:
        wild.run("crash", {}, [OBJECT], lambda *_: None)

    assert caught.value.context["signal"] == "SIGSEGV"


@pytest.mark.parametrize("task", ["hang", "spin"])
def test_a_decoder_that_hangs_is_killed(wild, task):
    pid = honest(wild)["pid"]
    with pytest.raises(MediaTooLargeError, match="within"):
        wild.run(task, {}, [OBJECT], lambda *_: None, seconds=0.3)

    assert not is_running(pid)
    assert honest(wild)["pid"] != pid


def test_what_a_child_started_ends_with_it():
    """Nothing that a decoder leaves behind works on beside the next object."""
    with Children(tasks="media.stills.misbehaving") as children:
        pid = children.run("forker", {}, [OBJECT], lambda *_: None)["pid"]
        assert is_running(pid)

    assert ends(pid)


def test_a_short_invocation_is_no_verdict_on_the_object(wild):
    """When our own time is over first, the object comes again."""
    with pytest.raises(OutOfTimeError):
        wild.run("hang", {}, [OBJECT], lambda *_: None, deadline=Left(0.3))


def test_time_spent_reading_is_not_the_decoders(wild):
    """A slow store makes no object too large."""

    class Slow(Object):
        def read(self, start, length):
            time.sleep(0.7)
            return super().read(start, length)

    seen = wild.run("honest", {}, [Slow(b"x" * 50)], lambda *_: None, seconds=0.6)

    assert seen["read"] == [50]


def test_a_child_that_was_killed_between_objects_is_replaced(wild):
    """No verdict comes from a process that something else harmed."""
    os.kill(honest(wild)["pid"], signal.SIGKILL)

    assert honest(wild)["read"] == [10]


def test_a_child_can_write_no_file(wild, tmp_path):
    target = tmp_path / "stolen"
    with pytest.raises(UnreadableMediaError):
        wild.run("writer", {"path": str(target)}, [OBJECT], lambda *_: None)

    assert not target.exists() or target.stat().st_size == 0


def test_a_child_can_name_no_artifact_of_its_own(wild):
    sink = Sink()
    with pytest.raises(UnreadableMediaError), Uploads(sink) as uploads:
        wild.run("thief", {}, [OBJECT], uploads.put)

    assert not sink.kept


def test_a_missing_library_is_no_verdict_on_the_object(wild):
    with pytest.raises(ConfigurationError, match="no_such_library"):
        wild.run("lacking", {}, [OBJECT], lambda *_: None)


def test_a_child_that_cannot_start_is_no_verdict_on_the_object(monkeypatch):
    monkeypatch.setattr(sys, "path", [])
    with Children() as children, pytest.raises(ConfigurationError):
        children.run("still", {}, [OBJECT], lambda *_: None)


def test_children_are_renewed_after_their_jobs():
    with Children(ChildLimits(jobs=2), tasks="media.stills.misbehaving") as children:
        pids = [honest(children)["pid"] for _ in range(4)]

    assert pids[0] == pids[1] != pids[2] == pids[3]


def test_closing_ends_all_children():
    with Children(tasks="media.stills.misbehaving") as children:
        pid = honest(children)["pid"]

    assert not is_running(pid)


def test_an_artifact_that_is_not_kept_is_the_stores_trouble(children):
    """It is no verdict, and leaves a child that works on."""

    class Full(Sink):
        def put(self, *_: object) -> None:
            raise QueueUnavailableError("No space.")

    source = Object(encode(natural(400, 300), "PNG"))
    with pytest.raises(QueueUnavailableError):
        make_still(source, Full(), children=children)

    assert make_still(source, Sink(), children=children).width == 400


def test_threads_have_children_of_their_own(children):
    """Eight objects at once are drawn by as many processes, each right."""
    sources = [Object(encode(natural(300 + 10 * n, 300), "JPEG")) for n in range(8)]
    with ThreadPoolExecutor(8) as pool:
        made = pool.map(lambda source: make_still(source, Sink(), children=children).width, sources)

        assert list(made) == [300 + 10 * n for n in range(8)]
