"""What `read_size` tells of real files, and of bytes that mean harm."""

import io
import struct
import zlib

import pillow_heif
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from beagle.media.headers import read_size
from beagle.media.headers.window import MOST_READS
from media.stills.samples import Object, encode, natural, oriented

pillow_heif.register_heif_opener()

IMAGE = natural(123, 77)
FILES = {
    "jpeg": encode(IMAGE, "JPEG"),
    "progressive jpeg": encode(IMAGE, "JPEG", progressive=True),
    "grey jpeg": encode(IMAGE.convert("L"), "JPEG"),
    "png": encode(IMAGE, "PNG"),
    "palette png": encode(IMAGE.quantize(16), "PNG"),
    "16-bit png": encode(IMAGE.convert("L").convert("I").convert("I;16"), "PNG"),
    "gif": encode(IMAGE, "GIF"),
    "bmp": encode(IMAGE, "BMP"),
    "lossy webp": encode(IMAGE, "WEBP", quality=50),
    "lossless webp": encode(IMAGE, "WEBP", lossless=True),
    "webp with alpha": encode(IMAGE.convert("RGBA"), "WEBP", exact=True, icc_profile=b"x" * 200),
    "animated webp": encode(IMAGE, "WEBP", save_all=True, append_images=[IMAGE.rotate(9)]),
    "tiff": encode(IMAGE, "TIFF"),
    "packed tiff": encode(IMAGE, "TIFF", compression="tiff_lzw"),
    "big tiff": encode(IMAGE, "TIFF", big_tiff=True),
    "16-bit tiff": encode(IMAGE.convert("L").convert("I").convert("I;16"), "TIFF"),
    "big-endian tiff": encode(Image.new("I;16B", (123, 77)), "TIFF"),
    "avif": encode(IMAGE, "AVIF"),
    "heic": encode(IMAGE, "HEIF"),
}


@pytest.mark.parametrize("kind", FILES)
def test_sizes_are_those_that_the_decoder_finds(kind):
    size = read_size(Object(FILES[kind]))

    assert size is not None
    assert (size.width, size.height) == (123, 77)
    assert (size.width, size.height) == Image.open(io.BytesIO(FILES[kind])).size


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_read(kind, orientation):
    """Width and height are those of the upright image, as Pillow has them after turning it."""
    data = oriented(kind, orientation)
    size = read_size(Object(data))

    assert size is not None
    assert size.orientation == orientation
    assert (size.width, size.height) == ImageOps.exif_transpose(Image.open(io.BytesIO(data))).size == (60, 40)


def test_heic_tells_the_turned_size():
    turned = oriented("HEIF", 6)
    size = read_size(Object(turned))

    assert size is not None
    assert (size.width, size.height) == Image.open(io.BytesIO(turned)).size


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (65, 63), (127, 33)])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_odd_and_tiny_sizes_are_exact(kind, shape):
    """Formats that work in blocks of 8, 16 or 64 pixels do not round."""
    size = read_size(Object(encode(Image.new("RGB", shape), kind)))

    assert size is not None
    assert (size.width, size.height) == shape


def test_a_bmp_with_rows_from_the_top_has_a_positive_height():
    data = bytearray(encode(IMAGE, "BMP"))
    data[22:26] = struct.pack("<i", -77)

    size = read_size(Object(bytes(data)))

    assert size is not None
    assert size.height == 77


def test_browsers_ignore_some_orientations_and_so_do_we():
    """Chromium was seen to ignore EXIF in WebP, EXIF behind a PNG's pixels, and XMP."""
    png = oriented("PNG", 6)
    at = png.index(b"eXIf") - 4
    chunk = png[at : at + 12 + int.from_bytes(png[at : at + 4], "big")]
    late = png.replace(chunk, b"")
    late = late[:-12] + chunk + late[-12:]
    xmp = b'<x:xmpmeta><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'

    for data in (oriented("WEBP", 6), late, encode(IMAGE, "JPEG", xmp=xmp)):
        size = read_size(Object(data))
        assert size is not None
        assert size.orientation == 1


def test_one_ranged_read_is_enough_for_most_files():
    for data in FILES.values():
        padded = Object(data + bytes(1024 * 1024))
        read_size(padded)

        assert padded.reads[0] == (0, 64 * 1024)
        if not data.startswith((b"II", b"MM")):
            assert len(padded.reads) == 1


def test_fat_metadata_is_jumped_over():
    """A JPEG with 900 kB of profile before its frame header costs a few reads, not the whole."""
    data = encode(IMAGE, "JPEG", icc_profile=bytes(900_000)) + bytes(20_000_000)
    source = Object(data)
    size = read_size(source)

    assert size is not None
    assert size.width == 123
    assert len(source.reads) < 8
    assert sum(length for _, length in source.reads) < 2_000_000


def test_a_directory_at_the_end_of_a_tiff_costs_two_reads():
    head = b"II*\0" + struct.pack("<I", 30_000_000)
    entries = [(256, 4, 1, 4000), (257, 4, 1, 3000), (274, 3, 1, 8)]
    directory = struct.pack("<H", 3) + b"".join(struct.pack("<HHII", *entry) for entry in entries) + bytes(4)
    source = Object(head.ljust(30_000_000, b"\0") + directory)
    size = read_size(source)

    assert size is not None
    assert (size.width, size.height) == (3000, 4000)
    assert len(source.reads) == 2


@pytest.mark.parametrize("data", [b"", b"\xff\xd8\xff", b"%PDF-1.4" + bytes(99), b"<html>" * 40, bytes(5000)])
def test_what_is_no_image_has_no_size(data):
    assert read_size(Object(data)) is None


def test_boxes_chunks_and_markers_without_end_are_given_up():
    """Headers that lead on and on cost a bounded number of reads, whatever they claim."""
    chunk = struct.pack(">I", 0) + b"tEXt" + struct.pack(">I", zlib.crc32(b"tEXt"))
    marches = [
        FILES["png"][:33] + chunk * 900_000,
        b"\xff\xd8" + b"\xff\xe5\x00\x02" * 2_000_000,
        b"\xff\xd8" + b"\xff" * 9_000_000,
        FILES["avif"][:24].ljust(32, b"\0") + b"\0\0\0\x08free" * 900_000,
        b"GIF89a\1\0\1\0\0\0\0" + b"!\xfe\1x\0" * 900_000,
    ]
    for data in marches:
        source = Object(data)

        assert read_size(source) is None
        assert len(source.reads) <= MOST_READS


@given(st.binary(max_size=300), st.sampled_from(sorted(FILES)))
@settings(max_examples=300, deadline=None)
def test_random_bytes_behind_any_beginning_never_crash(tail, kind):
    for kept in (4, 12, 26, 60):
        source = Object(FILES[kind][:kept] + tail)
        read_size(source)

        assert len(source.reads) <= MOST_READS


@given(st.data(), st.sampled_from(sorted(FILES)))
@settings(max_examples=400, deadline=None)
def test_damaged_files_never_crash(data, kind):
    """Some bytes of a real file changed, or its end missing: a size, or none, and few reads."""
    damaged = bytearray(FILES[kind])
    for _ in range(data.draw(st.integers(1, 8))):
        damaged[data.draw(st.integers(0, min(len(damaged), 700) - 1))] = data.draw(st.integers(0, 255))
    source = Object(bytes(damaged[: data.draw(st.integers(0, len(damaged)))]))
    read_size(source)

    assert len(source.reads) <= MOST_READS
