"""What parent and child say to each other: a line of JSON and bytes, each with its length before it.

JSON and never pickle: a child that an image took over must not be able to run code in its parent.
"""

from __future__ import annotations

import json
import struct
from typing import Any

HEAD = struct.Struct(">IQ")
LONGEST_WORDS = 4 * 1024 * 1024
LONGEST_TASK = 64 * 1024 * 1024
"""Words of the parent's, which may name the ten thousand slices of a series by keys of a kilobyte each."""
LONGEST_DATA = 256 * 1024 * 1024
LONGEST_READ = 8 * 1024 * 1024

OUT_OF_MEMORY = 77
"""How a child ends that has no memory left to say so."""

Words = dict[str, Any]


def pack(words: Words, length: int) -> bytes:
    """Return what goes before the bytes of a message."""
    line = json.dumps(words).encode()
    return HEAD.pack(len(line), length) + line


def unpack_head(head: bytes, longest_words: int = LONGEST_WORDS) -> tuple[int, int]:
    """Return the lengths of a message's words and bytes.

    Raises:
        ValueError: No honest message is so long.

    """
    words, data = HEAD.unpack(head)
    if words > longest_words or data > LONGEST_DATA:
        raise ValueError("The message is too long.")
    return words, data


def unpack_words(line: bytes) -> Words:
    """Return a message's words.

    Raises:
        ValueError: They are no JSON object.

    """
    words = json.loads(line)
    if not isinstance(words, dict):
        raise ValueError("The message is no object.")  # noqa: TRY004 - one error for all that is malformed
    return words
