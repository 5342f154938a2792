"""Thumbnails and sizes of stills, drawn in a child."""

import io
from contextlib import suppress
from pathlib import Path

import pillow_heif
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageStat

from beagle.domain.errors import EmptyObjectError, ObjectGoneError, UnreadableMediaError, VerdictError
from beagle.media.child import Children
from beagle.media.stills import make_still
from media.stills.samples import Object, Sink, close, encode, natural, oriented

pillow_heif.register_heif_opener()
PICTURE = natural(800, 600)
SMALL = {
    kind: encode(natural(60, 40), kind)
    for kind in ("JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF", "AVIF", "HEIF")
}


def difference(one: Image.Image, other: Image.Image) -> float:
    """Return the mean difference of two images, in grey levels."""
    return max(ImageStat.Stat(ImageChops.difference(one.convert("RGB"), other.convert("RGB"))).mean)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_every_format_gets_the_same_thumbnail(children, sink, kind):
    """It fits into 356x200, is a JPEG, and shows the picture, whatever the format."""
    made = make_still(Object(encode(PICTURE, kind)), sink, children=children)
    thumbnail = sink.image()

    assert (made.width, made.height) == (800, 600)
    assert made.thumbnail_key == ".beagle/x/thumbnail.jpg"
    assert sink.types == {"thumbnail.jpg": "image/jpeg"}
    assert (thumbnail.format, thumbnail.size) == ("JPEG", (267, 200))
    assert difference(thumbnail, PICTURE.resize((267, 200))) < 6


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_thumbnails_stand_upright(children, sink, kind, orientation):
    """All eight EXIF orientations end with the red corner left above and the blue right below."""
    made = make_still(Object(oriented(kind, orientation, (600, 400))), sink, children=children)
    thumbnail = sink.image().convert("RGB")

    assert (made.width, made.height) == (600, 400)
    assert thumbnail.size == (300, 200)
    assert close(thumbnail.getpixel((10, 10)), (255, 0, 0), 30)
    assert close(thumbnail.getpixel((290, 190)), (0, 0, 255), 30)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "HEIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_stored_size_can_be_asked_for(children, sink, kind, orientation):
    """Then neither size nor thumbnail is turned, though some decoders turn by themselves."""
    data = oriented(kind, orientation, (600, 400))
    made = make_still(Object(data), sink, children=children, size="stored")
    is_sideways = orientation > 4 and kind != "HEIF"

    if kind != "HEIF":
        assert (made.width, made.height) == ((400, 600) if is_sideways else (600, 400))
    assert (made.width > made.height) == (sink.image().width > sink.image().height)


def test_a_turned_heic_stands_upright(children, sink):
    data = oriented("HEIF", 6, (600, 400))
    made = make_still(Object(data), sink, children=children)

    assert (made.width, made.height) == Image.open(io.BytesIO(data)).size
    assert (made.width > made.height) == (sink.image().width > sink.image().height)


@pytest.mark.parametrize("size", [(1, 1), (120, 80), (356, 200)])
def test_small_images_are_not_enlarged(children, sink, size):
    make_still(Object(encode(Image.new("RGB", size), "PNG")), sink, children=children)

    assert sink.image().size == size


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        ((4000, 10), (356, 1)),
        ((10, 4000), (1, 200)),
        ((712, 400), (356, 200)),
        ((1080, 1920), (113, 200)),
        ((1287, 620), (356, 171)),
    ],
)
def test_the_shape_is_kept(children, sink, size, shown):
    """To the pixel that ImageMagick rounds to, where V7's documentation takes it."""
    make_still(Object(encode(Image.new("RGB", size), "PNG")), sink, children=children)

    assert sink.image().size == shown


def test_progressive_jpeg_and_jfif_are_jpeg(children, sink):
    """Nothing depends on the object's name: the bytes say what they are."""
    make_still(Object(encode(PICTURE, "JPEG", progressive=True, dpi=(72, 72))), sink, children=children)

    assert difference(sink.image(), PICTURE.resize((267, 200))) < 6


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_an_animation_shows_its_first_frame(children, sink, kind):
    first, second = (Image.new("RGB", (400, 300), colour) for colour in ("red", "blue"))
    data = encode(first, kind, save_all=True, append_images=[second] * 5, duration=100)
    make_still(Object(data), sink, children=children)

    assert close(sink.image().convert("RGB").getpixel((50, 50)), (255, 0, 0))


