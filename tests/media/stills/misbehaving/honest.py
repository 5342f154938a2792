"""A decoder that tells what it sees."""

import os
import resource
from pathlib import Path


def draw(files, _put, _arguments):
    return {
        "read": [len(file.read()) for file in files],
        "environment": sorted(os.environ),  # noqa: TID251 - shows that it is empty
        "pid": os.getpid(),
        "descriptors": len(list(Path("/proc/self/fd").iterdir())),
        "memory": resource.getrlimit(resource.RLIMIT_AS),
    }
