"""Read-only storage, deployed: Beagle makes what Darwin may not, in the bucket itself."""

import io
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from beagle.media.video.ffmpeg import find_ffmpeg
from e2e.archive import Archive
from e2e.books import lines_of
from e2e.test_uploads import codes

ROTATED = 6  # EXIF: the picture lies on its side
SIZE = (640, 360)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seconds of moving picture and sound."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    inputs = (
        *("-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=3"),
        *("-f", "lavfi", "-i", "sine=frequency=440:duration=3"),
    )
    coded = ("-pix_fmt", "yuv420p", "-g", "25", "-c:a", "aac")
    subprocess.run([find_ffmpeg().path, "-v", "error", *inputs, *coded, path], check=True)
    return path


def picture(form: str, *, orientation: int = 0) -> bytes:
    image = Image.linear_gradient("L").resize(SIZE).convert("RGB")
    exif = Image.Exif()
    if orientation:
        exif[0x0112] = orientation
    data = io.BytesIO()
    image.save(data, form, exif=exif)
    return data.getvalue()


def test_uploads_become_read_only_items_with_their_artifacts(
    archive: Archive, clip: Path, folder: str
) -> None:
    """
    Stills, a key that few libraries can address, a video, a text, a damaged file; each announced twice.

    Darwin opens every artifact that it was told of, and finds nothing wrong. What Beagle wrote is not
    announced to it, so nothing goes round in circles.
    """
    stack, damaged = archive.stack, picture("JPEG")[:200] + b"\xff" * 2000
    stack.upload(picture("JPEG", orientation=ROTATED), f"{folder}/photo.jpg", content_type="image/jpeg")
    stack.upload(picture("PNG"), f"{folder}/a//b.png")
    stack.upload(clip, f"{folder}/clip.mp4")
    stack.upload(b"words", f"{folder}/notes.txt")
    stack.upload(damaged, f"{folder}/damaged.jpg")
    books = archive.settle(folder, 10)

    items = archive.darwin.items()
    assert sorted(item.name for item in items) == ["b.png", "clip.mp4", "photo.jpg"]
    assert {item.name: item.problems for item in items} == {item.name: () for item in items}
    for key in ("photo.jpg", "a//b.png", "clip.mp4"):
        # Of the clip, extract may tell that it stands already.
        ended = [*books.of_key(f"{folder}/{key}", "extract"), *books.of_key(f"{folder}/{key}", "register")]
        assert sorted(set(ended) - {"passed_on"}) == ["already_registered", "registered"]
        assert len(ended) - ended.count("passed_on") == 2
    assert codes(stack) == {f"{folder}/damaged.jpg": "unreadable_media"}
    assert books.codes("ignored") == {f"{folder}/notes.txt": "unknown_type"}

    photo = archive.fields("photo.jpg")
    assert (photo["width"], photo["height"]) == (SIZE[1], SIZE[0])
    with Image.open(io.BytesIO(archive.object(photo["storage_thumbnail_key"]))) as thumbnail:
        assert thumbnail.height > thumbnail.width
    assert archive.item("b.png").storage_keys == (f"{folder}/a//b.png",)
    video = archive.fields("clip.mp4")
    sections = {key for key in archive.artifacts() if key.startswith(video["storage_sections_key_prefix"])}
    assert video["total_frames"] == len([key for key in sections if "/high/" in key]) == 75

    everything = [line.key for stage in stack.functions for line in lines_of(stack.logs(stage))]
    assert not [key for key in everything if key.startswith(".beagle/")]
