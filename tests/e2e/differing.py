"""How the artifacts of a disturbed extraction differ from those of an undisturbed one, told in full."""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING

from PIL import Image, ImageChops

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from e2e.archive import Archive

MOST = 5
"""So many artifacts are told of; the others are counted."""


def tell_differences(
    archive: Archive, item: str, undisturbed: Mapping[str, bytes], again: Callable[[], Mapping[str, bytes]]
) -> str:
    """
    Say how the artifacts of an item differ from the undisturbed ones; nothing where they do not.

    Segments may: each part of a video is encoded for itself. `again` extracts once more, undisturbed.
    """
    made = archive.artifacts_of(item)
    root = archive.fields(item)["storage_thumbnail_key"].removesuffix("thumbnail.jpg")
    sums = {name: hashlib.md5(data, usedforsecurity=False).hexdigest() for name, data in undisturbed.items()}
    differing = sorted(name for name in made if made[name] != sums[name] and not name.endswith(".ts"))
    if not differing:
        return ""
    once_more = again()
    told = [
        describe(name, archive.object(root + name), undisturbed, once_more.get(name))
        for name in differing[:MOST]
    ]
    return "\n".join([f"{len(differing)} of {len(made)} artifacts differ from the undisturbed run:", *told])


def describe(name: str, found: bytes, undisturbed: Mapping[str, bytes], once_more: bytes | None) -> str:
    """Say of one artifact what may tell where its difference comes from."""
    usual = undisturbed[name]
    pairs = enumerate(zip(usual, found, strict=False))
    first = next((place for place, (one, other) in pairs if one != other), min(len(usual), len(found)))
    twins = [other for other, data in undisturbed.items() if data == found]
    return "; ".join(
        [
            f"{name}: {len(usual)} bytes undisturbed, {len(found)} found, the same up to byte {first}",
            _pixels(usual, found),
            f"the undisturbed run has what was found as {twins or 'nothing'}",
            f"a second undisturbed run gives {_which(once_more, usual, found)}",
        ]
    )


def _which(once_more: bytes | None, usual: bytes, found: bytes) -> str:
    if once_more is None:
        return "nothing of this name"
    return {usual: "what the first gave", found: "what was found"}.get(once_more, "a third thing")


def _pixels(usual: bytes, found: bytes) -> str:
    """Say whether two files show the same picture, and if not, where they differ and by how much."""
    try:
        one, other = (Image.open(io.BytesIO(data)) for data in (usual, found))
        shapes = [(one.size, one.mode), (other.size, other.mode)]
        if shapes[0] != shapes[1]:
            return f"pictures of {shapes[0]} undisturbed, {shapes[1]} found"
        difference = ImageChops.difference(one.convert("RGB"), other.convert("RGB"))
    except OSError as error:
        return f"no pictures that can be compared ({error})"
    box = difference.getbbox()
    if box is None:
        return "the pixels are the same"
    red, green, blue = difference.split()
    worst = ImageChops.lighter(ImageChops.lighter(red, green), blue)
    count = sum(worst.histogram()[1:])
    return f"{count} pixels differ, all within {box}, by {worst.getextrema()[1]} of 255 at most"
