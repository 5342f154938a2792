"""A store that answers late costs the invocation no second more than it has."""

import time
from functools import partial

import pytest

from beagle.domain.errors import OutOfTimeError, StoreUnavailableError
from beagle.domain.items import ReadyItem
from beagle.domain.routes import parse_routes
from beagle.domain.routing import route_event
from beagle.media.maker import Maker
from beagle.media.timely import TimelySink, in_time
from beagle.media.video.outgoing import Outgoing
from media.stills.samples import Object, encode, natural
from media.video.conftest import Folder, Time
from support.world import ROUTES, World

LATE = 30.0
"""Seconds: far behind every deadline here, and no test waits for them."""


class LateSink(Folder):
    """Keeps nothing before the test is over."""

    def put(self, name, *_):
        self.puts.append(name)
        time.sleep(LATE)


class LateReader(Object):
    """Gives its beginning at once, and the rest too late."""

    def read(self, start, length):
        if self.reads:
            time.sleep(LATE)
        return super().read(start, min(length, 100))


class LateDownload(Object):
    def download(self, *_):
        time.sleep(LATE)


def made_of(reader, sink, name, seconds):
    """Make the artifacts of one object whose store is slow; return how long that took."""
    world = World()
    event = world.event(name)
    [route] = ROUTES["routes"]
    routes = parse_routes({"team": "acme", "routes": [{**route, "access": "read_only"}]})
    ready = ReadyItem(event=event, item=route_event(routes, event).item, route="r")
    maker = Maker(lambda _: reader, lambda *_: sink, invocation_seconds=900)
    began = time.monotonic()
    try:
        with pytest.raises(OutOfTimeError):
            maker.make(ready, Time(seconds))
    finally:
        maker.children.close()
    return time.monotonic() - began


def test_a_bucket_that_takes_no_artifact_ends_the_extraction_at_its_deadline(clip, sink):
    """Neither the decoder nor the puts under way are waited for, and no further one is begun."""
    late = LateSink(sink.path)

    took = made_of(Object(clip("plain.mp4").read_bytes()), late, "a/film.mp4", 4.5)

    assert took < LATE / 2
    assert 0 < len(late.puts) <= 8


@pytest.mark.parametrize(
    ("reader", "name"),
    [(LateReader, "a/picture.png"), (LateDownload, "a/film.mp4")],
    ids=["read", "download"],
)
def test_a_bucket_that_gives_no_object_ends_the_work_at_its_deadline(sink, reader, name):
    """Of an image the header has come; of a video not a byte."""
    assert made_of(reader(encode(natural(400, 300), "PNG")), sink, name, 1.5) < LATE / 2
    assert sink.puts == []


def test_an_artifact_that_a_slow_bucket_keeps_at_last_is_kept(sink):
    """Slowness alone is no error, and what the bucket says itself is passed on."""

    class Slow(Folder):
        def put(self, *_):
            time.sleep(0.2)
            raise StoreUnavailableError("It is full.")

    TimelySink(sink, Time(10)).put("thumbnail.jpg", b"x", "image/jpeg")

    assert sink.puts == ["thumbnail.jpg"]
    with pytest.raises(StoreUnavailableError, match="full"):
        TimelySink(Slow(sink.path), Time(10)).put("thumbnail.jpg", b"x", "image/jpeg")


def test_once_time_is_over_the_store_is_not_asked(sink):
    """What waits in line when the time is over is not begun."""
    with pytest.raises(OutOfTimeError):
        TimelySink(sink, Time(0)).put("thumbnail.jpg", b"x", "image/jpeg")

    assert sink.puts == []


def test_a_bucket_that_had_time_enough_is_to_blame_and_not_the_object():
    """A try that ended so is not counted against a video, as one is that its decoder used up."""
    with pytest.raises(StoreUnavailableError):
        in_time(partial(time.sleep, LATE), Time(2), enough=0.2)


def test_what_kept_the_decoder_waiting_is_told(sink):
    """When the time is over, it is over for decoder and bucket; told is who used it up."""

    class Silent(Folder):
        def put(self, *_):
            time.sleep(0.3)
            raise StoreUnavailableError("It did not answer.")

    def extract():
        with Outgoing(Silent(sink.path), 1) as outgoing:
            outgoing.put("thumbnail.jpg", b"x", "image/jpeg")
            raise OutOfTimeError("Decoding did not end in time.")

    with pytest.raises(StoreUnavailableError):
        extract()


def test_a_stores_own_time_out_is_its_own():
    """It is not taken for the end of our time."""

    def give_up():
        raise TimeoutError("the store's")

    with pytest.raises(TimeoutError, match="the store's"):
        in_time(give_up, Time(10))
