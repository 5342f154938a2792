"""The one place where whatever a decoder raises becomes a verdict on the object."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from PIL import Image

from beagle.domain.errors import BeagleError, MediaTooLargeError, UnreadableMediaError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def decoding(what: str, *, pixels: int) -> Iterator[None]:
    """Turn a decoder's trouble within into a verdict; no image within may have more pixels.

    Raises:
        MediaTooLargeError: It needs more pixels or memory than allowed.
        UnreadableMediaError: It is damaged; decoders say so by any exception at all.

    """
    Image.MAX_IMAGE_PIXELS = pixels // 2 or 1  # Pillow warns above, and raises above twice that
    try:
        yield
    except BeagleError:
        raise
    except MemoryError as error:
        raise MediaTooLargeError(f"The {what} needs more memory than allowed.") from error
    except Image.DecompressionBombError as error:
        raise MediaTooLargeError(f"The {what} has too many pixels: {error}", pixels=pixels) from error
    except Exception as error:
        raise UnreadableMediaError(
            f"The {what} cannot be decoded: {error or type(error).__name__}", error=type(error).__name__
        ) from error
