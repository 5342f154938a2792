"""PDF pages as sections."""

import io

import pypdfium2
import pytest
from PIL import Image

from beagle.domain.errors import MediaTooLargeError, UnreadableMediaError, UnsupportedMediaError
from beagle.domain.items import SectionsArtifacts
from beagle.media.converted import ConversionLimits
from beagle.media.pdf import convert_pdf
from media.stills.samples import Object, close, encode


def document(*sizes: tuple[int, int]) -> Object:
    """Return a PDF with a page of each size, in points; pages are red, then blue, in turns."""
    pages = [Image.new("RGB", size, ("red", "blue")[index % 2]) for index, size in enumerate(sizes)]
    return Object(encode(pages[0], "PDF", save_all=True, append_images=pages[1:], resolution=72))


def locked() -> Object:
    """Return a document whose encryption no empty password opens."""
    plain = document((100, 100)).data
    marker = plain.rindex(b"trailer")
    lock = (
        b"/Encrypt <</Filter/Standard/V 1/R 2/P -4/O<" + b"41" * 32 + b">/U<" + b"42" * 32 + b">>>"
        b"/ID[<00><00>]"
    )
    at = plain.index(b"<<", marker) + 2
    return Object(plain[:at] + lock + plain[at:])


def test_every_page_becomes_a_section(children, sink):
    """At 72 dots per inch a point is a pixel; the first page is the thumbnail."""
    converted = convert_pdf(document((600, 800), (500, 300)), sink, children=children, dpi=72)

    assert converted.storage_name is None
    assert isinstance(converted.artifacts, SectionsArtifacts)
    assert [(section.width, section.height) for section in converted.artifacts.sections] == [
        (600, 800),
        (500, 300),
    ]
    assert sink.image().size == (150, 200)
    assert close(sink.image("sections/high/000000000.png").getpixel((9, 9)), (255, 0, 0))
    assert close(sink.image("sections/low/000000001.jpg").getpixel((9, 9)), (0, 0, 255))


def test_pages_are_drawn_at_the_asked_resolution(children, sink):
    convert_pdf(document((100, 200)), sink, children=children, dpi=144)

    assert sink.image("sections/high/000000000.png").size == (200, 400)


def test_a_huge_page_is_drawn_smaller(children, sink):
    """A poster has no exact size in pixels: it is drawn within the bound rather than refused."""
    empty = pypdfium2.PdfDocument.new()
    empty.new_page(14_000, 14_000)
    convert_pdf(
        Object(saved(empty)), sink, children=children, dpi=600, limits=ConversionLimits(pixels=1_000_000)
    )
    width, height = sink.image("sections/high/000000000.png").size

    assert 900_000 < width * height < 1_010_000


def saved(pdf: pypdfium2.PdfDocument) -> bytes:
    """Return a document's bytes."""
    out = io.BytesIO()
    pdf.save(out)
    return out.getvalue()


def test_too_many_pages_are_refused(children, sink):
    with pytest.raises(MediaTooLargeError):
        convert_pdf(document(*[(9, 9)] * 5), sink, children=children, limits=ConversionLimits(frames=4))

    assert not sink.kept


def test_more_pixels_than_an_invocation_could_draw_are_refused_before_any_is_drawn(children, sink):
    """Of all pages together, at the size at which they would be drawn."""
    ten, limits = [(72, 72)] * 10, ConversionLimits(pixels_in_all=10 * 150**2)
    convert_pdf(document(*ten), sink, children=children, limits=limits)
    sink.kept.clear()
    with pytest.raises(MediaTooLargeError, match="247,500 pixels in all, more than 225,000"):
        convert_pdf(document(*ten, (72, 72)), sink, children=children, limits=limits)

    assert not sink.kept


def test_a_locked_document_is_unsupported(children, sink):
    with pytest.raises(UnsupportedMediaError, match="password"):
        convert_pdf(locked(), sink, children=children)


@pytest.mark.parametrize("data", [b"%PDF-1.7 and nothing more", b"<html>no</html>", b"%PDF-" + bytes(5000)])
def test_a_damaged_document_is_unreadable(children, sink, data):
    with pytest.raises(UnreadableMediaError):
        convert_pdf(Object(data), sink, children=children)
