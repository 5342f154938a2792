"""A decoder that tells what it sees."""

import os
import resource


def draw(files, put, arguments):
    return {
        "read": [len(file.read()) for file in files],
        "environment": sorted(os.environ),
        "pid": os.getpid(),
        "descriptors": len(os.listdir("/proc/self/fd")),
        "memory": resource.getrlimit(resource.RLIMIT_AS),
    }
