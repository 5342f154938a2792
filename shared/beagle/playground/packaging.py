"""What is deployed: a package for each function, and on AWS the layer with ffmpeg."""

import hashlib
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from beagle.playground.wheels import LAMBDA_MACHINE, LEFT_OUT, install_wheels, lambda_interpreter

FUNCTIONS = ("prepare", "extract", "register")
# Deployed functions have no use for the command line, nor for the worlds it plays in.
LEFT_AT_HOME = frozenset({"cli", "costs", "emulator", "playground"})
# Lambda's names of processors, in the words of wheels.
MACHINES = {"arm64": "aarch64", "x86_64": "x86_64"}
AZURE_MACHINE = "x86_64"
# Nothing is older than a zip file can say, and equal content must give equal bytes.
ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)


def project_root() -> Path:
    """Return the checkout that this package runs from: only that holds the template and the entry points."""
    root = Path(__file__).resolve().parents[3]
    if not (root / "template.yaml").is_file():
        raise FileNotFoundError(
            f"There is no template.yaml in {root}: build and deploy from a checkout (make install)."
        )
    return root


def build_function(
    root: Path, name: str, out: Path, *, machine: str = LAMBDA_MACHINE, routes: Path | None = None
) -> Path:
    """
    Build what one function needs on Lambda, its pinned dependencies included, and return the folder.

    It is left alone if nothing changed since the last time. A routes file lands beside the entry point as
    `routes.yaml`; without, the template's parameters decide.
    """
    requirements = root / "functions" / "aws" / f"requirements-{name}.txt"
    interpreter = lambda_interpreter()
    digest = _digest(
        {**dict(_inputs(root, (name,), routes)), "requirements.txt": requirements},
        machine,
        interpreter,
        *LEFT_OUT,
    )
    if not _is_built(out, digest):
        shutil.copytree(install_wheels(requirements, out.parent, machine=machine), out)
        _fill(out, dict(_inputs(root, (name,), routes)), interpreter, digest)
    return out


def build_source(root: Path, name: str, out: Path, *, routes: Path | None = None) -> Path:
    """
    Build what one function brings to Google Cloud, and return the folder.

    Cloud Build installs the pinned dependencies, refuses what has another hash, and looks for `main.py`.
    """
    function = root / "functions" / "gcp"
    shutil.rmtree(out, ignore_errors=True)
    entry = {"main.py": function / f"{name}.py", "requirements.txt": function / f"requirements-{name}.txt"}
    _copy(out, {**entry, **dict(_shared_inputs(root, routes))})
    return out


def build_app(root: Path, name: str, out: Path, *, routes: Path | None = None) -> Path:
    """
    Build the function app of one stage on Azure, its pinned dependencies where Azure looks for them.

    Apps differ in what they depend on. It is left alone if nothing changed since the last time.
    """
    function = root / "functions" / "azure"
    requirements = function / f"requirements-{name}.txt"
    entry = {file: function / file for file in ("function_app.py", f"{name}.py", "host.json")}
    inputs = {**entry, **dict(_shared_inputs(root, routes))}
    interpreter = lambda_interpreter()  # Azure's Python is the same
    conditions = (AZURE_MACHINE, interpreter, *LEFT_OUT)
    if not _is_built(out, digest := _digest({**inputs, "requirements.txt": requirements}, *conditions)):
        wheels = install_wheels(requirements, out.parent, machine=AZURE_MACHINE)
        shutil.copytree(wheels, out / ".python_packages" / "lib" / "site-packages")
        _fill(out, inputs, interpreter, digest)
    return out


def build_local(root: Path, out: Path, *, routes: Path | None = None) -> Path:
    """Build all functions for the local AWS, which runs them in this interpreter, with its packages."""
    inputs = dict(_inputs(root, FUNCTIONS, routes))
    digest = _digest(inputs, sys.version, sys.executable)
    if not _is_built(out, digest):
        _fill(out, inputs, sys.executable, digest)
    return out


