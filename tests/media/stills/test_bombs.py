"""Files whose headers ask for more than a machine has: refused before anything is decoded."""

import resource
import struct

import pytest
from PIL import Image

from beagle.domain.errors import MediaTooLargeError, VerdictError
from beagle.media.child import ChildLimits, Children
from beagle.media.stills import StillLimits, make_still
from media.stills.bombs import gif_bomb, png_bomb, tiff_bomb, webp_bomb
from media.stills.samples import Object, encode, natural

GIGABYTE = 1024 * 1024  # in the units of getrusage


@pytest.mark.parametrize("bomb", [png_bomb, tiff_bomb, gif_bomb, webp_bomb])
def test_a_bomb_is_refused_from_its_header(sink, bomb):
    """No child is even asked; this process and all its children stay under a gigabyte of memory."""
    sides = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    worst = {who: resource.getrusage(who).ru_maxrss for who in sides}
    source = Object(bomb())
    with Children(tasks="nothing.can.run") as children, pytest.raises(MediaTooLargeError) as caught:
        make_still(source, sink, children=children)

    assert caught.value.context["pixels"] >= 900_000_000
    assert source.reads == [(0, min(64 * 1024, source.size))]
    assert not sink.kept
    for who, before in worst.items():
        # What ran in this process before, such as Terraform's providers, may have taken more.
        assert resource.getrusage(who).ru_maxrss < GIGABYTE or resource.getrusage(who).ru_maxrss == before


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
