"""Key arithmetic: what Darwin is told of a key, and which keys are nobody's upload."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from beagle.domain.errors import UnregisterableKeyError, UnusableNameError
from beagle.domain.events import ObjectRef, Provider
from beagle.domain.keys import (
    ARTIFACT_PREFIX,
    derive_artifact_root,
    derive_new_name,
    derive_object_key,
    derive_state_key,
    derive_storage_key,
    hash8,
    is_artifact,
    is_folder_marker,
    is_write_back,
    normalise_path,
    require_name,
    split_key,
)
from beagle.domain.media import media_type_of, suffix_of
from beagle.providers.objects import is_plain

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
KEYS = TEXT.filter(bool)
NAMES = KEYS.map(lambda text: text.replace("/", "_"))
WRITE_BACK_FOLDERS = ("thumbnails", "hq_sections", "lq_sections", "sections", "segments")


def ref(key: str, provider: Provider = "aws") -> ObjectRef:
    """Return a reference to an object in the bucket `uploads`."""
    return ObjectRef(provider=provider, bucket="uploads", key=key)


# --- storage keys --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("provider", "storage_key"),
    [
        ("aws", "cars/1.jpg"),
        ("gcp", "cars/1.jpg"),
        ("local", "cars/1.jpg"),
        ("azure", "uploads/cars/1.jpg"),
    ],
)
def test_the_storage_key_leaves_the_bucket_out_except_on_azure(provider: Provider, storage_key: str) -> None:
    """On Azure Darwin wants the container before the blob's name, elsewhere the key alone."""
    assert derive_storage_key(ref("cars/1.jpg", provider)) == storage_key


def test_azure_can_be_told_without_its_container() -> None:
    """V7's own SDK leaves the container out for read-only storage."""
    assert derive_storage_key(ref("cars/1.jpg", "azure"), azure_container=False) == "cars/1.jpg"


@given(key=KEYS.filter(lambda key: not key.startswith("/") and "\0" not in key))
@example(key="a b+c%20d%2B//é/e\u0301/🐶\n..jpg")
def test_a_storage_key_is_the_key_character_for_character(key: str) -> None:
    """Nothing is encoded, normalised or cleaned: Darwin asks the bucket for exactly this key."""
    assert derive_storage_key(ref(key)) == key
    assert derive_storage_key(ref(key, "azure")) == f"uploads/{key}"


@pytest.mark.parametrize("provider", ["aws", "gcp", "local", "azure"])
@pytest.mark.parametrize("key", ["", "a\0b.jpg", "a\ud800.jpg"])
def test_a_key_that_darwin_cannot_hold_is_refused(key: str, provider: Provider) -> None:
    """Empty, with NUL, or no Unicode: no request could register it."""
    with pytest.raises(UnregisterableKeyError):
        derive_storage_key(ref(key, provider))


@pytest.mark.parametrize("provider", ["aws", "gcp", "local"])
def test_a_leading_slash_is_refused(provider: Provider) -> None:
    """It is legal in a bucket; Darwin takes no storage key that starts with one."""
    with pytest.raises(UnregisterableKeyError):
        derive_storage_key(ref("/cars/1.jpg", provider))


def test_behind_a_container_a_leading_slash_leads_no_more() -> None:
    """On Azure the container comes first, unless it is left out."""
    assert derive_storage_key(ref("/1.jpg", "azure")) == "uploads//1.jpg"
    with pytest.raises(UnregisterableKeyError):
        derive_storage_key(ref("/1.jpg", "azure"), azure_container=False)


@given(
    key=KEYS.filter(lambda key: not key.startswith("/") and "\0" not in key),
    provider=st.sampled_from(["aws", "azure"]),
    with_container=st.booleans(),
)
@example(key="uploads/1.jpg", provider="azure", with_container=False)
@example(key="uploads/uploads/1.jpg", provider="azure", with_container=True)
def test_the_object_is_found_again_by_its_storage_key(
    *, key: str, provider: Provider, with_container: bool
) -> None:
    """Told, not guessed, whether the container stands before it: folders are called like containers, too."""
    told = provider == "azure" and with_container
    storage_key = derive_storage_key(ref(key, provider), azure_container=with_container)

    assert derive_object_key(storage_key, "uploads", azure_container=told) == key


# --- keys that are nobody's upload ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "is_marker"), [("cars/", True), ("/", True), ("cars//", True), ("cars", False), ("a/b", False)]
)
def test_a_folder_marker_ends_in_a_slash(key: str, *, is_marker: bool) -> None:
    """Consoles create such an object for an empty folder."""
    assert is_folder_marker(key) == is_marker


@given(below=TEXT)
def test_all_below_the_artifact_prefix_is_ours(below: str) -> None:
    """Whatever we write can never make us write again."""
    assert is_artifact(ARTIFACT_PREFIX + below)
    assert is_artifact(f"derived/by beagle/{below}", prefix="derived/by beagle/")


