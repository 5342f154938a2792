"""A file as the object, and a folder as the place of its artifacts."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from beagle.domain.errors import MediaTooLargeError, ObjectGoneError, StoreUnavailableError, SupersededError
from beagle.providers.local.objects import FileReader, FolderSink


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    return path


def test_a_range_is_shorter_only_at_the_end(file: Path):
    reader = FileReader.open(file)

    assert reader.size == 10
    assert [reader.read(2, 3), reader.read(8, 5), reader.read(10, 1), reader.read(99, 1)] == [
        b"234",
        b"89",
        b"",
        b"",
    ]


def test_the_digest_tells_contents_apart(file: Path):
    """And not names."""
    before = FileReader.open(file).digest()
    same = file.rename(file.with_name("other"))

    assert FileReader.open(same).digest() == before
    same.write_bytes(b"0123456780")
    assert FileReader.open(same).digest() != before


def test_a_file_that_changes_is_read_no_further(file: Path, tmp_path: Path):
    """Artifacts of two contents would not fit each other."""
    reader = FileReader.open(file)
    file.write_bytes(b"01234567890")

    with pytest.raises(SupersededError):
        reader.read(0, 1)
    with pytest.raises(SupersededError):
        reader.download(tmp_path / "copy")
    file.unlink()
    with pytest.raises(ObjectGoneError):
        reader.read(0, 1)


def test_a_downloaded_file_is_a_regular_one_with_the_same_content(file: Path, tmp_path: Path):
    """Also where the name led through a link, which decoders refuse to follow."""
    link, to = tmp_path / "link", tmp_path / "source"
    link.symlink_to(file)
    FileReader.open(link).download(to)

    assert to.read_bytes() == file.read_bytes()
    assert not to.is_symlink()
    to.unlink()
    assert file.read_bytes() == b"0123456789"


@pytest.fixture
def far() -> Iterator[Path]:
    """Return where a file of another file system may lie."""
    place = Path("/dev/shm")  # noqa: S108 - where it is mounted
    if not place.is_dir():
        pytest.skip("no second file system on this machine")
    path = place / f"beagle-test-{os.getpid()}"
    yield path
    path.unlink()


def test_a_file_of_another_file_system_is_copied(far: Path, tmp_path: Path):
    """A second name cannot cross over."""
    far.write_bytes(b"far away")
    FileReader.open(far).download(tmp_path / "source")

    assert (tmp_path / "source").read_bytes() == b"far away"


def test_a_file_that_is_only_named_anew_needs_no_room(file: Path, tmp_path: Path):
    """Larger than what is left of the disk: it has holes, so that it takes nothing."""
    os.truncate(file, larger_than_the_room(tmp_path))
    FileReader.open(file).download(tmp_path / "source")

    assert (tmp_path / "source").stat().st_size == file.stat().st_size


def test_a_file_that_must_be_copied_needs_room(far: Path, tmp_path: Path):
    far.touch()
    os.truncate(far, larger_than_the_room(tmp_path))

    with pytest.raises(MediaTooLargeError):
        FileReader.open(far).download(tmp_path / "source")
    assert not (tmp_path / "source").exists()


def larger_than_the_room(place: Path) -> int:
    return shutil.disk_usage(place).total + (1 << 30)


def test_artifacts_lie_under_their_names_and_are_told_below_the_prefix(tmp_path: Path):
    sink = FolderSink(tmp_path / "made", "prefix/")
    sink.put("sections/high/000000000.png", b"1", "image/png")
    sink.put("sections/high/000000000.png", b"2", "image/png")

    assert (tmp_path / "made" / "sections" / "high" / "000000000.png").read_bytes() == b"2"
    assert sink.key("thumbnail.jpg") == "prefix/thumbnail.jpg"


def test_a_folder_that_takes_no_file_is_a_store_that_does_not_answer(file: Path):
    """The decoder is then ended as if the bucket was away."""
    with pytest.raises(StoreUnavailableError, match="cannot be written"):
        FolderSink(file, "").put("thumbnail.jpg", b"", "image/jpeg")
