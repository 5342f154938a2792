"""A function's instances: what is deployed, under the real functions-framework, as on Cloud Run."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from beagle.playground.ministack import free_port
from beagle.playground.packaging import build_source, project_root
from support.logs import read_log
from support.processes import descendants

START_SECONDS = 60.0
LOOK_SECONDS = 0.1


class Instance:
    """
    One container: it is started anew whenever it ends by itself.

    gunicorn answers in it, with one process and a thread for each request at a time.
    """

    def __init__(
        self, stage: str, folder: Path, environment: dict[str, str], concurrency: int, routes: Path | None
    ) -> None:
        source = build_source(project_root(), stage, folder / "source", routes=routes)
        self.name = folder.name
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/"
        self.starts = 0
        self._log = folder / "log"
        self._environment = {
            "PATH": str(Path(sys.executable).parent) + os.pathsep + os.defpath,
            "HOME": str(folder),
            "TMPDIR": str(folder),
            "PYTHONPATH": str(source),  # before the checkout's own package
            "PYTHONUNBUFFERED": "1",
            "FUNCTION_TARGET": "handler",
            "FUNCTION_SOURCE": str(source / "main.py"),
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "THREADS": str(concurrency),
            **environment,
        }
        self._stopping = threading.Event()
        self._start()
        self._keeper = threading.Thread(target=self._keep, daemon=True)
        self._keeper.start()

    def _start(self) -> None:
        self.starts += 1
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "functions_framework"],
                env=self._environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _keep(self) -> None:
        while not self._stopping.wait(LOOK_SECONDS):
            if self._process.poll() is not None:
                self._start()

    def wait_until_listening(self) -> None:
        """Return when it takes connections, as Cloud Run's own probe does."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                assert time.monotonic() < deadline, self.log
                time.sleep(LOOK_SECONDS)
            else:
                return

    def kill(self) -> None:
        """End the container as the machine's own end would."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def kill_worker(self) -> None:
        """End the process that works, as the want of memory would; gunicorn starts another."""
        for pid in descendants(self._process.pid):
            if pid != self._process.pid:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def stop(self) -> None:
        """End it for good."""
        self._stopping.set()
        self._keeper.join()
        self.kill()
        self._process.wait(10)

    @property
    def log(self) -> str:
        """What it has logged so far."""
        return read_log(self._log)
