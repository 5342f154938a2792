"""Every transfer syntax that README lists: drawn as the plain pixels are, or refused by name."""

import numpy as np
import pytest
from pydicom.uid import UID

from beagle.domain.errors import UnreadableMediaError, UnsupportedMediaError
from beagle.media.dicom import convert_dicom
from media.stills.dicom_samples import compressed, slice_of
from media.stills.samples import natural
from media.stills.syntaxes import DRAWN, REFUSED

LOSSLESS_SV1 = UID("1.2.840.10008.1.2.4.70")
HIGH_THROUGHPUT = UID("1.2.840.10008.1.2.4.201")
LOSSY = {"1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.81", "1.2.840.10008.1.2.4.91"}
SMOOTH = np.asarray(natural(61, 40).convert("L"))
CHANCE = np.random.default_rng(7)
VALUES = {
    "8 bits": (SMOOTH, {}),
    "12 bits": (SMOOTH.astype(np.uint16) * 16, {"BitsStored": 12, "HighBit": 11}),
    "16 bits": (CHANCE.integers(0, 65536, (40, 61), np.uint16), {}),
    "signed": (CHANCE.integers(-2000, 2000, (40, 61), np.int16), {"WindowCenter": 0, "WindowWidth": 4000}),
    "two frames": (np.stack([SMOOTH, SMOOTH[::-1]]).astype(np.uint16) * 256, {}),
}


def drawn(children, sink, source) -> np.ndarray:
    convert_dicom(source, sink, children=children)
    name = "image.png" if "image.png" in sink.kept else "sections/high/000000001.png"
    return np.asarray(sink.image(name)).astype(int)


@pytest.mark.parametrize(
    ("number", "values"),
    [
        (number, values)
        for numbers in DRAWN.values()
        for number in numbers
        for values in (["8 bits"] if number in LOSSY else VALUES)
    ],
)
def test_what_is_compressed_shows_what_is_plain(children, sink, tmp_path, number, values):
    """Without loss to the last pixel, with loss nearly so."""
    pixels, header = VALUES[values]
    plain, syntax = slice_of(pixels, **header), UID(number)
    packed = (
        compressed(plain, syntax, tmp_path) if syntax.is_compressed else slice_of(pixels, syntax, **header)
    )
    expected, got = drawn(children, sink, plain), drawn(children, sink, packed)

    assert np.abs(got - expected).max() <= (8 if number in LOSSY else 0)
    assert expected.std() > 10


@pytest.mark.parametrize("number", [number for numbers in REFUSED.values() for number in numbers])
def test_what_is_not_decoded_is_refused_by_name(children, sink, number):
    """Some are so new that pydicom does not know their numbers, so they are written into a finished file."""
    source = slice_of(SMOOTH, HIGH_THROUGHPUT, BitsAllocated=16, BitsStored=12, HighBit=11)
    source.data = source.data.replace(HIGH_THROUGHPUT.encode() + b"\0", number.encode().ljust(24, b"\0"))
    with pytest.raises(UnsupportedMediaError, match="transfer syntax") as caught:
        convert_dicom(source, sink, children=children)

    assert caught.value.context["syntax"] == number


@pytest.mark.parametrize("left", [0.1, 0.5, 0.99])
def test_a_lossless_jpeg_that_breaks_off_is_unreadable(children, sink, tmp_path, left):
    packed = compressed(slice_of(VALUES["16 bits"][0]), LOSSLESS_SV1, tmp_path)
    packed.data = packed.data[: -int(40 * 61 * 2 * (1 - left)) or None]
    with pytest.raises(UnreadableMediaError):
        convert_dicom(packed, sink, children=children)

    assert not sink.kept
