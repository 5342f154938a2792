"""A decoder that writes a file."""

from pathlib import Path


def draw(_files, _put, arguments):
    Path(arguments["path"]).write_bytes(b"x" * 5)
    return {}