def build_layer(root: Path, out: Path, *, machine: str = LAMBDA_MACHINE) -> Path:
    """Build the layer with ffmpeg out of the wheel that brings it: Lambda finds programs in a layer's bin."""
    requirements = root / "layers" / "ffmpeg" / "requirements.txt"
    digest = _digest({"requirements.txt": requirements}, machine)
    if not _is_built(out, digest):
        wheels = install_wheels(requirements, out.parent, machine=machine)
        [binary] = (wheels / "imageio_ffmpeg" / "binaries").glob("ffmpeg-linux-*")
        (out / "bin").mkdir(parents=True)
        shutil.copyfile(binary, out / "bin" / "ffmpeg")
        (out / "bin" / "ffmpeg").chmod(0o755)
        _stamp(out).write_text(digest)
    return out


def zip_folder(folder: Path) -> Path:
    """Zip a folder beside itself; equal content gives equal bytes, so that a deployment sees no change."""
    archive = folder.with_name(folder.name + ".zip")
    unfinished = archive.with_suffix(".unfinished")
    with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as writer:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), ZIP_EPOCH)
            entry.external_attr = (0o755 if path.stat().st_mode & 0o100 else 0o644) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            writer.writestr(entry, path.read_bytes(), compresslevel=1)
    return unfinished.replace(archive)


def _inputs(root: Path, functions: tuple[str, ...], routes: Path | None) -> Iterator[tuple[str, Path]]:
    for name in functions:
        yield f"{name}.py", root / "functions" / "aws" / f"{name}.py"
    yield from _shared_inputs(root, routes)


def _shared_inputs(root: Path, routes: Path | None) -> Iterator[tuple[str, Path]]:
    package = root / "shared" / "beagle"
    for path in sorted(package.rglob("*")):
        place = path.relative_to(package)
        if path.is_file() and "__pycache__" not in place.parts and place.parts[0] not in LEFT_AT_HOME:
            yield f"beagle/{place.as_posix()}", path
    if routes is not None:
        yield "routes.yaml", routes


def _digest(inputs: Mapping[str, Path], *conditions: str | None) -> str:
    digest = hashlib.sha256(repr(conditions).encode())
    for name, path in inputs.items():
        digest.update(f"\n{name}\n{hashlib.sha256(path.read_bytes()).hexdigest()}".encode())
    return digest.hexdigest()


def _stamp(out: Path) -> Path:
    return out.with_name(f"{out.name}.stamp")


def _is_built(out: Path, digest: str) -> bool:
    """Say whether the folder holds this very build; otherwise clear its place."""
    if out.is_dir() and _stamp(out).is_file() and _stamp(out).read_text() == digest:
        return True
    _stamp(out).unlink(missing_ok=True)
    shutil.rmtree(out, ignore_errors=True)
    out.parent.mkdir(parents=True, exist_ok=True)
    return False


def _fill(out: Path, inputs: Mapping[str, Path], interpreter: str | None, digest: str) -> None:
    _copy(out, inputs)
    if interpreter is not None:
        _compile(out, interpreter)
    _stamp(out).write_text(digest)


def _copy(out: Path, inputs: Mapping[str, Path]) -> None:
    for name, source in inputs.items():
        copy = out / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, copy)


def _compile(out: Path, interpreter: str) -> None:
    """Compile ahead what is deployed: a function cannot keep bytecode, so each cold start would do it."""
    # A zip file forgets the times of its files, hence the hash; -d keeps this machine's paths out. A seed
    # keeps sets of constants in one order, so that the same source gives the same bytes.
    options = ["-q", "--invalidation-mode", "unchecked-hash", "-d", ""]
    subprocess.run(  # noqa: S603 - a Python
        [interpreter, "-m", "compileall", *options, "."], cwd=out, check=True, env={"PYTHONHASHSEED": "0"}
    )


def archive_of(package: Path) -> Path:
    """Return the zip file of a package; one that is newer than the build is left alone."""
    archive = package.with_name(f"{package.name}.zip")
    if archive.is_file() and archive.stat().st_mtime_ns > _stamp(package).stat().st_mtime_ns:
        return archive
    return zip_folder(package)
