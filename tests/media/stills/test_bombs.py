"""Files whose headers ask for more than a machine has: refused before anything is decoded."""

import resource
import struct
import zlib

import pytest
from PIL import Image

from beagle.domain.errors import MediaTooLargeError, VerdictError
from beagle.media.child import ChildLimits, Children
from beagle.media.stills import StillLimits, make_still
from media.stills.samples import Object, encode, natural

GIGABYTE = 1024 * 1024  # in the units of getrusage


def png_bomb() -> bytes:
    """Return 30,000 x 30,000 pixels in less than a megabyte."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    packer = zlib.compressobj(9)
    rows = b"".join(packer.compress(bytes(30_001)) for _ in range(30_000)) + packer.flush()
    head = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def tiff_bomb() -> bytes:
    """Return a directory that claims 60,000 x 60,000 pixels in one strip of nothing."""
    entries = [(256, 60_000), (257, 60_000), (258, 8), (259, 8), (262, 1), (273, 8), (278, 60_000), (279, 9)]
    body = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries)
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + body + bytes(64)


def gif_bomb() -> bytes:
    """Return a canvas of 65,535 x 65,535 with a frame of a few bytes."""
    head = b"GIF89a" + struct.pack("<HH", 65_535, 65_535) + b"\x80\0\0" + bytes(6)
    return head + b"," + struct.pack("<HHHH", 0, 0, 65_535, 65_535) + b"\0\x02\x02D\x01\0;"


def webp_bomb() -> bytes:
    """Return a canvas of 16 million x 16 million."""
    body = b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + b"\xff" * 6
    return b"RIFF" + struct.pack("<I", len(body)) + body + bytes(50)


@pytest.mark.parametrize("bomb", [png_bomb, tiff_bomb, gif_bomb, webp_bomb])
def test_a_bomb_is_refused_from_its_header(sink, bomb):
    """No child is even asked; this process and all its children stay under a gigabyte of memory."""
    source = Object(bomb())
    with Children(tasks="nothing.can.run") as children, pytest.raises(MediaTooLargeError) as caught:
        make_still(source, sink, children=children)

    assert caught.value.context["pixels"] >= 900_000_000
    assert source.reads == [(0, min(64 * 1024, source.size))]
    assert not sink.kept
    for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
        assert resource.getrusage(who).ru_maxrss < GIGABYTE


def test_the_bounds_can_be_set(children, sink):
    data = encode(natural(400, 300), "JPEG")
    with pytest.raises(MediaTooLargeError):
        make_still(Object(data), sink, children=children, limits=StillLimits(pixels=119_999))
    make_still(Object(data), sink, children=children, limits=StillLimits(pixels=120_000))

    assert sink.kept


def test_formats_that_take_more_memory_are_refused_at_fewer_pixels(children, sink):
    """A progressive JPEG holds all its coefficients; one that is not is decoded small."""
    limits = StillLimits(memory=300_000)
    plain, progressive = (encode(natural(400, 300), "JPEG", progressive=p) for p in (False, True))
    make_still(Object(plain), sink, children=children, limits=limits)

    with pytest.raises(MediaTooLargeError):
        make_still(Object(progressive), sink, children=children, limits=limits)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP", "GIF"])
def test_a_child_without_memory_says_so(sink, kind):
    """Should an image pass its bounds and need more all the same, the child's own limit holds."""
    with Children(ChildLimits(memory=80 * 1024 * 1024)) as children, pytest.raises(MediaTooLargeError):
        make_still(Object(encode(Image.new("RGB", (6000, 5000)), kind)), sink, children=children)


def test_a_header_that_lies_about_the_pixels_meets_the_decoders_bound(children, sink):
    """A second frame header asks for 65,000 x 65,000: no more is decoded than was allowed."""
    data = encode(natural(400, 300), "JPEG")
    at = data.index(b"\xff\xc0")
    frame = bytearray(data[at : at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")])
    frame[5:9] = struct.pack(">HH", 65_000, 65_000)
    with pytest.raises(VerdictError):
        make_still(
            Object(data[:at] + data[at : at + len(frame)] + bytes(frame) + data[at:]), sink, children=children
        )