def test_thumbnails_carry_no_metadata(children, sink):
    """Neither places nor names nor profiles of the original are copied into the preview."""
    exif = Image.Exif()
    exif[0x010E] = "taken at home"
    make_still(Object(encode(PICTURE, "JPEG", exif=exif, comment=b"secret")), sink, children=children)
    thumbnail = sink.image()

    assert not thumbnail.getexif()
    assert not {"comment", "icc_profile", "exif"} & set(thumbnail.info)


def test_small_objects_are_read_once(children, sink):
    """The header's read serves the decoder too."""
    source = Object(encode(Image.new("RGB", (90, 60)), "JPEG"))
    make_still(source, sink, children=children)

    assert len(source.reads) == 1


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF", "AVIF", "HEIF"])
@pytest.mark.parametrize("part", [0.3, 0.9])
def test_a_truncated_file_is_unreadable(children, sink, kind, part):
    data = encode(PICTURE, kind)

    with pytest.raises(UnreadableMediaError):
        make_still(Object(data[: int(len(data) * part)]), sink, children=children)
    assert not sink.kept


@pytest.mark.parametrize(
    "data",
    [b"<html><body>not found</body></html>", b"%PDF-1.7 " + bytes(99), b"\0\0\0\x18ftypmp42" + bytes(99)],
)
def test_a_file_that_is_no_image_is_unreadable(children, sink, data):
    with pytest.raises(UnreadableMediaError):
        make_still(Object(data), sink, children=children)


def test_a_file_damaged_in_its_middle_is_unreadable(children, sink):
    data = bytearray(encode(PICTURE, "PNG"))
    data[len(data) // 2 : len(data) // 2 + 50] = bytes(50)

    with pytest.raises(UnreadableMediaError):
        make_still(Object(bytes(data)), sink, children=children)


def test_a_large_photograph_takes_little_memory(sink):
    """A JPEG of 12 megapixels is decoded small: a child, interpreter and libraries included, under 40 MB."""
    with Children() as children:
        make_still(Object(encode(natural(4032, 3024), "JPEG")), sink, children=children)
        status = Path(f"/proc/{children._idle[0].id}/status").read_text()

    assert int(status.partition("VmHWM:")[2].split()[0]) < 40 * 1024


def test_photographs_of_several_pictures_show_the_first(children, sink):
    """Phones append depth maps and previews to a JPEG; the first picture is the image."""
    other = Image.new("RGB", (90, 90))
    made = make_still(
        Object(encode(PICTURE, "MPO", save_all=True, append_images=[other])), sink, children=children
    )

    assert (made.width, made.height) == (800, 600)
    assert difference(sink.image(), PICTURE.resize((267, 200))) < 6


@given(st.data(), st.sampled_from(["JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF", "AVIF", "HEIF"]))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damaged_files_end_in_a_thumbnail_or_a_verdict(children, data, kind):
    """Whatever bytes of a real file are changed: nothing else is raised, and nothing hangs."""
    damaged = bytearray(SMALL[kind])
    for _ in range(data.draw(st.integers(1, 12))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    with suppress(VerdictError):
        make_still(Object(bytes(damaged)), Sink(), children=children)


def test_an_object_without_bytes_is_empty(children, sink):
    with pytest.raises(EmptyObjectError):
        make_still(Object(b""), sink, children=children)


def test_an_object_that_is_gone_says_so_and_the_next_is_drawn(children, sink):
    """The child that waited for the bytes is renewed."""

    class Gone(Object):
        def read(self, start, length):
            if self.reads:
                raise ObjectGoneError("It was overwritten.")
            return super().read(start, length)

    data = encode(Image.effect_noise((500, 500), 90), "PNG")
    with pytest.raises(ObjectGoneError):
        make_still(Gone(data), sink, children=children)
    make_still(Object(data), sink, children=children)

    assert set(sink.kept) == {"thumbnail.jpg"}