@pytest.mark.parametrize("key", [".beagle", "x/.beagle/1.jpg", ".beaglet/1.jpg", ".Beagle/1.jpg", ""])
def test_what_only_resembles_the_artifact_prefix_is_an_upload(key: str) -> None:
    """The prefix counts where keys begin, letter for letter, with its slash."""
    assert not is_artifact(key)


def test_without_an_artifact_prefix_nothing_is_ours() -> None:
    """An empty prefix would make every upload an artifact."""
    assert not is_artifact("cars/1.jpg", prefix="")


@given(
    prefix=st.lists(NAMES, max_size=3),
    storage_key=KEYS,
    uuid=st.uuids(),
    suffix=st.sampled_from(["", ".mp4", ".nii.gz", ".JPG"]),
    folder=st.sampled_from(WRITE_BACK_FOLDERS),
    file_name=NAMES,
    upper=st.booleans(),
)
@example(
    prefix=["data"],
    storage_key="darwin/cars/1.jpg",
    uuid=UUID("5d7a1d4c-9a37-4a52-9b9c-6f1b8c2f0a11"),
    suffix="",
    folder="thumbnails",
    file_name="000000000.jpg",
    upper=False,
)
def test_what_darwin_writes_back_is_recognised_below_any_prefix(  # noqa: PLR0913 - the parts of one key
    *,
    prefix: list[str],
    storage_key: str,
    uuid: UUID,
    suffix: str,
    folder: str,
    file_name: str,
    upper: bool,
) -> None:
    """Registering Darwin's own thumbnails would make it write thumbnails of them, for ever."""
    name = str(uuid).upper() if upper else str(uuid)
    key = "/".join((*prefix, storage_key, "uploads", f"{name}{suffix}", folder, file_name))

    assert is_write_back(key)
    assert is_write_back(key.removeprefix("/".join((*prefix, storage_key, ""))))


@pytest.mark.parametrize(
    "key",
    [
        "",
        "uploads",
        "uploads/1.jpg",
        "uploads/thumbnails/1.jpg",
        "uploads/5d7a1d4c-9a37-4a52-9b9c-6f1b8c2f0a11/1.jpg",
        "uploads/5d7a1d4c-9a37-4a52-9b9c-6f1b8c2f0a11/thumbnails",
        "uploads/5d7a1d4c-9a37-4a52-9b9c-6f1b8c2f0a11/photos/1.jpg",
        "uploads/5d7a1d4c-9a37-4a52-9b9c-6f1b8c2f0a1/thumbnails/1.jpg",
        "uploads/5d7a1d4c-9a37-4a52-9b9c-6f1b8c2f0g11/thumbnails/1.jpg",
        "uploads/5d7a1d4c9a374a529b9c6f1b8c2f0a11/thumbnails/1.jpg",
        "my uploads/5d7a1d4c-9a37-4a52-9b9c-6f1b8c2f0a11/thumbnails/1.jpg",
        "Uploads/5d7a1d4c-9a37-4a52-9b9c-6f1b8c2f0a11/thumbnails/1.jpg",
        "uploads/5d7a1d4c-9a37-4a52-9b9c-6f1b8c2f0a11//thumbnails/1.jpg",
    ],
)
def test_a_folder_called_uploads_is_no_write_back(key: str) -> None:
    """Many people call a folder so: only Darwin's whole form counts."""
    assert not is_write_back(key)


def test_a_write_back_is_found_behind_a_folder_called_uploads() -> None:
    """The first `uploads` in a key may be the user's own."""
    assert is_write_back("uploads/uploads/5d7a1d4c-9a37-4a52-9b9c-6f1b8c2f0a11/thumbnails/000000000.jpg")


# --- the parts of keys and names -----------------------------------------------------------------------


@given(key=KEYS)
@example(key="cars/a/1.nii.gz")
@example(key="cars//.jpg")
@example(key="/1.jpg")
def test_the_parts_of_a_key_make_the_key(key: str) -> None:
    """Templates lose nothing: folder and file name, and of that stem and suffix, are the whole key."""
    parts = split_key(key)

    assert parts["file_name"] == parts["stem"] + parts["suffix"]
    assert "/" not in parts["file_name"]
    assert key == (f"{parts['folder']}/{parts['file_name']}" if "/" in key else parts["file_name"])


def test_a_key_is_split_at_its_last_slash_and_suffix() -> None:
    """The words that routes use, on an ordinary key."""
    assert split_key("cars/day 1/Scan.A.NII.GZ") == {
        "folder": "cars/day 1",
        "file_name": "Scan.A.NII.GZ",
        "stem": "Scan.A",
        "suffix": ".NII.GZ",
        "hash8": hash8("cars/day 1/Scan.A.NII.GZ"),
    }


