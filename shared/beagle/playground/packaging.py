"""Build the folder that `template.yaml` deploys: entry points, the package and its dependencies."""

import argparse
import hashlib
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

# The template's Runtime and Architectures, in pip's words. Amazon Linux 2023 has glibc 2.34, and pip wants
# every older one named as well.
LAMBDA_PYTHON = "3.13"
LAMBDA_MACHINE = "aarch64"
LAMBDA_GLIBC = range(34, 16, -1)
# Deployed functions have no use for the command line, nor for the worlds it plays in.
LEFT_AT_HOME = frozenset({"cli", "emulator", "playground"})
# Nothing is older than a zip file can say, and equal content must give equal bytes.
ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)


class Target(StrEnum):
    """Where the functions will run."""

    LAMBDA = "lambda"
    """On AWS: with the pinned dependencies, for Lambda's machine."""
    LOCAL = "local"
    """On the local AWS, which runs functions in this interpreter: its installed packages serve."""


def project_root() -> Path:
    """Return the checkout that this package runs from: only that holds the template and the entry points."""
    root = Path(__file__).resolve().parents[3]
    if not (root / "template.yaml").is_file():
        raise FileNotFoundError(
            f"There is no template.yaml in {root}: build and deploy from a checkout (make install)."
        )
    return root


def build_functions(
    root: Path, out: Path, *, target: Target = Target.LAMBDA, routes: Path | None = None
) -> Path:
    """
    Build the functions of `root` into `out` and return it, at once if nothing changed since the last time.

    A routes file lands beside the entry points as `routes.yaml`; without, the template's parameters decide.
    """
    inputs = dict(_inputs(root, routes))
    requirements = root / "functions" / "aws" / "requirements.txt"
    interpreter = sys.executable if target is Target.LOCAL else lambda_interpreter()
    digest = _digest(inputs, requirements, f"{target} {sys.version} {interpreter}")
    stamp = out.with_name(out.name + f".{target}.stamp")
    if out.is_dir() and stamp.is_file() and stamp.read_text() == digest:
        return out

    for old in out.parent.glob(out.name + ".*.stamp"):
        old.unlink()
    shutil.rmtree(out, ignore_errors=True)
    if target is Target.LAMBDA:
        shutil.copytree(_dependencies(requirements, out.parent), out)
    for name, source in inputs.items():
        copy = out / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, copy)
    if interpreter is not None:
        _compile(out, interpreter)
    stamp.write_text(digest)
    return out


def lambda_interpreter() -> str | None:
    """Return a Python of Lambda's version on this machine: only its bytecode is of use there."""
    for candidate in (sys.executable, shutil.which(f"python{LAMBDA_PYTHON}")):
        if candidate is not None:
            ask = [candidate, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
            told = subprocess.run(ask, check=False, capture_output=True, text=True)  # noqa: S603 - a Python
            if told.stdout.strip() == LAMBDA_PYTHON:
                return candidate
    return None


def _compile(out: Path, interpreter: str) -> None:
    """Compile ahead what is deployed: a function cannot keep bytecode, so each cold start would do it."""
    # A zip file forgets the times of its files, hence the hash; -d keeps this machine's paths out.
    options = ["-q", "--invalidation-mode", "unchecked-hash", "-d", ""]
    subprocess.run([interpreter, "-m", "compileall", *options, "."], cwd=out, check=True)  # noqa: S603 - a Python


def zip_folder(folder: Path) -> Path:
    """Zip a folder beside itself; equal content gives equal bytes, so that a deployment sees no change."""
    archive = folder.with_name(folder.name + ".zip")
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as writer:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), ZIP_EPOCH)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            writer.writestr(entry, path.read_bytes())
    return archive


def _inputs(root: Path, routes: Path | None) -> Iterator[tuple[str, Path]]:
    for entry_point in sorted((root / "functions" / "aws").glob("*.py")):
        yield entry_point.name, entry_point
    package = root / "shared" / "beagle"
    for path in sorted(package.rglob("*")):
        place = path.relative_to(package)
        if path.is_file() and "__pycache__" not in place.parts and place.parts[0] not in LEFT_AT_HOME:
            yield f"beagle/{place.as_posix()}", path
    if routes is not None:
        yield "routes.yaml", routes


def _digest(inputs: dict[str, Path], requirements: Path, conditions: str) -> str:
    digest = hashlib.sha256(conditions.encode())
    for name, path in {**inputs, "requirements.txt": requirements}.items():
        digest.update(f"\n{name}\n{hashlib.sha256(path.read_bytes()).hexdigest()}".encode())
    return digest.hexdigest()


def _dependencies(requirements: Path, folder: Path) -> Path:
    """Install the pinned wheels for Lambda's machine into a folder that later builds find again."""
    version = hashlib.sha256(requirements.read_bytes() + LAMBDA_PYTHON.encode()).hexdigest()[:12]
    installed = folder / f"dependencies-{version}"
    if installed.is_dir():
        return installed
    unfinished = folder / f"dependencies-{version}.unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    machines = [f"manylinux_2_{glibc}_{LAMBDA_MACHINE}" for glibc in LAMBDA_GLIBC]
    command = [
        *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"),
        *("--require-hashes", "--no-deps", "--requirement", str(requirements), "--target", str(unfinished)),
        *("--only-binary", ":all:", "--implementation", "cp", "--python-version", LAMBDA_PYTHON),
        *(
            part
            for machine in [*machines, f"manylinux2014_{LAMBDA_MACHINE}"]
            for part in ("--platform", machine)
        ),
    ]
    subprocess.run(command, check=True)  # noqa: S603 - our own interpreter and our own arguments
    return unfinished.rename(installed)


def main() -> None:
    """Build for AWS, where `sam deploy` looks for it."""
    parser = argparse.ArgumentParser(prog="python -m beagle.playground.packaging", description=main.__doc__)
    parser.add_argument("--routes", type=Path, help="a routes.yaml to deploy with the functions")
    root = project_root()
    out = build_functions(root, root / ".build" / "functions" / "aws", routes=parser.parse_args().routes)
    print(out)  # noqa: T201 - the one thing a caller of this command wants to know


if __name__ == "__main__":
    main()
