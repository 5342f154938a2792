"""Colours of thumbnails: sRGB, on white, eight bits without clipping."""

import struct
import zlib

import pytest
from PIL import Image, ImageCms

from beagle.domain.errors import UnsupportedMediaError
from beagle.media.stills import make_still
from media.stills.samples import Object, close, encode

SIZE = (64, 48)


def wide_gamut() -> bytes:
    """Return a profile with the primaries of Display P3 and a gamma of 2.2."""

    def s15(value):
        return struct.pack(">i", round(value * 65536))

    columns = {
        b"rXYZ": (0.51512, 0.2412, -0.00105),
        b"gXYZ": (0.29198, 0.69225, 0.04189),
        b"bXYZ": (0.1571, 0.06657, 0.78407),
    }
    tags = {name: b"XYZ " + bytes(4) + b"".join(map(s15, xyz)) for name, xyz in columns.items()}
    tags[b"wtpt"] = b"XYZ " + bytes(4) + b"".join(map(s15, (0.9642, 1.0, 0.8249)))
    for name in (b"rTRC", b"gTRC", b"bTRC"):
        tags[name] = b"curv" + bytes(4) + struct.pack(">IH", 1, round(2.2 * 256)) + bytes(2)
    tags[b"desc"] = b"desc" + bytes(4) + struct.pack(">I", 5) + b"wide\0" + bytes(79)
    tags[b"cprt"] = b"text" + bytes(4) + b"none\0" + bytes(3)
    table, body, at = b"", b"", 128 + 4 + 12 * len(tags)
    for name, data in tags.items():
        padded = data + bytes(-len(data) % 4)
        table += name + struct.pack(">II", at + len(body), len(data))
        body += padded
    head = bytearray(128)
    head[0:4] = struct.pack(">I", at + len(body))
    head[8:24] = b"\x02\x10\0\0mntrRGB XYZ "
    head[36:40] = b"acsp"
    head[68:80] = b"".join(map(s15, (0.9642, 1.0, 0.8249)))
    return bytes(head) + struct.pack(">I", len(tags)) + table + body


def png(depth: int, colour: tuple[int, ...], transparent: tuple[int, ...]) -> bytes:
    """Return a PNG of one colour, with the transparent colour that it tells; Pillow writes neither depth."""
    width, height = SIZE
    bits = "".join(f"{value:0{depth}b}" for value in colour) * width
    row = b"\0" + int(bits, 2).to_bytes(len(bits) // 8, "big")
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, depth, 0 if len(colour) == 1 else 2, 0, 0, 0)),
        *([(b"tRNS", struct.pack(f">{len(transparent)}H", *transparent))] if transparent else []),
        (b"IDAT", zlib.compress(row * height)),
        (b"IEND", b""),
    ]
    sealed = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(sealed)


