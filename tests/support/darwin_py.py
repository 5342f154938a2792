"""V7's own SDK, darwin-py, in an environment of its own: its dependencies are not ours."""

from pathlib import Path

from support.own_venv import own_venv

EMULATOR_TESTS = Path(__file__).parents[1] / "emulator"
LOCK = EMULATOR_TESTS / "darwin-py-requirements.txt"
REGISTERS = EMULATOR_TESTS / "darwin_py_registers.py"


def sdk_python() -> Path:
    """
    Return the Python that has darwin-py, after installing it once for this lock file.

    Raises:
        NotInstalledError: It cannot be installed.

    """
    return own_venv("darwin-py", LOCK) / "python"