@given(one=KEYS, other=KEYS)
@example(one="a/1.jpg", other="b/1.jpg")
def test_the_hash_tells_keys_apart_and_stays(one: str, other: str) -> None:
    """Files of one name in two folders differ in it, and a key's never changes."""
    assert (hash8(one) == hash8(other)) == (one == other)
    assert split_key(one)["hash8"] == hash8(one)


def test_the_hash_is_the_same_in_every_version() -> None:
    """Names made with it stand in datasets: it is a promise, not a detail."""
    assert hash8("cars/1.jpg") == "32271514"
    assert hash8("\ud800") == "91a681b9"


@given(name=NAMES, one=TEXT, other=TEXT)
@example(name="brain.nii.gz", one="v1", other="v2")
@example(name=".jpg", one="v1", other="v2")
def test_a_new_name_is_always_the_same_for_the_same_object_and_another_for_another(
    name: str, one: str, other: str
) -> None:
    """A retry finds its own item again, and two objects never meet under the new name."""
    renamed = derive_new_name(name, one)

    assert renamed == derive_new_name(name, one)
    assert (renamed == derive_new_name(name, other)) == (one == other)
    assert renamed != name
    assert require_name(renamed) == renamed
    assert renamed.endswith(suffix_of(name))
    assert media_type_of(renamed) == media_type_of(name)


def test_a_new_name_keeps_stem_and_suffix_in_sight() -> None:
    """People still see which file it is, and Darwin which type."""
    assert derive_new_name("brain.nii.gz", "v2") == f"brain-{hash8('v2')}.nii.gz"
    assert derive_new_name("README", "v2") == f"README-{hash8('v2')}"


@pytest.mark.parametrize("name", ["", "/", "a/b.jpg", "a/"])
def test_a_name_that_darwin_does_not_take_is_refused(name: str) -> None:
    """Items have no empty names, and none with a slash."""
    with pytest.raises(UnusableNameError):
        require_name(name)


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("", "/"),
        ("/", "/"),
        ("a", "/a"),
        ("/a/", "/a"),
        ("a//b", "/a/b"),
        ("//a/b//", "/a/b"),
        (" a ", "/ a "),
    ],
)
def test_a_path_is_written_as_darwin_shows_it(path: str, shown: str) -> None:
    """One leading slash, none behind, none doubled."""
    assert normalise_path(path) == shown


@given(path=TEXT)
def test_a_normal_path_is_left_alone(path: str) -> None:
    """Writing it twice changes nothing more."""
    assert normalise_path(normalise_path(path)) == normalise_path(path)


@given(one=st.lists(KEYS, min_size=1, max_size=4), other=st.lists(KEYS, min_size=1, max_size=4))
@example(one=["acme", "cars", "/a", "b.jpg"], other=["acme", "cars", "/", "a/b.jpg"])
@example(one=["a", "b"], other=["ab"])
def test_a_state_key_is_plain_and_tells_identities_apart(one: list[str], other: list[str]) -> None:
    """Object stores choke on odd keys: ours hold letters, digits and slashes, whatever they stand for."""
    key = derive_state_key("ledger", *one)

    assert (key == derive_state_key("ledger", *other)) == (one == other)
    assert key != derive_state_key("groups", *one)
    kind, shard, name = key.split("/")
    assert kind == "ledger"
    assert name.startswith(shard)
    assert set(name.removesuffix(".json")) <= set("0123456789abcdef")


# --- where artifacts lie -------------------------------------------------------------------------------

PLACES = st.tuples(
    KEYS.filter(lambda key: "\0" not in key), NAMES, st.sampled_from(["", "fps=5.0", "size=stored"])
)


@given(one=PLACES, other=PLACES)
@example(one=("a/1.mp4", "v1", ""), other=("a/1.mp4", "v1", "fps=5.0"))
@example(one=("a/1.mp4", "v1", ""), other=("b/1.mp4", "v1", ""))
def test_artifacts_of_another_object_content_or_wish_lie_elsewhere(
    one: tuple[str, str, str], other: tuple[str, str, str]
) -> None:
    """And those of the same always in the same plain place: what is made again replaces itself alone."""
    first, second = (derive_artifact_root(".beagle/", ref(key), *rest) for key, *rest in (one, other))

    assert (first == second) == (one == other)
    assert first.startswith(".beagle/")
    assert first.endswith("/")
    assert is_plain(first.rstrip("/"))


def test_artifacts_lie_in_the_same_place_in_every_version() -> None:
    """Items are registered with these keys."""
    place = ObjectRef(provider="aws", bucket="up", key="cars/1 a.jpg")

    assert derive_artifact_root(".beagle/", place, "v1") == ".beagle/59/595e1b38ac148f5610c92ab2-1a/"
    assert (
        derive_artifact_root(".beagle/", place, "v1", "fps=5.0") == ".beagle/5d/5d6725bef9e4457d229e5735-1a/"
    )