def colour_of(children, sink, data: bytes) -> tuple[int, ...]:
    """Return the colour in the middle of the thumbnail."""
    make_still(Object(data), sink, children=children)
    image = sink.image().convert("RGB")
    return image.getpixel((image.width // 2, image.height // 2))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP", "AVIF"])
def test_wide_gamut_becomes_srgb(children, sink, kind):
    """A colour of Display P3's primaries becomes what arithmetic says it is in sRGB."""
    data = encode(Image.new("RGB", SIZE, (200, 100, 50)), kind, icc_profile=wide_gamut())

    assert close(colour_of(children, sink, data), expected_srgb((200, 100, 50)), 8)


def expected_srgb(colour: tuple[int, int, int]) -> tuple[int, ...]:
    """Return the sRGB colour by arithmetic: linear light, the two matrices, sRGB's curve."""
    linear = [(value / 255) ** 2.2 for value in colour]
    p3_to_srgb = [(1.2249, -0.2247, 0.0), (-0.0420, 1.0419, 0.0), (-0.0197, -0.0786, 1.0979)]
    mixed = [sum(a * b for a, b in zip(row, linear, strict=True)) for row in p3_to_srgb]
    curved = [12.92 * v if v <= 0.0031308 else 1.055 * v ** (1 / 2.4) - 0.055 for v in mixed]
    return tuple(round(255 * min(max(v, 0.0), 1.0)) for v in curved)


def test_a_broken_profile_is_ignored(children, sink):
    data = encode(Image.new("RGB", SIZE, (200, 100, 50)), "JPEG", icc_profile=b"no profile" * 30)

    assert close(colour_of(children, sink, data), (200, 100, 50))


def test_a_profile_of_other_colours_is_ignored(children, sink):
    """A profile for RGB in a CMYK file says nothing about it."""
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = encode(Image.new("CMYK", SIZE, (0, 255, 255, 0)), "JPEG", icc_profile=srgb)

    assert close(colour_of(children, sink, data), (255, 0, 0))


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
@pytest.mark.parametrize(("value", "grey"), [(0, 0), (32768, 128), (65535, 255), (2570, 10)])
def test_16_bit_grey_is_scaled_not_clipped(children, sink, kind, value, grey):
    data = encode(Image.new("I;16", SIZE, value), kind)

    assert close(colour_of(children, sink, data), (grey,) * 3, 3)


def test_16_bit_grey_of_the_other_endianness_is_scaled(children, sink):
    assert close(colour_of(children, sink, encode(Image.new("I;16B", SIZE, 32768), "TIFF")), (128,) * 3, 3)


@pytest.mark.parametrize("mode", ["I", "F"])
def test_32_bit_grey_spans_from_its_darkest_to_its_brightest(children, sink, mode):
    image = Image.new(mode, SIZE, 1_000_000)
    image.paste(3_000_000, (0, 0, 64, 8))
    image.paste(2_000_000, (16, 16, 64, 48))

    assert close(colour_of(children, sink, encode(image, "TIFF")), (128,) * 3, 6)


def test_grey_that_is_no_number_is_unsupported(children, sink):
    with pytest.raises(UnsupportedMediaError):
        make_still(Object(encode(Image.new("F", SIZE, float("nan")), "TIFF")), sink, children=children)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF", "AVIF"])
def test_what_is_transparent_is_white(children, sink, kind):
    """The colour hidden below full transparency does not show."""
    options = {"exact": True} if kind == "WEBP" else {}
    data = encode(Image.new("RGBA", SIZE, (255, 0, 0, 0)), kind, **options)

    assert close(colour_of(children, sink, data), (255, 255, 255))


def test_half_transparent_is_blended_with_white(children, sink):
    data = encode(Image.new("RGBA", SIZE, (0, 0, 0, 128)), "PNG")

    assert close(colour_of(children, sink, data), (127, 127, 127))


@pytest.mark.parametrize("mode", ["LA", "PA"])
def test_grey_and_palettes_with_alpha_are_on_white(children, sink, mode):
    data = encode(Image.new("RGBA", SIZE, (9, 9, 9, 0)).convert(mode), "PNG" if mode == "LA" else "TIFF")

    assert close(colour_of(children, sink, data), (255, 255, 255))


@pytest.mark.parametrize("kind", ["PNG", "GIF"])
def test_a_transparent_palette_entry_is_white(children, sink, kind):
    image = Image.new("P", SIZE, 1)
    image.putpalette([0, 0, 255, 255, 0, 0])

    assert close(colour_of(children, sink, encode(image, kind, transparency=1)), (255, 255, 255))


def test_a_transparent_colour_of_a_png_is_white(children, sink):
    data = encode(Image.new("RGB", SIZE, (1, 2, 3)), "PNG", transparency=(1, 2, 3))

    assert close(colour_of(children, sink, data), (255, 255, 255))


@pytest.mark.parametrize(
    ("depth", "colour", "shown"),
    [
        (1, (1,), 255), (2, (1,), 85), (4, (5,), 85), (8, (85,), 85),
        (16, (21930,), 85), (16, (0,), 0), (16, (65535,), 255),
        (8, (85, 85, 85), 85), (16, (21930, 21930, 21930), 85), (16, (0, 0, 255), 0),
    ],
)  # fmt: skip
def test_a_transparent_colour_of_any_depth_is_white(children, sink, depth, colour, shown):
    """Grey of 1 to 16 bits, colours of 8 and 16; the same colour shows where nothing makes it transparent."""
    hidden, seen = (png(depth, colour, transparent) for transparent in (colour, ()))

    assert colour_of(children, sink, hidden) == (255, 255, 255)
    assert close(colour_of(children, sink, seen), (shown,) * 3, 3)


@pytest.mark.parametrize("other", [(21931,), (21929,), (21930 + 256,)])
def test_neighbours_of_a_transparent_grey_of_16_bits_show(children, sink, other):
    """The mask is made of all 16 bits: only one of 65,536 values is hidden."""
    assert close(colour_of(children, sink, png(16, other, (21930,))), (85, 85, 85), 3)


@pytest.mark.parametrize("kind", ["PNG", "GIF"])
def test_palettes_keep_their_colours(children, sink, kind):
    image = Image.new("P", SIZE, 1)
    image.putpalette([0, 0, 255, 250, 128, 10])

    assert close(colour_of(children, sink, encode(image, kind)), (250, 128, 10))


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
@pytest.mark.parametrize(
    ("ink", "shown"),
    [((0, 0, 0, 0), (255, 255, 255)), ((255, 0, 0, 0), (0, 255, 255)), ((0, 0, 0, 255), (0, 0, 0))],
)
def test_cmyk_is_no_negative(children, sink, kind, ink, shown):
    """JPEG stores inks inverted, as Adobe does, TIFF does not; both show paper white."""
    assert close(colour_of(children, sink, encode(Image.new("CMYK", SIZE, ink), kind)), shown)


def test_black_and_white_is_both(children, sink):
    image = Image.new("1", SIZE, 1)

    assert colour_of(children, sink, encode(image, "PNG")) == (255, 255, 255)
    assert colour_of(children, sink, encode(Image.new("1", SIZE, 0), "TIFF")) == (0, 0, 0)


def test_lab_is_shown(children, sink):
    """TIFF may hold CIELAB: full lightness without colour is white."""
    data = encode(Image.new("LAB", SIZE, (255, 128, 128)), "TIFF")

    assert close(colour_of(children, sink, data), (255, 255, 255))
