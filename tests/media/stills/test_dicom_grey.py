"""Which grey a stored value becomes: rescaling, windows, tables, and whose they are.

Slope, intercept and window belong to one frame of one object. What is done for it must not reach the next
frame, the next band of a large frame, or the next object.
"""

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from beagle.media.dicom import convert_dicom, convert_series
from media.stills.dicom_samples import slice_of
from media.stills.samples import Object


def greys(sink) -> list[int]:
    """Return the middle pixel of every section."""
    names = sorted(name for name in sink.kept if "sections/high/" in name)
    images = [sink.image(name) for name in names]
    return [image.getpixel((image.width // 2, image.height // 2)) for image in images]


def drawn(children, sink, source: Object) -> list[int]:
    """Return the first row of a single slice."""
    convert_dicom(source, sink, children=children)
    return np.asarray(sink.image("image.png"))[0].tolist()


def told(sequence: str, **fields) -> Dataset:
    """Return a functional group that tells a frame's window or rescaling."""
    group, item = Dataset(), Dataset()
    for name, value in fields.items():
        setattr(item, name, value)
    setattr(group, sequence, [item])
    return group


def window(centre, width) -> Dataset:
    return told("FrameVOILUTSequence", WindowCenter=centre, WindowWidth=width)


def slope(value) -> Dataset:
    return told("PixelValueTransformationSequence", RescaleSlope=value, RescaleIntercept=0, RescaleType="US")


def table(count, first, bits, data, vr="US") -> Dataset:
    made = Dataset()
    made.LUTDescriptor = [count, first, bits]
    made.add_new("LUTData", vr, data)
    return made


def test_equal_frames_are_equally_grey(children, sink):
    frames = np.full((3, 8, 8), 1000, np.uint16)
    source = slice_of(frames, RescaleSlope=2, RescaleIntercept=0, WindowCenter=2000, WindowWidth=4000)
    convert_dicom(source, sink, children=children)

    assert greys(sink) == [128, 128, 128]


def test_slices_of_a_series_are_equally_grey(children, sink):
    header = {"RescaleSlope": 2, "RescaleIntercept": 0, "WindowCenter": 2000, "WindowWidth": 4000}
    files = [(name, slice_of(np.full((8, 8), 1000, np.uint16), **header)) for name in "abc"]
    convert_series(files, sink, children=children)

    assert greys(sink) == [128, 128, 128]


def test_a_large_slice_has_no_seams(children, sink):
    """A slice of two megapixels is shown band by band."""
    ramp = np.tile(np.linspace(0, 4095, 1200).astype(np.uint16), (1800, 1))
    source = slice_of(ramp, RescaleSlope=1, RescaleIntercept=-1024, WindowCenter=0, WindowWidth=2000)
    convert_dicom(source, sink, children=children)
    pixels = np.asarray(sink.image("image.png"))

    assert (pixels == pixels[0]).all()
    assert abs(int(pixels[0, 300]) - 128) <= 1


def test_each_frame_has_its_own_rescaling(children, sink):
    """Only the second frame doubles its values: the others keep the object's slope."""
    source = slice_of(
        np.full((3, 8, 8), 1000, np.uint16),
        RescaleSlope=1,
        RescaleIntercept=0,
        WindowCenter=1000,
        WindowWidth=2000,
        PerFrameFunctionalGroupsSequence=[Dataset(), slope(2), Dataset()],
    )
    convert_dicom(source, sink, children=children)

    assert greys(sink) == [128, 255, 128]


def test_each_frame_has_its_own_window(children, sink):
    """The window of one frame is not the next one's: where none is told, the values' range is shown."""
    frames = np.stack([np.full((8, 8), value, np.uint16) for value in (0, 2000, 2000, 4000)])
    groups = [Dataset(), window(100, 100), Dataset(), Dataset()]
    source = slice_of(frames, PerFrameFunctionalGroupsSequence=groups)
    convert_dicom(source, sink, children=children)

    assert greys(sink) == [0, 255, 128, 255]


def test_rescaling_and_windows_of_each_frame_meet(children, sink):
    """The shared rescaling holds where a frame tells none, and every frame's window is in its units."""
    frames = np.full((4, 1500, 1000), 1000, np.uint16)
    groups = [window(2000, 4000), window(4000, 8000), window(2000, 4000), Dataset()]
    for name, value in slope(0.5).items():
        groups[2][name] = value
    source = slice_of(
        frames,
        SharedFunctionalGroupsSequence=[slope(2)],
        PerFrameFunctionalGroupsSequence=groups,
        WindowCenter=2000,
        WindowWidth=400,
    )
    convert_dicom(source, sink, children=children)
    last = np.asarray(sink.image("sections/high/000000003.png"))

    assert greys(sink) == [128, 64, 32, 128]
    assert (last == last[0, 0]).all()


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ({"WindowCenter": 50, "WindowWidth": 0}, [0, 128, 255]),
        ({"WindowCenter": 50, "WindowWidth": -5}, [0, 128, 255]),
        ({"WindowCenter": 50, "WindowWidth": 0, "VOILUTFunction": "SIGMOID"}, [0, 128, 255]),
        ({"WindowCenter": 50, "WindowWidth": None}, [0, 128, 255]),
        ({"WindowCenter": 2000, "WindowWidth": 1}, [0, 255, 255]),
        ({"WindowCenter": 2000, "WindowWidth": 0.5, "VOILUTFunction": "LINEAR_EXACT"}, [0, 128, 255]),
        ({"WindowCenter": 2000, "WindowWidth": 4000, "VOILUTFunction": "SIGMOID"}, [30, 128, 225]),
        ({"WindowCenter": 2000, "WindowWidth": 4000, "VOILUTFunction": ""}, [0, 128, 255]),
        ({"WindowCenter": [2000, 7], "WindowWidth": [4000, 7]}, [0, 128, 255]),
        (
            {"WindowCenter": 1000, "WindowWidth": 4000, "RescaleSlope": 0.5, "RescaleIntercept": 0},
            [64, 128, 191],
        ),
    ],
)
def test_windows_of_every_kind(children, sink, header, expected):
    """A window that has no width is none; the first of several counts."""
    stored = np.array([[0, 2000, 4000]], np.uint16)

    assert drawn(children, sink, slice_of(stored, **header)) == expected


def test_a_window_without_width_in_one_frame_leaves_the_others_theirs(children, sink):
    frames = np.full((2, 8, 8), 1000, np.uint16)
    source = slice_of(frames, PerFrameFunctionalGroupsSequence=[window(0, 0), window(1000, 2000)])
    convert_dicom(source, sink, children=children)

    assert greys(sink)[1] == 128


@pytest.mark.parametrize(
    "header", [{"RescaleSlope": 10, "RescaleIntercept": -500}, {"PixelRepresentation": 1}]
)
def test_eight_bits_that_are_rescaled_or_signed_are_shown_by_their_range(children, sink, header):
    """What is stored in a byte need not mean 0 to 255."""
    stored = np.array([[0, 60, 100]], np.uint8)

    assert drawn(children, sink, slice_of(stored, **header)) == [0, 153, 255]


@pytest.mark.parametrize("header", [{}, {"RescaleSlope": 1, "RescaleIntercept": 0}, {"RescaleSlope": None}])
def test_eight_bits_that_are_what_they_say_are_shown_as_they_are(children, sink, header):
    """A rescaling that changes nothing changes nothing."""
    stored = np.array([[10, 60, 100]], np.uint8)

    assert drawn(children, sink, slice_of(stored, **header)) == [10, 60, 100]


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian])
def test_a_table_is_read_in_every_encoding(children, sink, syntax):
    """A table's words are in the file's own order of bytes."""
    entries = np.array([65535, 0, 32768, 0], "<u2" if syntax.is_little_endian else ">u2").tobytes()
    stored = np.array([[0, 1, 2, 3]], np.uint16)
    source = slice_of(stored, syntax, VOILUTSequence=[table(4, 0, 16, entries, "OW")])

    assert drawn(children, sink, source) == [255, 0, 128, 0]


def test_a_table_of_bytes_may_have_more_than_256_entries(children, sink):
    entries = [value >> 4 for value in range(4096)]
    stored = np.array([[0, 1000, 2048, 4095, 9999]], np.uint16)

    assert drawn(children, sink, slice_of(stored, VOILUTSequence=[table(4096, 0, 8, entries)])) == [
        0, 62, 128, 255, 255,
    ]  # fmt: skip


def test_a_table_follows_rescaling(children, sink):
    """The table's first entry is for a rescaled value, and for all below it."""
    stored = np.array([[0, 10, 11, 99]], np.uint16)
    source = slice_of(
        stored, RescaleSlope=1, RescaleIntercept=-10, VOILUTSequence=[table(3, 0, 8, [10, 20, 30])]
    )

    assert drawn(children, sink, source) == [10, 10, 20, 30]
