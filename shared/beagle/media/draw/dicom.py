"""The images of a DICOM file, or of the files of a series."""

from __future__ import annotations

import math
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

from pydicom import Dataset, dcmread
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.utils import iter_pixels
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, JPEGExtended12Bit

from beagle.domain.errors import (
    MediaTooLargeError,
    UnreadableMediaError,
    UnsupportedMediaError,
    VerdictError,
)
from beagle.media.draw.dicom_pixels import LOOKED_AT, needs_range, range_of, require_kind, show_frame
from beagle.media.draw.guard import decoding
from beagle.media.draw.sections import Sections
from beagle.media.draw.thumbnail import draw_thumbnail, encode_png

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from beagle.media.draw.inside import Put
    from beagle.media.wire import Words

_NIFTI_MARKS = frozenset({b"n+1\0", b"ni1\0"})
_NIFTI_MARK_AT = 344
_BYTE = 8
_NUMBERS = ("SeriesNumber", "InstanceNumber", "SliceLocation")
_KEPT = (*LOOKED_AT, *_NUMBERS, "ImagePositionPatient", "NumberOfFrames")
"""All that is kept of a header: those of a long series, whole, would not fit into memory."""
_GZIP = b"\x1f\x8b"
_DECODERS = ("pillow", "pydicom", "gdcm")
"""What decodes, the first that can: GDCM brings older copies of what Pillow is made of."""


@dataclass(frozen=True, slots=True)
class _File:
    index: int
    name: str
    header: Dataset

    @property
    def frames(self) -> int:
        return max(int(self.header.get("NumberOfFrames") or 1), 1)

    @property
    def order(self) -> tuple[Any, ...]:
        position = self.header.get("ImagePositionPatient") or []
        return (
            *(_number(self.header.get(name)) for name in _NUMBERS),
            [_number(x) for x in position],
            self.name,
        )


def draw(files: Sequence[BinaryIO], put: Put, arguments: Words) -> Words:
    """Draw `image.png` of a single slice, else sections of all frames in the order of the series.

    Raises:
        VerdictError: A file cannot be decoded, or asks for more than allowed.

    """
    slices: list[_File] = []
    for index, name in enumerate(arguments["names"]):
        with _decoding(name, arguments["pixels"]):
            slices.append(_File(index, name, _read_header(files[index])))
    _require_bounds(slices, arguments)
    if not arguments["in_given_order"]:
        slices.sort(key=lambda file: file.order)
    values = _range_of_series(files, slices, arguments["pixels"])
    total = sum(file.frames for file in slices)
    sections = Sections(put, thumbnail_of=total // 2)
    for file in slices:
        with _decoding(file.name, arguments["pixels"]):
            drawn = 0
            for drawn, frame in enumerate(_frames(files, file), start=1):
                image = show_frame(file.header, drawn - 1, frame, values)
                if total == 1:
                    put("image.png", encode_png(image))
                    size = image.size
                    put("thumbnail.jpg", draw_thumbnail(image))
                    return {"single": size, "order": [file.name]}
                sections.add(image)
            if drawn != file.frames:
                raise UnreadableMediaError(f"Its header tells {file.frames} frames, and it holds {drawn}.")
    return {"sections": sections.sizes, "order": [file.name for file in slices]}


@contextmanager
def _decoding(name: str, pixels: int) -> Iterator[None]:
    """Turn a decoder's trouble within into a verdict, which names the file if that has a name."""
    try:
        with decoding("DICOM file", pixels=pixels):
            yield
    except VerdictError as error:
        if not name:
            raise
        raise type(error)(f"{name}: {error}", **error.context) from error


def _read_header(file: BinaryIO) -> Dataset:
    start = file.read(_NIFTI_MARK_AT + 4)
    if start[_NIFTI_MARK_AT:] in _NIFTI_MARKS or start.startswith(_GZIP):
        raise UnsupportedMediaError("NIfTI volumes are not converted.")
    file.seek(0)
    header = dcmread(file, stop_before_pixels=True, specific_tags=list(_KEPT))
    require_kind(header)
    syntax = header.file_meta.TransferSyntaxUID
    is_twelve_bit = syntax == JPEGExtended12Bit and header.get("BitsStored", _BYTE) > _BYTE
    if is_twelve_bit or _decoder_of(syntax) is None:
        raise UnsupportedMediaError(
            f"Its transfer syntax is {syntax.name}, which is not decoded.", syntax=str(syntax)
        )
    return header


def _decoder_of(syntax: UID) -> str | None:
    """Return the decoder's name as pydicom has it, empty where none is needed; None if there is none."""
    try:
        decoder = get_decoder(syntax)
    except NotImplementedError:
        return None
    if decoder.is_native:
        return ""
    return next((name for name in _DECODERS if name in decoder.available_plugins), None)


def _require_bounds(slices: Sequence[_File], arguments: Words) -> None:
    frames = pixels = 0
    for file in slices:
        size = file.header.Rows * file.header.Columns
        frames, pixels = frames + file.frames, pixels + size * file.frames
        with _decoding(file.name, arguments["pixels"]):
            if frames > arguments["frames"]:
                raise MediaTooLargeError(
                    f"With it there are {frames} frames, more than {arguments['frames']}.", frames=frames
                )
            if size > arguments["pixels"] or pixels > arguments["pixels_in_all"]:
                told = f"{file.frames} frames of {file.header.Columns} x {file.header.Rows} pixels"
                raise MediaTooLargeError(f"{told} are too many.", pixels=size)


def _range_of_series(files: Sequence[BinaryIO], slices: Sequence[_File], pixels: int) -> tuple[float, float]:
    """Return the range of all values for which no window is told, so that no slice flickers."""
    ranges = []
    for file in slices:
        with _decoding(file.name, pixels):
            if needs_range(file.header, file.frames):
                ranges.append(range_of(file.header, _frames(files, file)))
    low = min((low for low, _ in ranges), default=0.0)
    high = max((high for _, high in ranges), default=0.0)
    return (low, high) if math.isfinite(low) and math.isfinite(high) else (0.0, 0.0)


def _frames(files: Sequence[BinaryIO], file: _File) -> Iterator[NDArray[Any]]:
    """Yield the frames one by one; the next is read when it is asked for."""
    try:
        is_deflated = file.header.file_meta.TransferSyntaxUID == DeflatedExplicitVRLittleEndian
        source, decoder = files[file.index], _decoder_of(file.header.file_meta.TransferSyntaxUID)
        yield from iter_pixels(dcmread(source) if is_deflated else source, decoding_plugin=decoder or "")
    except NotImplementedError as error:
        raise UnsupportedMediaError(
            f"Its pixels are stored in a form that is not decoded: {error}"
        ) from error


def _number(value: object) -> float:
    """Return a header's number; what it does not tell comes last."""
    try:
        return float(str(value))
    except ValueError:
        return math.inf
