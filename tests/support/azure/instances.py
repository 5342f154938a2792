"""Instances of function apps: Microsoft's worker, on the app as it is deployed, in a process of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from beagle.playground.packaging import project_root
from beagle.playground.wheels import lambda_interpreter
from support.azure.azurite import PACKAGE
from support.azure.installing import installed
from support.logs import read_log
from support.own_venv import own_venv

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = project_root()
HOST = Path(__file__).with_name("host.py")
START_SECONDS = 60.0


@cache
def runtime() -> Path:
    """
    Return the folder of Microsoft's worker, which runs on other Pythons than it says too.

    Raises:
        NotInstalledError: It cannot be installed.

    """
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--target", "."]
    pip += ["--require-hashes", "--no-deps", "--ignore-requires-python", "--only-binary", ":all:"]
    lock_file = PACKAGE / "runtime-requirements.txt"
    return installed("azure-runtime", lock_file, [*pip, "-r", lock_file.name])


@cache
def deployed_python() -> str | None:
    """Return a Python of the deployed version that has what register carries; None where there is none."""
    found = lambda_interpreter()  # the functions on Azure have the same one
    if found is None:
        return None
    lock_file = ROOT / "functions" / "azure" / "requirements-register.txt"
    return str(own_venv("azure-register", lock_file, found) / "python")


def lay_out(folder: Path, routes: str = "") -> Path:
    """Lay out an app as it is deployed, but for its packages."""
    folder.mkdir(parents=True)
    for source in (ROOT / "functions" / "azure").glob("*.*"):
        if source.suffix == ".py" or source.name == "host.json":
            shutil.copy(source, folder)
    if routes:
        (folder / "routes.yaml").write_text(routes)
    return folder


def environment_of(folder: Path, settings: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of an app's process: nothing of whoever runs the tests gets in."""
    return {
        "PATH": os.defpath,
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "PYTHONPATH": f"{ROOT / 'shared'}:{runtime()}",
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        **settings,
    }


class Instance:
    """One instance of an app; it is started anew when it was killed, if asked to."""

    def __init__(  # noqa: PLR0913 - what an instance is made of
        self,
        folder: Path,
        settings: Mapping[str, str],
        *,
        python: str = "",
        routes: str = "",
        deliveries: int | None = None,
        faster: float = 600,
        lease: int = 30,
    ) -> None:
        self._folder = lay_out(folder, routes)
        if deliveries:
            told = self._folder / "host.json"
            host = json.loads(told.read_text())
            host["extensions"]["queues"]["maxDequeueCount"] = deliveries
            told.write_text(json.dumps(host))
        self._log = folder / "log"
        self._environment = environment_of(folder, settings)
        waits = ["--faster", str(faster), "--lease", str(lease)]
        self._command = [python or sys.executable, str(HOST), str(folder), *waits]
        self.start()

    def start(self) -> None:
        """Start the process."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def wait_until_listening(self) -> None:
        """Return when the app is indexed."""
        deadline = time.monotonic() + START_SECONDS
        while '{"indexed"' not in self.log:
            assert self.running, self.log
            assert time.monotonic() < deadline, self.log
            time.sleep(0.05)

    def kill(self) -> None:
        """End it as the machine's own end would."""
        self._process.kill()
        self._process.wait(10)
        assert self._process.stdin is not None
        self._process.stdin.close()

    @property
    def running(self) -> bool:
        """Whether it is still there."""
        return self._process.poll() is None

    @property
    def log(self) -> str:
        """What it has logged so far."""
        return read_log(self._log)


def index(folder: Path, settings: Mapping[str, str], python: str) -> dict[str, dict[str, str]]:
    """Return the triggers that Microsoft's worker finds in an app, by the functions' names."""
    done = subprocess.run(
        [python, str(HOST), str(lay_out(folder)), "--index"],
        env=environment_of(folder, settings),
        capture_output=True,
        text=True,
        check=False,
        timeout=START_SECONDS,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, dict[str, str]] = json.loads(done.stdout.splitlines()[-1])["indexed"]
    return found
