"""What is deployed on Lambda: a package for each function, and the layer with ffmpeg."""

import fcntl
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from beagle.playground.packaging import FUNCTIONS, build_function, build_layer, project_root
from beagle.playground.wheels import LAMBDA_MACHINE, lambda_interpreter

ROOT = project_root()
MEGABYTE = 1_000_000
LAMBDA_LIMIT = 262_144_000
"""Bytes, unzipped, of a function and its layers: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""
MACHINES = {"aarch64": 0xB7, "x86_64": 0x3E}
"""What an ELF file's header calls them."""

# The wheels are downloaded once, by one worker.
pytestmark = pytest.mark.xdist_group("packages")


@pytest.fixture(scope="module", params=MACHINES)
def machine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def built(machine: str) -> Iterator[Callable[[str], Path]]:
    """Return how to build a function or the layer; what was built before is found again."""
    folder = ROOT / ".cache" / "package" / machine
    folder.mkdir(parents=True, exist_ok=True)

    def build(name: str) -> Path:
        if name == "ffmpeg":
            return build_layer(ROOT, folder / name, machine=machine)
        return build_function(ROOT, name, folder / name, machine=machine)

    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield build


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def machine_of(path: Path) -> int | None:
    """Return an ELF file's machine; None for any other file."""
    with path.open("rb") as file:
        head = file.read(20)
    return int.from_bytes(head[18:20], "little") if head[:4] == b"\x7fELF" else None


def test_every_package_fits_into_lambda(built: Callable[[str], Path]) -> None:
    """Bytecode included; extract together with its layer. Register stays under 60 MB."""
    sizes = {name: size(built(name)) for name in (*FUNCTIONS, "ffmpeg")}

    assert sizes["register"] < 60 * MEGABYTE
    assert sizes["prepare"] < LAMBDA_LIMIT
    assert sizes["extract"] + sizes["ffmpeg"] < LAMBDA_LIMIT


@pytest.mark.parametrize("name", [*FUNCTIONS, "ffmpeg"])
def test_machine_code_is_for_the_machine(built: Callable[[str], Path], machine: str, name: str) -> None:
    """Whatever this machine is: every library and program says in its header for which it was made."""
    machines = {machine_of(path) for path in built(name).rglob("*") if path.is_file()} - {None}

    assert machines == {MACHINES[machine]}


def test_the_layer_holds_a_program(built: Callable[[str], Path]) -> None:
    """Lambda unpacks layers into /opt, and looks for programs in /opt/bin."""
    layer = built("ffmpeg")

    assert [path.relative_to(layer).as_posix() for path in layer.rglob("*") if path.is_file()] == [
        "bin/ffmpeg"
    ]
    assert os.access(layer / "bin" / "ffmpeg", os.X_OK)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_package_carries_what_runs_and_nothing_else(built: Callable[[str], Path], name: str) -> None:
    """Its entry point and no other; no boto3, which Lambda has; no command line, no emulated worlds."""
    package = built(name)
    top = {path.name for path in package.iterdir()}

    assert {"beagle", "obstore", "pydantic", f"{name}.py"} <= top
    assert not {f"{other}.py" for other in FUNCTIONS if other != name} & top
    assert not {"boto3", "botocore", "s3transfer", "typer", "rich", "ministack", "pytest"} & top
    assert not [
        folder for folder in ("cli", "emulator", "playground") if (package / "beagle" / folder).exists()
    ]
    assert not list(package.rglob("tests"))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_bytecode_comes_along(built: Callable[[str], Path], machine: str, name: str) -> None:
    """A function cannot keep what it compiles, so each cold start would do it anew."""
    if lambda_interpreter() is None:
        pytest.skip("no Python 3.13 on this machine, whose bytecode alone is of use on Lambda")
    assert machine in MACHINES
    sources = [path for path in built(name).rglob("*.py") if "__pycache__" not in path.parts]
    lacking = [
        path
        for path in sources
        if not (path.parent / "__pycache__" / f"{path.stem}.cpython-313.pyc").is_file()
    ]

    assert len(sources) > 100
    assert lacking == []


def test_the_template_asks_for_what_is_built_here() -> None:
    """Its processor is one of those above."""
    assert LAMBDA_MACHINE in MACHINES
