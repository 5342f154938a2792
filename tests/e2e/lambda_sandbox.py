"""The place in which Lambda runs a function: read-only but for /tmp, with Lambda's own runtime in it."""

import fcntl
import platform
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from beagle.playground.packaging import build_function, build_layer, project_root
from beagle.playground.stack import Function
from beagle.playground.wheels import LAMBDA_PYTHON, install_wheels, lambda_interpreter

ROOT = project_root()
CACHE = ROOT / ".cache"
REQUIREMENTS = Path(__file__).with_name("lambda-requirements.txt")
PYTHON = f"/var/lang/bin/python{LAMBDA_PYTHON}"
# As Lambda sets them; the function's own come on top.
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
ENVIRONMENT = {
    "LANG": "en_US.UTF-8",
    "TZ": ":UTC",
    "PATH": "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin",
    "LD_LIBRARY_PATH": "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/task:/var/task/lib:/opt/lib",
    "LAMBDA_TASK_ROOT": "/var/task",
    "LAMBDA_RUNTIME_DIR": "/var/runtime",
    # Lambda's own start-up script puts the first three there.
    "PYTHONPATH": f"/var/task:/opt/python/lib/python{LAMBDA_PYTHON}/site-packages:/opt/python:/var/runtime",
}
LIBRARIES = ("/usr/lib", "/usr/lib64", "/lib", "/lib64", "/etc")
# Of the machine's programs only these: what a function needs besides must be in its package or layer.
PROGRAMS = ("sh", "rmdir", "touch", "true")
USER = ("--uid", "993", "--gid", "990")


class NotHereError(RuntimeError):
    """This machine cannot run Lambda's runtime; the message says what it lacks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sandbox:
    """
    Runs programs where a function would find itself.

    The machine's own system stands for Amazon Linux, its Python 3.13 for Lambda's; the network is the
    machine's, and so are its processors.
    """

    task: Path
    runtime: Path
    layer: Path | None = None
    tmp_megabytes: int = 512
    frozen: bool = True

    def command(self, program: list[str], environment: Mapping[str, str]) -> list[str]:
        """Return the command that runs a program there, with no other environment than this and Lambda's."""
        bind = "--ro-bind" if self.frozen else "--bind"
        words = [
            *(_bubblewrap(), "--die-with-parent", "--new-session", "--clearenv"),
            *(
                "--unshare-user",
                *USER,
                "--unshare-pid",
                "--unshare-ipc",
                "--unshare-uts",
                "--hostname",
                "lambda",
            ),
        ]
        for path in map(Path, LIBRARIES):
            if path.is_symlink():
                words += ["--symlink", str(path.readlink()), str(path)]
            elif path.exists():
                words += ["--ro-bind", str(path), str(path)]
        for name in PROGRAMS:
            words += ["--ro-bind", str(shutil.which(name)), f"/usr/bin/{name}"]
        words += ["--symlink", "usr/bin", "/bin", "--ro-bind", str(_python_folder()), "/var/lang"]
        installed = f"lib/python{LAMBDA_PYTHON}/site-packages"
        if (_python_folder() / installed).is_dir():  # what this machine adds to its Python stays out
            words += ["--tmpfs", f"/var/lang/{installed}", "--remount-ro", f"/var/lang/{installed}"]
        words += [
            *("--ro-bind", str(self.runtime), "/var/runtime"),
            *(bind, str(self.task), "/var/task"),
            *((bind, str(self.layer), "/opt") if self.layer else ("--dir", "/opt")),
            *("--proc", "/proc", "--dev", "/dev", "--remount-ro", "/dev"),
            *("--size", str(self.tmp_megabytes << 20), "--tmpfs", "/tmp", "--remount-ro", "/"),  # noqa: S108 - Lambda's
            *("--chdir", "/var/task"),
        ]
        for name, value in {**ENVIRONMENT, **environment}.items():
            words += ["--setenv", name, value]
        return [*words, *program]

    def run(self, *program: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a program there to its end."""
        command = self.command(list(program), environment)
        return subprocess.run(command, env={}, capture_output=True, text=True, timeout=60, check=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Packages:
    """What is deployed, built for this machine, and the runtime that Lambda adds."""

    functions: Mapping[str, Path]
    layer: Path
    runtime: Path
    frozen: bool = True
    """As on Lambda; otherwise functions and layer can be written to, to see whether anybody does."""

    def sandbox(self, function: Function, *, layer: bool = False, tmp_megabytes: int = 512) -> Sandbox:
        """Return the place of a function."""
        return Sandbox(
            task=self.functions[function],
            runtime=self.runtime,
            layer=self.layer if layer else None,
            tmp_megabytes=tmp_megabytes,
            frozen=self.frozen,
        )


def packages() -> Packages:
    """
    Build what is deployed, as `make build` does, but for this machine's processor.

    Raises:
        NotHereError: This machine cannot run it.

    """
    _require_sandbox()
    machine = platform.machine()
    folder = CACHE / "package" / machine
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:  # the claims about packages build there, too
        fcntl.flock(lock, fcntl.LOCK_EX)
        runtime = install_wheels(REQUIREMENTS, folder, machine=machine)
        _compile(runtime)
        return Packages(
            functions={
                name: build_function(ROOT, name, folder / name, machine=machine)
                for name in ("prepare", "extract", "register")
            },
            layer=build_layer(ROOT, folder / "ffmpeg", machine=machine),
            runtime=runtime,
        )


def _compile(runtime: Path) -> None:
    """Compile Lambda's part of the libraries, as it comes on Lambda."""
    done = runtime / "compiled"
    if not done.exists():
        command = [
            str(lambda_interpreter()),
            "-m",
            "compileall",
            "-q",
            "--invalidation-mode",
            "unchecked-hash",
            ".",
        ]
        subprocess.run(command, cwd=runtime, check=True)
        done.touch()


def _require_sandbox() -> None:
    if lambda_interpreter() is None:
        raise NotHereError(f"no Python {LAMBDA_PYTHON} on this machine, as Lambda runs it")
    if shutil.which("bwrap") is None:
        raise NotHereError(
            "no bubblewrap on this machine, which stands for Lambda's sandbox (the command bwrap)"
        )
    trial = [
        _bubblewrap(),
        "--unshare-user",
        *USER,
        "--unshare-pid",
        "--ro-bind",
        "/",
        "/",
        "--proc",
        "/proc",
        "true",
    ]
    tried = subprocess.run(trial, capture_output=True, text=True, check=False)
    if tried.returncode:
        raise NotHereError(f"bubblewrap may make no sandbox on this machine: {tried.stderr.strip()}")


def _bubblewrap() -> str:
    return shutil.which("bwrap") or "bwrap"


def _python_folder() -> Path:
    """Return where this machine's Python 3.13 and its library lie."""
    return Path(str(lambda_interpreter())).resolve().parents[1]
