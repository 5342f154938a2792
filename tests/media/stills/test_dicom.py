"""DICOM files and series as images and sections, from the samples that pydicom brings."""

import numpy as np
import pytest
from pydicom.dataset import Dataset

from beagle.domain.errors import UnreadableMediaError, UnsupportedMediaError
from beagle.domain.items import ImageArtifacts
from beagle.media.dicom import convert_dicom
from media.stills.dicom_samples import sample, slice_of
from media.stills.samples import Object, close


def drawn(children, sink, source: Object) -> np.ndarray:
    """Return the pixels of the PNG that takes a slice's place."""
    converted = convert_dicom(source, sink, children=children)
    assert converted.storage_name == "image.png"
    return np.asarray(sink.image("image.png"))


def test_a_single_slice_becomes_an_image(children, sink):
    """The PNG takes the file's place; its size is the slice's."""
    converted = convert_dicom(sample("CT_small"), sink, children=children)

    assert converted.storage_name == "image.png"
    assert converted.artifacts == ImageArtifacts(
        thumbnail_key=".beagle/x/thumbnail.jpg", width=128, height=128
    )
    assert sink.types == {"image.png": "image/png", "thumbnail.jpg": "image/jpeg"}
    assert sink.image("image.png").size == sink.image().size == (128, 128)


@pytest.mark.parametrize(
    "name",
    [
        "MR_small_RLE", "MR_small_bigendian", "MR_small_expb", "MR_small_implicit", "MR_small_jp2klossless",
        "MR_small_jpeg_ls_lossless",
    ],
)  # fmt: skip
def test_every_lossless_transfer_syntax_shows_the_same(children, sink, name):
    plain = drawn(children, sink, sample("MR_small"))

    assert np.array_equal(drawn(children, sink, sample(name)), plain)
    assert plain.max() > 200


@pytest.mark.parametrize(
    "name", ["JPEG2000", "image_dfl", "SC_rgb_jpeg_dcmtk", "SC_rgb_rle", "examples_palette"]
)
def test_other_transfer_syntaxes_and_colours_are_drawn(children, sink, name):
    """JPEG 2000, deflated, JPEG baseline, RLE in colour, palettes."""
    assert drawn(children, sink, sample(name)).std() > 10


@pytest.mark.parametrize(
    "name",
    [
        "SC_rgb_rle", "SC_rgb_rle_16bit", "SC_rgb_rle_32bit", "SC_rgb_dcmtk_+eb+cr", "SC_rgb_dcmtk_+eb+cy+np",
        "SC_rgb_dcmtk_+eb+cy+s4", "SC_ybr_full_422_uncompressed", "SC_rgb_jpeg_lossy_gdcm",
        "SC_rgb_jpeg_gdcm", "SC_rgb_jls_lossy_line", "SC_rgb_jls_lossy_sample",
    ],
)  # fmt: skip
def test_colour_is_right_in_every_encoding(children, sink, name):
    """The same test card, as RGB or YBR, planar or not, at 8, 16 and 32 bits: its first stripe is red."""
    pixels = drawn(children, sink, sample(name))

    assert close(tuple(int(value) for value in pixels[5, 50]), (255, 0, 0), 8)


@pytest.mark.parametrize(
    ("name", "syntax"),
    [
        ("JPGExtended", "JPEG Extended"),
        ("JPEG-lossy", "JPEG Extended"),
    ],
)
def test_a_transfer_syntax_that_is_not_decoded_is_named(children, sink, name, syntax):
    with pytest.raises(UnsupportedMediaError, match=syntax) as caught:
        convert_dicom(sample(name), sink, children=children)

    assert str(caught.value.context["syntax"]).startswith("1.2.840.10008.1.2.4.")


@pytest.mark.parametrize("name", ["rtplan", "reportsi", "test-SR", "waveform_ecg"])
def test_dicom_without_an_image_is_unsupported(children, sink, name):
    with pytest.raises(UnsupportedMediaError, match="no image"):
        convert_dicom(sample(name), sink, children=children)


@pytest.mark.parametrize("data", [b"not dicom at all", bytes(500), b"\xff\xd8\xff" * 100])
def test_what_is_no_dicom_is_unreadable(children, sink, data):
    with pytest.raises(UnreadableMediaError):
        convert_dicom(Object(data), sink, children=children)


def test_nifti_is_unsupported(children, sink):
    with pytest.raises(UnsupportedMediaError, match="NIfTI"):
        convert_dicom(Object(bytes(344) + b"n+1\0" + bytes(500)), sink, children=children)


def test_a_truncated_file_is_unreadable_and_leaves_no_image(children, sink):
    with pytest.raises(UnreadableMediaError):
        convert_dicom(sample("MR_truncated"), sink, children=children)

    assert not sink.kept


def test_a_window_decides_what_is_black_and_white(children, sink):
    """Stored values become Hounsfield units first; below the window all is black, above all white."""
    stored = np.array([[0, 974, 1024, 1074, 4000]], np.uint16)
    source = slice_of(stored, RescaleSlope=1, RescaleIntercept=-1024, WindowCenter=0.5, WindowWidth=101)
    pixels = drawn(children, sink, source)[0].tolist()

    assert pixels[0] == pixels[1] == 0
    assert pixels[3] == pixels[4] == 255
    assert abs(pixels[2] - 128) <= 1


def test_signed_values_are_signed(children, sink):
    stored = np.array([[-1000, 0, 1000]], np.int16)

    assert drawn(children, sink, slice_of(stored, WindowCenter=0.5, WindowWidth=2001)).tolist() == [
        [0, 128, 255]
    ]


def test_without_a_window_the_values_range_is_shown(children, sink):
    """Twelve bits in sixteen are not black; padding does not count."""
    stored = np.array([[0, 100, 2100, 4100]], np.uint16)
    pixels = drawn(children, sink, slice_of(stored, BitsStored=16, PixelPaddingValue=0))

    assert pixels.tolist() == [[0, 0, 128, 255]]


def test_monochrome1_is_inverted(children, sink):
    stored = np.array([[0, 255]], np.uint8)

    assert drawn(children, sink, slice_of(stored, PhotometricInterpretation="MONOCHROME1")).tolist() == [
        [255, 0]
    ]


def test_a_lookup_table_wins_over_a_window(children, sink):
    table = Dataset()
    table.LUTDescriptor = [4, 0, 16]
    table.add_new("LUTData", "US", [65535, 0, 32768, 0])
    table.ModalityLUTType = "US"
    stored = np.array([[0, 1, 2, 3]], np.uint16)
    source = slice_of(stored, VOILUTSequence=[table], WindowCenter=2, WindowWidth=4)

    assert drawn(children, sink, source).tolist() == [[255, 0, 128, 0]]


def test_a_large_slice_is_drawn_within_the_childs_memory(children, sink):
    """A mammogram of 20 megapixels in floating point would not fit; band by band it does."""
    pixels = drawn(
        children, sink, slice_of(np.arange(20_000_000, dtype=np.uint32).astype(np.uint16).reshape(5000, 4000))
    )

    assert pixels.shape == (5000, 4000)
