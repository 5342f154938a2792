"""Key arithmetic: every rule about object keys, storage keys, item paths and our own keys is here."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING
from unicodedata import normalize

from beagle.domain.errors import UnregisterableKeyError, UnusableNameError
from beagle.domain.media import suffix_of

if TYPE_CHECKING:
    from beagle.domain.events import ObjectRef

ARTIFACT_PREFIX = ".beagle/"
"""Where our artifacts lie by default. What lies below is never an upload: no loops."""

_WRITE_BACK_FOLDERS = frozenset({"thumbnails", "hq_sections", "lq_sections", "sections", "segments"})
_UUID_PARTS = (8, 4, 4, 4, 12)


def derive_storage_key(ref: ObjectRef, *, azure_container: bool = True) -> str:
    """Return the key as Darwin receives it: the object's key, on Azure behind its container's name.

    https://docs.v7labs.com: S3 and Google Cloud Storage leave the bucket out, Azure puts the container first.
    `azure_container=False` is darwin-py's form for read-only storage, without it.

    Raises:
        UnregisterableKeyError: Darwin takes no key that starts with a slash, and no text that is not Unicode.

    """
    key = f"{ref.bucket}/{ref.key}" if ref.provider == "azure" and azure_container else ref.key
    if not ref.key:
        raise UnregisterableKeyError("The key is empty.")
    if key.startswith("/"):
        raise UnregisterableKeyError(f"The key {ref.key!r} starts with a slash, which Darwin does not take.")
    if "\0" in key:
        raise UnregisterableKeyError(
            f"The key {ref.key!r} holds a NUL character, which Darwin does not take."
        )
    try:
        key.encode()
    except UnicodeEncodeError as error:
        raise UnregisterableKeyError(f"The key {ref.key!r} is no valid Unicode text.") from error
    return key


def derive_object_key(storage_key: str, bucket: str, *, azure_container: bool) -> str:
    """Return the key of the object that Darwin knows by a storage key: `derive_storage_key` backwards."""
    return storage_key.removeprefix(f"{bucket}/") if azure_container else storage_key


def is_folder_marker(key: str) -> bool:
    """Say whether the key is what consoles create for an empty folder."""
    return key.endswith("/")


def is_artifact(key: str, prefix: str = ARTIFACT_PREFIX) -> bool:
    """Say whether Beagle itself wrote the object."""
    return bool(prefix) and key.startswith(prefix)


def is_write_back(key: str) -> bool:
    """Say whether Darwin itself wrote the object: thumbnails and frames of read-write storage.

    Their form is `<prefix>/<storage key>/uploads/<uuid>/thumbnails/000000000.jpg`. Registering them would
    make Darwin write thumbnails of thumbnails, for ever.
    """
    segments = key.split("/")
    return any(
        word == "uploads" and _is_uuid(segments[at + 1]) and segments[at + 2] in _WRITE_BACK_FOLDERS
        for at, word in enumerate(segments[:-3])
    )


def _is_uuid(text: str) -> bool:
    parts = text.removesuffix(suffix_of(text)).split("-")
    return tuple(map(len, parts)) == _UUID_PARTS and all(
        c in "0123456789abcdefABCDEF" for c in "".join(parts)
    )


def split_key(key: str) -> dict[str, str]:
    """Return the parts that templates may use: folder, file_name, stem, suffix, hash8.

    `hash8` is made from the whole key: two keys with the same file name differ in it.
    """
    folder, _, file_name = key.rpartition("/")
    suffix = suffix_of(file_name)
    return {
        "folder": folder,
        "file_name": file_name,
        "stem": file_name.removesuffix(suffix),
        "suffix": suffix,
        "hash8": hash8(key),
    }


def hash8(text: str) -> str:
    """Return eight hexadecimal digits that stand for the text."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:8]


def normalise_path(path: str) -> str:
    """Return an item path as Darwin shows it: one leading slash, none behind, none doubled."""
    return "/" + "/".join(part for part in path.split("/") if part)


def derive_likeness(path: str, name: str) -> tuple[str, str]:
    """Return what two places share that Darwin may take for one: how it compares names is not public.

    They may differ in the case of letters, in how characters are composed, and in white space.
    """
    folders = (_likeness(part) for part in path.split("/"))
    return normalise_path("/".join(folders)), _likeness(name)


def _likeness(text: str) -> str:
    return " ".join(normalize("NFKC", normalize("NFKC", text).casefold()).split())


def require_name(name: str) -> str:
    """Return the name if Darwin takes it as an item's name.

    Raises:
        UnusableNameError: It is empty or holds a slash.

    """
    if not name or "/" in name:
        raise UnusableNameError(f"{name!r} is no item name: it must not be empty or hold a slash.")
    return name


def derive_new_name(name: str, distinction: str) -> str:
    """Return another name for an item whose name is taken: the same for the same distinction, always."""
    suffix = suffix_of(name)
    return f"{name.removesuffix(suffix)}-{hash8(distinction)}{suffix}"


def derive_state_key(kind: str, *identity: str) -> str:
    """Return the plain key stem, in the state bucket, of what is known about one identity.

    Hashed, because identities hold any text and object stores do not; the entry itself names them in full.
    """
    digest = hashlib.sha256("\0".join(identity).encode(errors="surrogatepass")).hexdigest()
    return f"{kind}/{digest[:2]}/{digest}"


def derive_artifact_root(prefix: str, ref: ObjectRef, content: str, asked: str = "") -> str:
    """Return where the artifacts of one content of an object lie: always the same place, and nobody else's.

    What a route asks beyond the defaults (`Making.identity`) has a place of its own: a changed route leaves
    alone what an item is registered with. A hash makes it unique and plain; the stem of the key, as far as it
    is plain itself, is for people.
    """
    identity = f"{ref.provider}\x00{ref.bucket}\x00{ref.key}\x00{content}"
    if asked:
        identity += f"\x00{asked}"
    digest = hashlib.sha256(identity.encode(errors="surrogatepass")).hexdigest()[:24]
    stem = "".join(c for c in split_key(ref.key)["stem"] if c.isascii() and (c.isalnum() or c in "-_"))[:40]
    return f"{prefix}{digest[:2]}/{digest}{'-' if stem else ''}{stem}/"
