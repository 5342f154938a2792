"""Our process holds credentials, and what it starts runs as the same user."""

import subprocess
import sys

import pytest

SPY = """
import contextlib, ctypes, os, subprocess, sys
sys.path[:0] = sys.argv[1:]
from beagle.media import sandbox
from beagle.media.child import Children

class Hour:
    def remaining(self):
        return 3600

def spy():
    look = ["/bin/cat", f"/proc/{os.getpid()}/environ"]
    return b"canary" in subprocess.run(look, capture_output=True).stdout

if os.getuid() == 0:  # whom nothing is hidden from
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
    ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)  # as in a process that began as this user
print(spy())
START
print(spy())
"""

STARTS = {
    "ffmpeg": 'sandbox.run(lambda *_: ["/bin/true"], b"x", [], deadline=Hour(), limits=sandbox.Limits())',
    "decoder": "with contextlib.suppress(OSError), Children() as children: children.warm()",
}


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux closes a process to others of its user")
@pytest.mark.parametrize("start", STARTS.values(), ids=list(STARTS))
def test_no_child_can_read_the_credentials_in_our_environment(start):
    """Without the first of them started here it could: that is what the spy's first look shows."""
    said = subprocess.run(
        [sys.executable, "-c", SPY.replace("START", start), *filter(None, sys.path)],
        env={"AWS_SECRET_ACCESS_KEY": "canary", "TMPDIR": "/tmp"},  # noqa: S108 - where anybody may write
        capture_output=True,
        text=True,
        check=False,
    )

    assert (said.stdout.split(), said.stderr) == (["True", "False"], "")
