"""A decoder that leaves another process behind."""

import os
import time


def draw(_files, _put, _arguments):
    pid = os.fork()
    if pid == 0:
        time.sleep(600)
        os._exit(0)
    return {"pid": pid}
