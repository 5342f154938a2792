"""Pinned wheels for Lambda's machine, installed into folders that later builds find again."""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

# The template's Runtime and Architectures, in pip's words. Amazon Linux 2023 has glibc 2.34, and pip wants
# every older one named as well.
LAMBDA_PYTHON = "3.13"
LAMBDA_MACHINE = "aarch64"
LAMBDA_GLIBC = range(34, 16, -1)
# What packages bring along that no function opens; Lambda counts it against its 250 MB.
LEFT_OUT = ("tests", "f2py", "bin", "event_handler", "*.pyi", "*.h", "*.a")


def install_wheels(requirements: Path, folder: Path, *, machine: str) -> Path:
    """Install pinned wheels below a folder, at once if they are there; return where."""
    conditions = f"{LAMBDA_PYTHON} {machine} {LEFT_OUT}".encode()
    version = hashlib.sha256(requirements.read_bytes() + conditions).hexdigest()[:12]
    installed = folder / f"wheels-{version}"
    if installed.is_dir():
        return installed
    unfinished = folder / f"wheels-{version}.unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    machines = [f"manylinux_2_{glibc}_{machine}" for glibc in LAMBDA_GLIBC]
    command = [
        *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"),
        *("--require-hashes", "--no-deps", "--requirement", str(requirements), "--target", str(unfinished)),
        *("--only-binary", ":all:", "--implementation", "cp", "--python-version", LAMBDA_PYTHON),
        "--ignore-requires-python",  # pip would ask the Python it runs in; what is pinned fits Lambda's
        *(part for name in [*machines, f"manylinux2014_{machine}"] for part in ("--platform", name)),
    ]
    subprocess.run(command, check=True)  # noqa: S603 - our own interpreter and our own arguments
    for pattern in LEFT_OUT:
        for path in list(unfinished.rglob(pattern)):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
    return unfinished.rename(installed)


@cache
def lambda_interpreter() -> str | None:
    """Return a Python of Lambda's version on this machine: only its bytecode is of use there."""
    for candidate in _interpreters():
        if _told([candidate, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]) == LAMBDA_PYTHON:
            return candidate
    return None


def _interpreters() -> Iterator[str]:
    """Yield what may be it: this one, one on the PATH, or one that pyenv or uv keeps elsewhere."""
    yield sys.executable
    if found := shutil.which(f"python{LAMBDA_PYTHON}"):
        yield found
    if prefix := _told(["pyenv", "prefix", LAMBDA_PYTHON]):
        yield f"{prefix}/bin/python{LAMBDA_PYTHON}"
    if found := _told(["uv", "python", "find", "--no-python-downloads", "--managed-python", LAMBDA_PYTHON]):
        yield found


def _told(command: list[str]) -> str:
    """Return what a program prints; nothing if it is not there, or has nothing to tell."""
    try:
        told = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - none is a user's
    except OSError:
        return ""
    return told.stdout.strip() if told.returncode == 0 else ""
