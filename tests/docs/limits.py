"""What read-only media may be at most, from the constants that refuse more."""

from __future__ import annotations

import inspect

from beagle.domain.errors import MediaTooLargeError
from beagle.media import pdf, stills
from beagle.media.child.limits import ChildLimits
from beagle.media.converted import ConversionLimits
from beagle.media.video.ffmpeg import Bounds
from docs.tables import table

_MB, _GB, _WIDE = 1 << 20, 1 << 30, 8192
_ORDER = "JPEG, PNG, GIF, BMP, TIFF, HEIC, AVIF, WEBP"


def limits_table() -> str:
    """Return a row for each kind of file."""
    return table(("kind", f"at most; beyond it a dead letter `{MediaTooLargeError.code}`"), _rows())


def _rows() -> list[tuple[str, str]]:
    video, conversion = Bounds(), ConversionLimits()
    dpi = inspect.signature(pdf.convert_pdf).parameters["dpi"].default
    in_all = f"{conversion.pixels_in_all / 1e6:,.0f} megapixels in all"
    one = f"{conversion.pixels / 1e6:.0f} megapixels"
    frames = (
        f"{_WIDE}x{video.pixels // _WIDE} or as many pixels, {video.seconds / 3600:.0f} hours, "
        f"{video.frame_rate:.0f} frames a second, {video.frames:,} frames, {video.streams} streams"
    )
    slices = (
        f"{conversion.frames:,} frames of {one} each, {in_all}; "
        f"a series {conversion.bytes_in_all / _GB:.0f} GB"
    )
    pages = (
        f"{pdf._LARGEST / _MB:.0f} MB, {conversion.frames:,} pages; drawn at {dpi} dots an inch, "
        f"at fewer where a page would have more than {one}; {in_all}"
    )
    return [
        ("image", f"{_images()}; {ChildLimits().seconds:.0f} seconds to decode"),
        ("video", frames),
        ("DICOM, converted", slices),
        ("PDF, converted", pages),
    ]


def _images() -> str:
    """Return how many megapixels an image may have, formats with the same number together."""
    limits = stills.StillLimits()
    needs = {name: stills._BYTES_PER_PIXEL[name] for name in _ORDER.split(", ")}
    needs["progressive JPEG"] = stills._BYTES_PER_PIXEL_PROGRESSIVE
    most: dict[int, list[str]] = {}
    for name, bytes_per_pixel in needs.items():
        pixels = min(limits.pixels, limits.memory // bytes_per_pixel)
        most.setdefault(pixels // 1_000_000, []).append(name.replace("WEBP", "WebP"))
    usual, *others = (
        f"{megapixels} ({', '.join(names)})" for megapixels, names in sorted(most.items())[::-1]
    )
    return f"{usual.replace(' (', ' megapixels (', 1)}, {', '.join(others)}"
