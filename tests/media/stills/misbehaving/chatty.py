"""A decoder that prints, and writes nonsense to its parent."""

import sys


def draw(files, _put, _arguments):
    sys.stdout.write("hello")
    files[0].raw._line._out.write(b"x" * 100)
    files[0].raw._line._out.flush()
    return {}
