"""What is deployed on Azure: an app for each stage, with its wheels where Azure's worker looks for them."""

import fcntl
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from beagle.playground.packaging import build_app, project_root
from beagle.playground.wheels import lambda_interpreter

ROOT = project_root()
SITE = Path(".python_packages", "lib", "site-packages")
# The wheels are downloaded once, by one worker.
pytestmark = pytest.mark.xdist_group("packages")
TELL = (
    "import json, function_app as app;"
    "print(json.dumps([one.get_function_name() for one in app.app.get_functions()]))"
)


@pytest.fixture(scope="module")
def register() -> Iterator[Path]:
    """The smallest of them; what was built before is found again."""
    folder = ROOT / ".cache" / "package" / "azure"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield build_app(ROOT, "register", folder / "register")


def test_an_app_carries_what_runs_and_nothing_else(register: Path) -> None:
    """Its entry point and no other, what the host is told, and no command line, no emulated worlds."""
    top, wheels = ({path.name for path in folder.iterdir()} for folder in (register, register / SITE))

    assert top - {"__pycache__"} == {
        ".python_packages",
        "beagle",
        "function_app.py",
        "host.json",
        "register.py",
    }
    assert {"azure", "obstore", "pydantic"} <= wheels
    assert not {"PIL", "numpy", "imageio_ffmpeg", "typer", "boto3"} & wheels
    assert not [name for name in ("cli", "emulator", "playground") if (register / "beagle" / name).exists()]


def test_machine_code_is_for_azures_machines(register: Path) -> None:
    """Flex Consumption has x86 only."""
    libraries = [*register.rglob("*.so"), *register.rglob("*.so.*")]

    assert libraries
    for path in libraries:
        assert path.read_bytes()[:20][18:] == b"\x3e\x00"


def test_the_same_sources_give_the_same_bytes(register: Path, tmp_path: Path) -> None:
    """Or every deployment would bring every package anew; routes come along, beside the entry point."""
    routes = tmp_path / "routes.yaml"
    routes.write_text("team: acme\n")
    shutil.rmtree(register.with_name("again"), ignore_errors=True)
    again = contents(build_app(ROOT, "register", register.with_name("again"), routes=routes))

    assert again.pop("routes.yaml") == routes.read_bytes()
    assert again == contents(register)


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def test_what_azure_is_given_starts(register: Path) -> None:
    """With nothing but itself, on the Python that Azure runs: the app has the function of its stage."""
    python = lambda_interpreter()
    if python is None or platform.machine() != "x86_64" or sys.platform != "linux":
        pytest.skip("no Python 3.13 on x86 Linux here, for which the apps are built")
    environment = {"PATH": os.defpath, "PYTHONPATH": str(SITE), "BEAGLE_STAGES": "register"}
    told = subprocess.run(
        [python, "-S", "-c", TELL], cwd=register, env=environment, capture_output=True, text=True, check=True
    )

    assert json.loads(told.stdout) == ["register"]
