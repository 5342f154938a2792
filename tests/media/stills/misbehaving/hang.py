"""A decoder that never ends."""

import time


def draw(files, put, arguments):
    while True:
        time.sleep(1)
