"""A decoder that writes where it must not."""

import ctypes


def draw(_files, _put, _arguments):
    ctypes.string_at(0)
