"""A decoder that writes where it must not."""

import ctypes


def draw(files, put, arguments):
    ctypes.string_at(0)
