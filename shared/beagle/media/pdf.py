"""PDF for read-only storage: pages become sections.

Off by default: V7's documentation names the type and shows no example of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from beagle.domain.errors import EmptyObjectError, MediaTooLargeError, UnreadableMediaError
from beagle.media.converted import ConversionLimits, Converted, build_converted
from beagle.media.remember import Remembering
from beagle.media.uploads import Uploads

if TYPE_CHECKING:
    from beagle.media.child import Children
    from beagle.ports import ArtifactSink, Deadline, ObjectReader

_MARK = b"%PDF-"
_MARK_WITHIN = 1024
_LARGEST = 128 * 1024 * 1024
"""Bytes: the parser jumps about, so it is given the whole document in memory."""


def convert_pdf(  # noqa: PLR0913 - what, where to, with which bounds
    reader: ObjectReader,
    sink: ArtifactSink,
    *,
    children: Children,
    dpi: int = 150,
    limits: ConversionLimits | None = None,
    deadline: Deadline | None = None,
) -> Converted:
    """Draw each page at some dots per inch, as a section.

    Raises:
        VerdictError: It is locked or damaged, or too large.
        ServiceError: The store did not answer, or the time is over.

    """
    bounds = limits or ConversionLimits()
    if reader.size == 0:
        raise EmptyObjectError("The object has no bytes.")
    source = Remembering(reader)
    if _MARK not in source.read(0, _MARK_WITHIN):
        raise UnreadableMediaError("Its first bytes are no PDF's: it is damaged, or not what its name says.")
    if reader.size > _LARGEST:
        raise MediaTooLargeError(f"{reader.size} bytes are more than {_LARGEST}.", bytes=reader.size)
    arguments = {
        "pages": bounds.frames,
        "pixels": bounds.pixels,
        "pixels_in_all": bounds.pixels_in_all,
        "dpi": dpi,
    }
    with Uploads(sink) as uploads:
        drawn = children.run(
            "pdf", arguments, [source], uploads.put, seconds=bounds.seconds, deadline=deadline
        )
    return build_converted(drawn, sink)
