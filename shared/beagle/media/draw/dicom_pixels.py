"""DICOM's stored values as eight-bit grey or RGB, as a viewer shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image
from pydicom import Dataset
from pydicom.pixels.processing import apply_color_lut, apply_modality_lut

from beagle.domain.errors import UnsupportedMediaError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

Values = "NDArray[Any]"
Range = tuple[float, float]

_WHITE = 255
_BYTE = 8
_NEXT_TO_NOTHING = 1e-9
"""The range of a single value: what is above is white."""
_BAND = 1024 * 1024
"""Pixels that are worked on at once: floating-point copies of a whole mammogram do not fit."""
_GREY = frozenset({"MONOCHROME1", "MONOCHROME2"})
_COLOURS = frozenset({"RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT", "PALETTE COLOR"})
_GROUPS = ("PixelValueTransformationSequence", "FrameVOILUTSequence")
"""Where enhanced multi-frame objects keep, frame by frame, what others say once."""
_SHOWN_BY = (
    "BitsStored",
    "ModalityLUTSequence",
    "PixelPaddingValue",
    "PixelRepresentation",
    "RescaleIntercept",
    "RescaleSlope",
    "VOILUTFunction",
    "VOILUTSequence",
    "WindowCenter",
    "WindowWidth",
)
"""What decides how grey a stored value is."""
_PALETTES = ("RedPaletteColor", "GreenPaletteColor", "BluePaletteColor", "AlphaPaletteColor")
LOOKED_AT = (
    *_SHOWN_BY,
    "Columns",
    "Modality",
    "PerFrameFunctionalGroupsSequence",
    "PhotometricInterpretation",
    "Rows",
    "SharedFunctionalGroupsSequence",
    *(f"{palette}LookupTableDescriptor" for palette in _PALETTES),
    *(f"{palette}LookupTableData" for palette in _PALETTES),
    *(f"Segmented{palette}LookupTableData" for palette in _PALETTES),
)
"""All of a header that this module looks at."""


def require_kind(header: Dataset) -> None:
    """Refuse what is no image, or has colours that nobody writes any more.

    Raises:
        UnsupportedMediaError: It is one of these.

    """
    if not header.get("Rows") or not header.get("Columns"):
        raise UnsupportedMediaError(f"It holds no image: {header.get('Modality', 'no modality')}.")
    kind = header.get("PhotometricInterpretation")
    if kind not in _GREY | _COLOURS:
        raise UnsupportedMediaError(f"Its photometric interpretation is {kind}.")


def needs_range(header: Dataset, frames: int) -> bool:
    """Say whether one of its frames does not tell which of its values to show."""
    if header.PhotometricInterpretation not in _GREY:
        return False
    return any(_shows_its_range(_of_frame(header, index)) for index in range(frames))


def range_of(header: Dataset, frames: Iterable[NDArray[Any]]) -> Range:
    """Return the least and greatest value of the frames that do not tell which to show, without padding."""
    low, high = np.inf, -np.inf
    for index, frame in enumerate(frames):
        view = _of_frame(header, index)
        if not _shows_its_range(view):
            continue
        padding = view.get("PixelPaddingValue")
        for band in _bands(frame):
            known = band if padding is None else band[band != padding]
            if known.size:
                values = apply_modality_lut(known, view)
                low, high = min(low, float(values.min())), max(high, float(values.max()))
    return low, high


def show_frame(header: Dataset, index: int, frame: NDArray[Any], values: Range) -> Image.Image:
    """Return one frame as it is to be seen: windowed by its own header, else by the range of all values."""
    if header.PhotometricInterpretation in _GREY:
        view = _of_frame(header, index)
        grey = np.concatenate([_show_grey(band, view, values) for band in _bands(frame)])
        if header.PhotometricInterpretation == "MONOCHROME1":
            grey = _WHITE - grey
        return Image.fromarray(grey)
    bits = int(header.get("BitsStored", _BYTE))
    if header.PhotometricInterpretation == "PALETTE COLOR":
        frame = apply_color_lut(frame, header)
        bits = frame.dtype.itemsize * _BYTE
    return Image.fromarray((frame >> max(bits - _BYTE, 0)).astype(np.uint8)[..., :3])


def _show_grey(band: NDArray[Any], view: Dataset, values: Range) -> NDArray[np.uint8]:
    """Return grey values of eight bits; PS3.3 C.11 of the standard says how.

    https://dicom.nema.org/medical/dicom/current/output/chtml/part03/sect_C.11.2.html
    """
    deep = apply_modality_lut(band, view)
    if table := _table_of(view):
        words = "<u2" if view.file_meta.TransferSyntaxUID.is_little_endian else ">u2"
        deep, values = _look_up(deep, table, words)
    elif window := _window_of(view):
        centre, width = window
        match str(view.get("VOILUTFunction") or "LINEAR"):
            case "SIGMOID":
                # Beyond that all is black or white, and the exponential would overflow.
                far = np.clip((deep - centre) / width, -100, 100)
                deep, values = 1 / (1 + np.exp(-4 * far)), (0.0, 1.0)
            case "LINEAR_EXACT":
                values = centre - width / 2, centre + width / 2
            case _:
                values = centre - width / 2, centre + width / 2 - 1
    elif not _shows_its_range(view):
        values = 0.0, float((1 << int(view.get("BitsStored", _BYTE))) - 1)
    low, high = values
    scaled = (deep - low) * (_WHITE / ((high - low) or _NEXT_TO_NOTHING))
    return np.clip(np.rint(scaled), 0, _WHITE).astype(np.uint8)


def _look_up(deep: NDArray[Any], table: Dataset, words: str) -> tuple[NDArray[Any], Range]:
    """Return what a table shows instead, and the range of what it can show.

    pydicom's own function wraps around at tables of more entries than their bits can count.
    """
    count, first, bits = (int(value) for value in table.LUTDescriptor)
    data = table.LUTData
    shown = np.frombuffer(data, words) if isinstance(data, bytes) else np.asarray(data)
    at = np.clip(deep.astype(np.int64) - first, 0, (count or 1 << 16) - 1)
    return shown[at], (0.0, float((1 << bits) - 1))


def _table_of(view: Dataset) -> Dataset | None:
    """Return the first table, if it is whole."""
    for table in view.get("VOILUTSequence") or []:
        return table if table.get("LUTDescriptor") and table.get("LUTData") else None
    return None


def _window_of(view: Dataset) -> Range | None:
    """Return the first window's centre and width; one that the standard forbids is none."""
    centre, width = (_first(view.get(name)) for name in ("WindowCenter", "WindowWidth"))
    if centre is None or width is None:
        return None
    is_exact = view.get("VOILUTFunction") in {"LINEAR_EXACT", "SIGMOID"}
    return (centre, width) if width >= 1 or (is_exact and width > 0) else None


