"""What is installed once for a lock file, below .cache."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
from typing import TYPE_CHECKING

from support.own_venv import CACHE, NotInstalledError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SECONDS = 600


def installed(name: str, lock_file: Path, command: Sequence[str], *, beside: Sequence[Path] = ()) -> Path:
    """
    Return a folder in which a command was run that installs what a lock file pins.

    The command finds copies of the lock file, and of what is `beside` it, in the folder.

    Raises:
        NotInstalledError: The command failed.

    """
    folder = CACHE / name
    wanted = hashlib.sha256(lock_file.read_bytes() + "\n".join(command).encode()).hexdigest()
    stamp = folder / "installed-lock"
    CACHE.mkdir(exist_ok=True)
    with (CACHE / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.read_text() != wanted:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            for file in (lock_file, *beside):
                shutil.copy(file, folder)
            done = subprocess.run(
                command, cwd=folder, check=False, capture_output=True, text=True, timeout=SECONDS
            )
            if done.returncode:
                raise NotInstalledError(f"{name} could not be installed: {done.stderr[-400:]}")
            stamp.write_text(wanted)
    return folder
