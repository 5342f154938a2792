"""`python -m beagle.emulator`: an emulated Darwin to try things on, until Ctrl-C."""

import argparse
import contextlib
import sys
import threading

from .api import DEFAULT_KEY, DEFAULT_TEAM, EmulatedDarwin
from .server import serve


def main() -> None:
    """Serve the ready-made world and say how to reach it."""
    parser = argparse.ArgumentParser(prog="python -m beagle.emulator", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", default=8787, type=int, help="0 takes any free one (default: %(default)s)")
    arguments = parser.parse_args()
    with (
        serve(EmulatedDarwin.with_defaults(), arguments.host, arguments.port) as server,
        contextlib.suppress(KeyboardInterrupt),
    ):
        sys.stdout.write(f"{server.url}  team {DEFAULT_TEAM}  key {DEFAULT_KEY}\n")
        sys.stdout.flush()
        threading.Event().wait()


if __name__ == "__main__":
    main()
