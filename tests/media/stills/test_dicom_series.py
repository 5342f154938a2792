"""Volumes and series as sections, and the bounds on both."""

import numpy as np
import pytest
from pydicom.dataset import Dataset

from beagle.domain.errors import MediaTooLargeError, UnreadableMediaError
from beagle.domain.items import SectionsArtifacts
from beagle.media.child import ChildLimits, Children
from beagle.media.converted import ConversionLimits
from beagle.media.dicom import convert_dicom, convert_series
from media.stills.dicom_samples import sample, slice_of

MEGABYTE = 1 << 20


def test_frames_of_enhanced_objects_have_windows_of_their_own(children, sink):
    """Enhanced CT and MR keep rescaling and window in groups, frame by frame."""

    def group(centre):
        window, item = Dataset(), Dataset()
        window.WindowCenter, window.WindowWidth = centre, 101
        item.FrameVOILUTSequence = [window]
        return item

    frames = np.full((2, 4, 4), 100, np.uint16)
    source = slice_of(frames, PerFrameFunctionalGroupsSequence=[group(50.5), group(1000.5)])
    convert_dicom(source, sink, children=children)
    bright, dark = (sink.image(f"sections/high/00000000{n}.png").getpixel((0, 0)) for n in (0, 1))

    assert (bright, dark) == (254, 0) or (bright, dark) == (255, 0)


def test_several_frames_become_sections(children, sink):
    """A section a frame, lossless and to preview, and a thumbnail; the object keeps its place."""
    converted = convert_dicom(sample("examples_ybr_color"), sink, children=children)

    assert converted.storage_name is None
    assert isinstance(converted.artifacts, SectionsArtifacts)
    assert len(converted.artifacts.sections) == 30
    assert {(section.width, section.height) for section in converted.artifacts.sections} == {(320, 240)}
    assert converted.artifacts.sections[29].high_key == ".beagle/x/sections/high/000000029.png"
    assert converted.artifacts.sections[0].low_key == ".beagle/x/sections/low/000000000.jpg"
    assert len(sink.kept) == 61
    assert sink.image("sections/low/000000003.jpg").size == (320, 240)


def test_without_a_window_no_frame_flickers(children, sink):
    """All frames are shown by one range: a dark frame stays dark beside a bright one."""
    frames = np.stack([np.full((8, 8), value, np.uint16) for value in (0, 1000, 4000)])
    convert_dicom(slice_of(frames), sink, children=children)
    greys = [sink.image(f"sections/high/00000000{n}.png").getpixel((0, 0)) for n in range(3)]

    assert greys == [0, 64, 255]


def test_a_series_is_ordered_by_its_headers_not_by_its_names(children, sink):
    """SeriesNumber, then InstanceNumber, then place; the name decides last."""
    headers = {
        "a": {"SeriesNumber": 2, "InstanceNumber": 1},
        "b": {"SeriesNumber": 1, "InstanceNumber": 10},
        "c": {"SeriesNumber": 1, "InstanceNumber": 9},
        "d": {"SeriesNumber": 1, "InstanceNumber": 10, "SliceLocation": -3.5},
        "f": {},
        "e": {},
    }
    files = [(name, slice_of(np.full((4, 4), 40, np.uint8), **header)) for name, header in headers.items()]
    converted = convert_series(files, sink, children=children)

    assert converted.order == ("c", "d", "b", "a", "e", "f")
    assert isinstance(converted.artifacts, SectionsArtifacts)
    assert len(converted.artifacts.sections) == 6


def test_of_the_headers_of_a_long_series_only_what_is_needed_is_kept(sink):
    """Sixty slices, each with four megabytes of something else, in a child that could not keep those."""
    source = slice_of(np.full((8, 8), 40, np.uint8), EncapsulatedDocument=bytes(4 * MEGABYTE))
    with Children(ChildLimits(memory=350 * MEGABYTE)) as children:
        converted = convert_series([(f"{n:02d}", source) for n in range(60)], sink, children=children)

    assert len(converted.artifacts.sections) == 60


@pytest.mark.parametrize(
    ("header", "limits"),
    [
        ({"Rows": 60_000, "Columns": 60_000}, ConversionLimits()),
        ({"NumberOfFrames": 2_000_000_000}, ConversionLimits()),
        ({"NumberOfFrames": 5}, ConversionLimits(frames=4)),
        ({"NumberOfFrames": 5}, ConversionLimits(pixels_in_all=64 * 4)),
    ],
)
def test_headers_that_ask_for_too_much_are_refused(children, sink, header, limits):
    source = slice_of(np.zeros((8, 8), np.uint8), **header)
    with pytest.raises(MediaTooLargeError):
        convert_dicom(source, sink, children=children, limits=limits)

    assert not sink.kept


def test_a_header_that_promises_more_frames_than_there_are_is_unreadable(children, sink):
    with pytest.raises(UnreadableMediaError):
        convert_dicom(slice_of(np.zeros((2, 8, 8), np.uint8), NumberOfFrames=9), sink, children=children)
