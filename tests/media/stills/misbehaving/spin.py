"""A decoder that never ends, and burns the processor."""


def draw(files, put, arguments):
    while True:
        pass