def _first(value: Any) -> float | None:  # noqa: ANN401 - a number, several, or nothing
    values = [value] if value is None or isinstance(value, (int, float)) else list(value)
    return float(values[0]) if values and values[0] is not None else None


def _shows_its_range(view: Dataset) -> bool:
    """Say whether nothing tells which values to show, and they are more than a screen's."""
    if _table_of(view) or _window_of(view):
        return False
    rescaling = view.get("RescaleSlope", 1), view.get("RescaleIntercept", 0)
    is_stored = not view.get("ModalityLUTSequence") and rescaling == (1, 0)
    return not (is_stored and view.get("BitsStored", 16) <= _BYTE and not view.get("PixelRepresentation"))


def _of_frame(header: Dataset, index: int) -> Dataset:
    """Return what the header says of one frame, apart from the header and from other frames."""
    shared = header.get("SharedFunctionalGroupsSequence") or []
    each = header.get("PerFrameFunctionalGroupsSequence") or []
    groups = (*shared[:1], *each[index : index + 1])
    inner = (item for group in groups for name in _GROUPS for item in group.get(name) or [])
    view = Dataset()
    view.file_meta = header.file_meta  # tables are in its byte order
    for source in (header, *inner):
        for name in _SHOWN_BY:
            if name in source and not source[name].is_empty:
                view[name] = source[name]
    return view


def _bands(frame: NDArray[Any]) -> Iterator[NDArray[Any]]:
    rows = max(_BAND // frame.shape[1], 1)
    for start in range(0, frame.shape[0], rows):
        yield frame[start : start + rows]
