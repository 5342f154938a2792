"""The transfer syntaxes of DICOM, and what becomes of each on read-only storage: README's list."""

from __future__ import annotations

DRAWN = {
    "not compressed, implicit": ("1.2.840.10008.1.2",),
    "not compressed, explicit": ("1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"),
    "deflated": ("1.2.840.10008.1.2.1.99",),
    "RLE": ("1.2.840.10008.1.2.5",),
    "JPEG Lossless": ("1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70"),
    "JPEG-LS": ("1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81"),
    "JPEG 2000": ("1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91"),
    "JPEG Baseline": ("1.2.840.10008.1.2.4.50",),
}
REFUSED = {
    "JPEG Extended of twelve bits": ("1.2.840.10008.1.2.4.51",),
    "High-Throughput JPEG 2000": tuple(f"1.2.840.10008.1.2.4.20{n}" for n in (1, 2, 3)),
    "JPEG 2000 Part 2": ("1.2.840.10008.1.2.4.92", "1.2.840.10008.1.2.4.93"),
    "JPEG XL": tuple(f"1.2.840.10008.1.2.4.11{n}" for n in (0, 1, 2)),
    "MPEG-2, H.264, HEVC": tuple(f"1.2.840.10008.1.2.4.10{n}" for n in range(9)),
}


def table() -> list[tuple[str, str, str]]:
    """Return a row for each form: its name, its numbers, and what becomes of a slice."""
    return [
        (name, _told(numbers), ends)
        for ends, forms in (("drawn", DRAWN), ("dead letter `unsupported_media`", REFUSED))
        for name, numbers in forms.items()
    ]


def _told(numbers: tuple[str, ...]) -> str:
    """Return the first number whole, and of the others what is different."""
    first, *others = numbers
    ends = [f".{other.rpartition('.')[2]}" for other in others]
    return f"{first} to {ends[-1]}" if len(ends) > 2 else ", ".join([first, *ends])
