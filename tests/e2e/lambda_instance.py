"""One instance of a function as Lambda runs it: its runtime asks for events here, one at a time."""

import contextlib
import json
import os
import signal
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Empty, SimpleQueue

from e2e.lambda_sandbox import PYTHON, Sandbox

INIT_SECONDS = 60.0
"""Ten on Lambda, on machines that do nothing else."""
TICK = 0.02
INVOCATION = "/2018-06-01/runtime/invocation/"
# What a runtime may post, and whether that is an answer to an event.
KINDS = {"response": "", "error": "Unhandled"}


@dataclass(frozen=True, slots=True)
class Answer:
    """How an invocation ended; `error` is Lambda's word for what went wrong, or empty."""

    body: bytes
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """A process in the sandbox, as the machine sees it."""

    id: int
    name: str
    memory: int
    """Bytes that only it holds, and that cannot be read again from a file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What Lambda allows an instance."""

    seconds: float
    memory_megabytes: int


class Instance:
    """
    A sandbox with a function in it, kept for one event after another.

    Lambda's way with it: initialising has its time, an event the function's time-out, then everything
    in the sandbox is killed. When its processes together hold more than the function's memory, the largest
    is killed, as Linux does; it is looked at every few milliseconds, so it can be a little more for so long.
    """

    def __init__(
        self, sandbox: Sandbox, environment: Mapping[str, str], bounds: Bounds, log: Path, starter: Executor
    ) -> None:
        self.bounds = bounds  # looked at all the time: who shortens them sees Lambda lose its patience
        self.init_seconds = 0.0
        self.most_memory = 0
        self._log = log
        self._told = 0
        self._ready = False
        self._events: SimpleQueue[tuple[str, bytes] | None] = SimpleQueue()
        self._news: SimpleQueue[Answer | None] = SimpleQueue()
        self._server = _serve(self)
        command = sandbox.command(
            [PYTHON, "-m", "awslambdaric", environment["_HANDLER"]],
            {**environment, "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self._server.server_port}"},
        )
        self._began = time.perf_counter()
        # The sandbox ends with the thread that started it, hence one that stays.
        self._process = starter.submit(_start, command, log).result()

    def run(self, event: bytes) -> Answer:
        """Hand over an event, and return what came of it."""
        if not self._ready:
            failure = self._await(lambda: INIT_SECONDS)
            if failure is not None:
                self.end()
                return failure
            self._ready = True
        self._events.put((str(uuid.uuid4()), event))
        return self._await(lambda: self.bounds.seconds) or Answer(b"", "Runtime.NoAnswer")

    @property
    def running(self) -> bool:
        """Whether it can take another event."""
        return self._process.poll() is None

    def processes(self) -> list[Process]:
        """List what runs in the sandbox."""
        return [process for child in _children(self._process.pid) for process in _tree(child)]

    def writable(self) -> set[str]:
        """List where files can be written in the sandbox, devices and the kernel's own left out."""
        mounts = Path(f"/proc/{self.processes()[0].id}/mountinfo").read_text().splitlines()
        places = {mount.split()[4] for mount in mounts if "rw" in mount.split()[5].split(",")}
        return {place for place in places if not place.startswith(("/dev/", "/proc"))}

    def left_in_tmp(self) -> list[str]:
        """List what lies in the sandbox's /tmp."""
        return [path.name for path in (Path("/proc", str(self.processes()[0].id), "root") / "tmp").iterdir()]

    def logged(self) -> str:
        """Return what it has logged since this was asked last."""
        with self._log.open("rb") as file:
            file.seek(self._told)
            text = file.read()
            self._told = file.tell()
        return text.decode(errors="replace")

    def end(self) -> None:
        """Kill everything in the sandbox; ending twice is harmless."""
        self._process.kill()
        self._process.wait()
        self._events.put(None)
        self._server.shutdown()
        self._server.server_close()

    def _await(self, seconds: Callable[[], float]) -> Answer | None:
        began = time.monotonic()
        while True:
            with contextlib.suppress(Empty):
                return self._news.get(timeout=TICK)
            if not self.running:
                with contextlib.suppress(Empty):  # it may have answered, and then died
                    return self._news.get(timeout=TICK)
                self.end()
                return _failure("Runtime.ExitError", f"Runtime exited: status {self._process.returncode}")
            if time.monotonic() - began > seconds():
                self.end()
                return _failure("Sandbox.Timedout", f"Task timed out after {seconds():.2f} seconds")
            self._bound_memory()

    def _bound_memory(self) -> None:
        processes = self.processes()
        used = sum(process.memory for process in processes)
        self.most_memory = max(self.most_memory, used)
        if used > self.bounds.memory_megabytes << 20:
            largest = max(processes, key=lambda process: process.memory)
            with contextlib.suppress(ProcessLookupError):
                os.kill(largest.id, signal.SIGKILL)

    # The runtime's side: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html

    def next_event(self) -> tuple[str, bytes] | None:
        """Wait for the next event; none when the instance ends."""
        if not self.init_seconds:
            self.init_seconds = time.perf_counter() - self._began
            self._news.put(None)
        return self._events.get()

    def take(self, path: str, body: bytes) -> None:
        """Take in what the runtime tells."""
        kind = path.rpartition("/")[2]
        self._news.put(Answer(body, KINDS[kind] if path.startswith(INVOCATION) else "Runtime.InitError"))


def _tree(process: int) -> Iterator[Process]:
    """Yield a process, and all that came of it; none that ends meanwhile."""
    with contextlib.suppress(OSError):
        told = Path(f"/proc/{process}/status").read_text()
        fields = dict(line.split(":\t", 1) for line in told.splitlines())
        memory = int(fields.get("RssAnon", "0 kB").split()[0]) << 10
        yield Process(id=process, name=fields["Name"], memory=memory)
        for child in _children(process):
            yield from _tree(child)


def _children(process: int) -> list[int]:
    children: list[int] = []
    for thread in Path(f"/proc/{process}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            children += map(int, thread.read_text().split())
    return children


def _failure(kind: str, message: str) -> Answer:
    return Answer(json.dumps({"errorType": kind, "errorMessage": message}).encode(), kind)


def _start(command: list[str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as output:
        return subprocess.Popen(command, env={}, stdin=subprocess.DEVNULL, stdout=output, stderr=output)


def _serve(instance: Instance) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            event = instance.next_event()
            if event is None:
                self.close_connection = True
                return
            deadline = time.time() + instance.bounds.seconds
            self._answer(
                200,
                event[1],
                {
                    "Lambda-Runtime-Aws-Request-Id": event[0],
                    "Lambda-Runtime-Deadline-Ms": str(int(deadline * 1000)),
                    "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:us-east-1:000000000000:function:f",
                },
            )

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self._answer(202, b"{}")
            instance.take(self.path, body)

        def _answer(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")  # without, Lambda's own client crashes
            self.send_header("Content-Length", str(len(body)))
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    return server
