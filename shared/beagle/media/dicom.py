"""DICOM for read-only storage: slices become images, volumes and series become sections.

Off by default: V7's documentation says that read-only storage holds no DICOM.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from beagle.domain.errors import EmptyObjectError, MediaTooLargeError
from beagle.media.converted import ConversionLimits, Converted, build_converted
from beagle.media.uploads import Uploads

if TYPE_CHECKING:
    from collections.abc import Sequence

    from beagle.media.child import Children
    from beagle.ports import ArtifactSink, Deadline, ObjectReader


def convert_dicom(
    reader: ObjectReader,
    sink: ArtifactSink,
    *,
    children: Children,
    limits: ConversionLimits | None = None,
    deadline: Deadline | None = None,
) -> Converted:
    """Draw one file: a single slice as a PNG that takes its place, several frames as sections.

    Raises:
        VerdictError: It is damaged, too large, no image, or of a transfer syntax that is not decoded.
        ServiceError: The store did not answer, or the time is over.

    """
    return convert_series([("", reader)], sink, children=children, limits=limits, deadline=deadline)


def convert_series(  # noqa: PLR0913 - what a conversion is told
    files: Sequence[tuple[str, ObjectReader]],
    sink: ArtifactSink,
    *,
    children: Children,
    in_given_order: bool = False,
    limits: ConversionLimits | None = None,
    deadline: Deadline | None = None,
) -> Converted:
    """Draw the named files of a series as the sections of one item; errors name the file that is to blame.

    They stand in the order of SeriesNumber, InstanceNumber, SliceLocation, ImagePositionPatient and name,
    unless the given order is to stay. Raises as `convert_dicom` does.
    """
    bounds = limits or ConversionLimits()
    for name, reader in files:
        if reader.size == 0:
            raise EmptyObjectError(f"{name or 'The object'} has no bytes.")
    if len(files) > bounds.frames:
        raise MediaTooLargeError(f"{len(files)} files are more than {bounds.frames}.", frames=len(files))
    total = sum(reader.size for _, reader in files)
    if total > bounds.bytes_in_all:
        raise MediaTooLargeError(
            f"{total:,} bytes of {len(files)} files are more than {bounds.bytes_in_all:,}.", size=total
        )
    arguments = {
        "names": [name for name, _ in files],
        "in_given_order": in_given_order,
        "frames": bounds.frames,
        "pixels": bounds.pixels,
        "pixels_in_all": bounds.pixels_in_all,
    }
    readers = [reader for _, reader in files]
    with Uploads(sink) as uploads:
        drawn = children.run(
            "dicom", arguments, readers, uploads.put, seconds=bounds.seconds, deadline=deadline
        )
    return build_converted(drawn, sink)
