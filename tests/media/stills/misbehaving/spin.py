"""A decoder that never ends, and burns the processor."""


def draw(_files, _put, _arguments):
    while True:
        pass
