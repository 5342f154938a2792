"""Which files Darwin takes, and what it is told of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beagle.domain.media import MEDIA_TYPES, MediaKind, MediaType, media_type_of, suffix_of

STEMS = st.text(min_size=1, max_size=40)


@pytest.mark.parametrize(
    ("file_name", "suffix"),
    [
        ("1.jpg", ".jpg"),
        ("IMG_0001.JPG", ".JPG"),
        ("brain.nii.gz", ".nii.gz"),
        ("Brain.Nii.GZ", ".Nii.GZ"),
        ("brain.nii", ".nii"),
        ("archive.tar.gz", ".gz"),
        ("a.b.c.mp4", ".mp4"),
        (".jpg", ""),
        (".hidden", ""),
        ("README", ""),
        ("ends.", ""),
        ("", ""),
        (".", ""),
        ("a.jpg.", ""),
        ("..jpg", ".jpg"),
        ("é.png", ".png"),
        ("İ.png", ".png"),
    ],
)
def test_a_suffix_is_what_follows_the_last_dot_but_nii_gz_is_whole(file_name: str, suffix: str) -> None:
    """As written, whatever the case; a name that is all suffix has none."""
    assert suffix_of(file_name) == suffix


@given(stem=STEMS, suffix=st.sampled_from(sorted(MEDIA_TYPES)), data=st.data())
def test_a_known_suffix_is_found_behind_any_stem_in_any_case(
    stem: str, suffix: str, data: st.DataObject
) -> None:
    """Cameras write .JPG, people write .Mp4: the type is the same."""
    as_written = "".join(data.draw(st.sampled_from([c.lower(), c.upper()])) for c in suffix)

    assert suffix_of(stem + as_written) == as_written
    assert media_type_of(stem + as_written) == MEDIA_TYPES[suffix]


@given(file_name=st.text(max_size=60))
def test_a_suffix_is_always_the_names_own_end(file_name: str) -> None:
    """Stem and suffix make the name again, and a name that is nothing but suffix has none."""
    suffix = suffix_of(file_name)

    assert file_name.endswith(suffix)
    assert suffix != file_name or not file_name
    assert not suffix or suffix.startswith(".")


@pytest.mark.parametrize(
    ("file_name", "kind", "declared"),
    [
        ("a.png", "image", True),
        ("a.jpeg", "image", True),
        ("a.bmp", "image", True),
        ("a.mp4", "video", True),
        ("a.mkv", "video", True),
        ("a.mov", "video", True),
        ("a.avi", "video", True),
        ("a.pdf", "pdf", True),
        ("a.dcm", "dicom", True),
        ("a.nii", "dicom", False),
        ("a.nii.gz", "dicom", False),
        ("a.tif", "image", False),
        ("a.webp", "image", False),
        ("a.gif", "image", False),
        ("a.wmv", "video", False),
        ("a.hevc", "video", False),
    ],
)
def test_a_type_is_declared_only_where_v7s_tables_agree(
    file_name: str, kind: MediaKind, *, declared: bool
) -> None:
    """Where they do not, Darwin's own inference is better than a guess of ours."""
    assert media_type_of(file_name) == MediaType(kind, declared)


@pytest.mark.parametrize("file_name", ["a.txt", "a.gz", "a", ".jpg", "a.jpg.tmp", "a.mp3", "jpg", "a.jpg "])
def test_what_darwin_does_not_take_has_no_type(file_name: str) -> None:
    """Side files, sounds and halves of uploads are nobody's items."""
    assert media_type_of(file_name) is None
