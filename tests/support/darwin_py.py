"""V7's own SDK, darwin-py, in an environment of its own: its dependencies are not ours."""

import fcntl
import hashlib
import subprocess
import sys
from pathlib import Path

EMULATOR_TESTS = Path(__file__).parents[1] / "emulator"
LOCK = EMULATOR_TESTS / "darwin-py-requirements.txt"
REGISTERS = EMULATOR_TESTS / "darwin_py_registers.py"
CACHE = Path(__file__).parents[2] / ".cache"
VENV = CACHE / "darwin-py-venv"


class NotInstalledError(RuntimeError):
    """pip could not install it; the message says why."""


def sdk_python() -> Path:
    """
    Return the Python that has darwin-py, after installing it once for this lock file.

    Raises:
        NotInstalledError: It cannot be installed.

    """
    python = VENV / "bin" / "python"
    wanted = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    installed = VENV / "installed-lock"
    CACHE.mkdir(exist_ok=True)
    with (CACHE / "darwin-py-venv.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not installed.exists() or installed.read_text() != wanted:
            subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], check=True)
            pip = [python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
            pip += ["--require-hashes", "--only-binary", ":all:", "-r", LOCK]
            done = subprocess.run(pip, check=False, capture_output=True, text=True, timeout=600)
            if done.returncode:
                raise NotInstalledError(f"darwin-py could not be installed: {done.stderr[-400:]}")
            installed.write_text(wanted)
    return python
