"""Environments for programs whose dependencies are not ours: one each, installed once for its lock file."""

import fcntl
import hashlib
import subprocess
import sys
from pathlib import Path

CACHE = Path(__file__).parents[2] / ".cache"


class NotInstalledError(RuntimeError):
    """pip could not install it; the message says why."""


def own_venv(name: str, lock_file: Path, python: str = sys.executable) -> Path:
    """
    Return the folder of programs of an environment of a Python that holds exactly what the lock file pins.

    Raises:
        NotInstalledError: It cannot be installed.

    """
    venv = CACHE / f"{name}-venv"
    wanted = hashlib.sha256(lock_file.read_bytes()).hexdigest()
    installed = venv / "installed-lock"
    CACHE.mkdir(exist_ok=True)
    with (CACHE / f"{name}-venv.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not installed.exists() or installed.read_text() != wanted:
            subprocess.run([python, "-m", "venv", "--clear", venv], check=True)
            pip = [
                str(venv / "bin" / "python"),
                "-m",
                "pip",
                "--disable-pip-version-check",
                "install",
                "--quiet",
            ]
            # The lock file is complete, and older pips stumble over what others ask for with extras.
            pip += ["--require-hashes", "--no-deps", "--only-binary", ":all:", "-r", str(lock_file)]
            done = subprocess.run(pip, check=False, capture_output=True, text=True, timeout=600)
            if done.returncode:
                raise NotInstalledError(f"{name} could not be installed: {done.stderr[-400:]}")
            installed.write_text(wanted)
    return venv / "bin"
