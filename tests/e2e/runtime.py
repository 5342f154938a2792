"""What Lambda's runtime does, in a process of its own: an event a line comes in, an answer a line goes out.

python runtime.py FOLDER MODULE SECONDS
"""

import importlib
import json
import os
import sys
import time


class Context:
    """The part of Lambda's context that the functions use."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def get_remaining_time_in_millis(self) -> int:
        return int((self._end - time.monotonic()) * 1000)


def main(folder: str, module: str, seconds: str) -> None:
    """Answer until no more events come."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what the function prints is its log
    sys.path.insert(0, folder)
    handler = importlib.import_module(module).handler
    for line in sys.stdin:
        answers.write(json.dumps(handler(json.loads(line), Context(float(seconds)))) + "\n")
        answers.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
