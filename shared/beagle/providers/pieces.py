"""A download, piece by piece: as long as there is time, and room."""

from __future__ import annotations

import errno
import shutil
from typing import TYPE_CHECKING

from beagle.domain.errors import DecoderStoppedError, MediaTooLargeError, OutOfTimeError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from _typeshed import ReadableBuffer

    from beagle.ports import Deadline

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def write_pieces(pieces: Iterable[ReadableBuffer], to: Path, size: int, deadline: Deadline | None) -> None:
    """Write pieces, of a size in all, into a new file.

    Raises:
        MediaTooLargeError: The disk is smaller than that; no piece was asked for.
        OutOfTimeError: The deadline passed before the last of them came.
        DecoderStoppedError: The disk is too full, or became so. Others may have filled it: the next attempt
            looks again whether the object fits.

    """
    disk = shutil.disk_usage(to.parent)
    if size > disk.total:
        raise MediaTooLargeError(f"It has {size:,} bytes, and the disk {disk.total:,}.", size=size)
    if size > disk.free:
        raise DecoderStoppedError(f"It has {size:,} bytes, and the disk has {disk.free:,} left now.")
    with to.open("xb", buffering=0) as file:
        for piece in pieces:
            if deadline is not None and deadline.remaining() <= 0:
                raise OutOfTimeError("The invocation's time was over before the object was downloaded.")
            view = memoryview(piece)
            while view:
                try:
                    view = view[file.write(view) :]
                except OSError as error:
                    if error.errno not in _FULL:
                        raise
                    raise DecoderStoppedError(
                        "The disk became full while the object was downloaded onto it.", disk=str(to.parent)
                    ) from error
