"""DICOM's stored values as eight-bit grey or RGB, as a viewer shows them."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image
from pydicom.pixels.processing import apply_color_lut, apply_modality_lut, apply_voi_lut

from beagle.domain.errors import UnsupportedMediaError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray
    from pydicom import Dataset

Values = "NDArray[Any]"
Range = tuple[float, float]

_WHITE = 255
_BYTE = 8
_BAND = 1024 * 1024
"""Pixels that are worked on at once: floating-point copies of a whole mammogram do not fit."""
_GREY = frozenset({"MONOCHROME1", "MONOCHROME2"})
_COLOURS = frozenset({"RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT", "PALETTE COLOR"})
_GROUPS = ("PixelValueTransformationSequence", "FrameVOILUTSequence")
"""Where enhanced multi-frame objects keep, frame by frame, what others say once."""


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


def needs_range(header: Dataset) -> bool:
    """Say whether it has deep grey values, and no window that says which of them to show."""
    view = _of_frame(header, 0)
    is_grey = header.PhotometricInterpretation in _GREY
    return is_grey and not _has_window(view) and header.get("BitsStored", 16) > _BYTE


def range_of(header: Dataset, frames: Iterable[NDArray[Any]]) -> Range:
    """Return the least and greatest value of all frames, padding not counted."""
    padding = header.get("PixelPaddingValue")
    low, high = np.inf, -np.inf
    for index, frame in enumerate(frames):
        view = _of_frame(header, index)
        for band in _bands(frame):
            known = band if padding is None else band[band != padding]
            if known.size:
                values = apply_modality_lut(known, view)
                low, high = min(low, float(values.min())), max(high, float(values.max()))
    return low, high


def show_frame(header: Dataset, index: int, frame: NDArray[Any], values: Range | None) -> Image.Image:
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


def _show_grey(band: NDArray[Any], view: Dataset, values: Range | None) -> NDArray[np.uint8]:
    deep = apply_modality_lut(band, view)
    if _has_window(view):
        low, high = 0.0, float(_WHITE)
        if view.get("VOILUTSequence"):
            high = float((1 << int(view.VOILUTSequence[0].LUTDescriptor[2])) - 1)
        deep = apply_voi_lut(deep, _eight_bit(view))
    elif values is not None:
        low, high = values
    else:
        low, high = 0.0, float((1 << int(view.get("BitsStored", _BYTE))) - 1)
    scaled = (deep - low) * (_WHITE / ((high - low) or 1.0))
    return np.clip(np.rint(scaled), 0, _WHITE).astype(np.uint8)


def _eight_bit(view: Dataset) -> Dataset:
    """Return the window alone, so that what it shows lies between 0 and 255."""
    window = copy.copy(view)
    for name in ("RescaleSlope", "RescaleIntercept", "ModalityLUTSequence"):
        if name in window:
            del window[name]
    window.BitsStored, window.PixelRepresentation = _BYTE, 0
    return window


def _has_window(view: Dataset) -> bool:
    return bool(view.get("VOILUTSequence")) or (
        view.get("WindowCenter") is not None and view.get("WindowWidth") is not None
    )


def _of_frame(header: Dataset, index: int) -> Dataset:
    """Return what the header says of one frame."""
    shared = header.get("SharedFunctionalGroupsSequence") or []
    each = header.get("PerFrameFunctionalGroupsSequence") or []
    view = copy.copy(header)
    for group in (*shared[:1], *each[index : index + 1]):
        for name in _GROUPS:
            for item in group.get(name) or []:
                view.update(item)
    return view


def _bands(frame: NDArray[Any]) -> Iterator[NDArray[Any]]:
    rows = max(_BAND // frame.shape[1], 1)
    for start in range(0, frame.shape[0], rows):
        yield frame[start : start + rows]
