"""A download that the invocation, or the disk, does not see to its end."""

import resource
import shutil
from collections.abc import Iterator
from pathlib import Path

import obstore
import pytest
from obstore.store import MemoryStore

from beagle.domain.errors import DecoderStoppedError, MediaTooLargeError, OutOfTimeError
from beagle.domain.events import ObjectRef
from beagle.providers.objects import StoreReader
from beagle.providers.pieces import write_pieces

DATA = bytes(range(256)) * 400


class Countdown:
    """A deadline that passes after being looked at some times."""

    def __init__(self, looks: int) -> None:
        self.looks = looks

    def remaining(self) -> float:
        self.looks -= 1
        return float(self.looks)


@pytest.fixture
def reader() -> StoreReader:
    store = MemoryStore()
    etag = str(obstore.put(store, "a.mp4", DATA)["e_tag"])
    return StoreReader(store, ObjectRef(provider="local", bucket="b", key="a.mp4"), len(DATA), etag)


def test_a_download_ends_between_two_pieces_when_time_is_over(tmp_path: Path) -> None:
    """No piece more is fetched: the store need not be done with the object."""
    fetched = []

    def pieces() -> Iterator[bytes]:
        for number in range(100):
            fetched.append(number)
            yield bytes(10)

    with pytest.raises(OutOfTimeError):
        write_pieces(pieces(), tmp_path / "source", 1000, Countdown(4))

    assert fetched == [0, 1, 2, 3]


def test_what_no_disk_holds_is_refused_before_a_piece_is_fetched(tmp_path: Path) -> None:
    """It says how large it is, and how much room there was; what might fit another time comes again."""

    def pieces() -> Iterator[bytes]:
        raise AssertionError
        yield b""

    with pytest.raises(MediaTooLargeError, match="1,152,921,504,606,846,976 bytes, and the disk"):
        write_pieces(pieces(), tmp_path / "source", 1 << 60, None)
    with pytest.raises(DecoderStoppedError, match="left now"):
        write_pieces(pieces(), tmp_path / "source", shutil.disk_usage(tmp_path).total, None)

    assert not (tmp_path / "source").exists()


def test_a_download_in_time_is_whole(reader: StoreReader, tmp_path: Path) -> None:
    reader.download(tmp_path / "source", Countdown(1000))

    assert (tmp_path / "source").read_bytes() == DATA


def test_a_disk_that_becomes_full_is_not_the_objects_fault(reader: StoreReader, tmp_path: Path) -> None:
    """Something else may lie there: the message comes again, a few times, and is no bug."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))
    try:
        with pytest.raises(DecoderStoppedError, match="disk became full"):
            reader.download(tmp_path / "source")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
