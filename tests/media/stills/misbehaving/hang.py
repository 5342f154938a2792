"""A decoder that never ends."""

import time


def draw(_files, _put, _arguments):
    while True:
        time.sleep(1)
