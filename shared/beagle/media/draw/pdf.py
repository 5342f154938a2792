"""The pages of a PDF as images."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, BinaryIO

import pypdfium2  # type: ignore[import-untyped] # it brings no types
from pypdfium2 import raw

from beagle.domain.errors import MediaTooLargeError, UnreadableMediaError, UnsupportedMediaError
from beagle.media.draw.guard import decoding
from beagle.media.draw.sections import Sections

if TYPE_CHECKING:
    from collections.abc import Sequence

    from beagle.media.draw.inside import Put
    from beagle.media.wire import Words

_POINTS_PER_INCH = 72
_LOCKED = frozenset({raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY})


def draw(files: Sequence[BinaryIO], put: Put, arguments: Words) -> Words:
    """Draw a section of each page, annotations included, and the thumbnail of the first.

    A page that would have too many pixels at the asked resolution is drawn at a lower one.

    Raises:
        VerdictError: It is locked or damaged, or has too many pages.

    """
    with decoding("PDF", pixels=arguments["pixels"]):
        document = _open(files[0].read())
        try:
            if len(document) > arguments["pages"]:
                raise MediaTooLargeError(
                    f"{len(document)} pages are more than {arguments['pages']}.", pages=len(document)
                )
            if len(document) == 0:
                raise UnreadableMediaError("It has no pages.")
            _require_few_pixels(document, arguments)
            document.init_forms()
            sections = Sections(put, thumbnail_of=0)
            for page in document:
                scale = _scale(page.get_width() * page.get_height(), arguments)
                bitmap = page.render(scale=scale, rev_byteorder=True)
                sections.add(bitmap.to_pil().convert("RGB"))
                bitmap.close()
                page.close()
        finally:
            document.close()
    return {"sections": sections.sizes}


def _open(data: bytes) -> pypdfium2.PdfDocument:
    try:
        return pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if getattr(error, "err_code", None) in _LOCKED:
            raise UnsupportedMediaError("It is locked with a password.") from error
        raise


def _require_few_pixels(document: pypdfium2.PdfDocument, arguments: Words) -> None:
    sizes = (document.get_page_size(index) for index in range(len(document)))
    pages = [width * height for width, height in sizes]
    total = round(sum(points * _scale(points, arguments) ** 2 for points in pages))
    most = arguments["pixels_in_all"]
    if total > most:
        raise MediaTooLargeError(
            f"{len(pages)} pages have {total:,} pixels in all, more than {most:,}.", pixels=total
        )


def _scale(square_points: float, arguments: Words) -> float:
    wanted = arguments["dpi"] / _POINTS_PER_INCH
    return float(min(wanted, math.sqrt(arguments["pixels"] / max(square_points, 1.0))))
