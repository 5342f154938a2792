"""Lambda's service: takes the local AWS's events, and runs the functions as they are packaged."""

import contextlib
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from beagle.playground.ministack import REGION, Ministack
from beagle.playground.stack import FUNCTION_OUTPUTS, Function, Stack
from e2e.lambda_instance import Answer, Bounds, Instance
from e2e.lambda_sandbox import Packages

PROXY = "MINISTACK_LAMBDA_PROXY_URL"
# What tells one configuration of a function from the next: its instances are of one.
CONFIGURED = (
    "Handler",
    "Role",
    "Timeout",
    "MemorySize",
    "EphemeralStorage",
    "Layers",
    "Environment",
    "LoggingConfig",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One invocation, as the line REPORT of a function's log tells it."""

    function: Function
    error: str
    seconds: float
    init_seconds: float
    """None of it for an instance that was there."""
    most_memory: int
    """Bytes."""
    event: bytes


@dataclass(frozen=True, slots=True)
class Running:
    """An instance, what it is an instance of, and where its log goes."""

    name: str
    function: Function
    configuration: dict[str, Any]
    instance: Instance
    stream: str
    """Of its log group."""


class LambdaService:
    """
    Runs functions with the configuration that the local AWS has of them, as their own roles.

    An instance takes one event at a time and is kept for the next, until it fails fatally or the function
    is configured anew. What goes wrong is answered with status 500, from which the local AWS learns that
    the messages must come again. What a function logs is written into its log group.
    """

    def __init__(self, aws: Ministack, packages: Packages, folder: Path) -> None:
        self.reports: list[Report] = []
        self._aws = aws
        self._packages = packages
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._functions: dict[str, Function] = {}
        self._lock = threading.Lock()
        self._idle: list[Running] = []
        self._busy: list[Running] = []
        self._starter = ThreadPoolExecutor(1)
        self._server = _serve(self)

    def __enter__(self) -> Self:
        """Begin to take events."""
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End all instances."""
        self._server.shutdown()
        self._server.server_close()
        for running in (*self._idle, *self._busy):
            running.instance.end()
        self._starter.shutdown()

    def serve(self, stack: Stack) -> None:
        """Have the local AWS bring a stack's events here."""
        for function in stack.functions:
            self._functions[stack.outputs[FUNCTION_OUTPUTS[function]]] = function
            stack.configure(function, **{PROXY: f"http://127.0.0.1:{self._server.server_port}/"})

    def instances(self, function: Function) -> list[Instance]:
        """Return a function's instances, at work or not."""
        with self._lock:
            return [each.instance for each in (*self._idle, *self._busy) if each.function == function]

    def renew(self) -> None:
        """End the instances that rest: the next events find new ones."""
        with self._lock:
            resting, self._idle = self._idle, []
        for running in resting:
            running.instance.end()

    def invoke(self, name: str, event: bytes) -> Answer:
        """Run a function by its name; return what came of it."""
        running = self._take(name)
        instance = running.instance
        was_there = instance.init_seconds
        began = time.perf_counter()
        answer = instance.run(event)
        seconds = time.perf_counter() - began
        self._keep_log(running, answer)
        with self._lock:
            self._busy.remove(running)
            if instance.running:
                self._idle.append(running)
            init_seconds = 0.0 if was_there else instance.init_seconds
            self.reports.append(
                Report(
                    function=running.function,
                    error=answer.error,
                    seconds=seconds - init_seconds,
                    init_seconds=init_seconds,
                    most_memory=instance.most_memory,
                    event=event,
                )
            )
        return answer

    def _take(self, name: str) -> Running:
        """Return an instance that rests, or a new one; end those of an earlier configuration."""
        known = self._aws.client("lambda").get_function_configuration(FunctionName=name)
        configuration = {field: known[field] for field in CONFIGURED if field in known}
        with self._lock:
            resting = [running for running in self._idle if running.name == name]
            outdated = [running for running in resting if running.configuration != configuration]
            taken = next((running for running in resting if running not in outdated), None)
            self._idle = [
                running for running in self._idle if running is not taken and running not in outdated
            ]
        for running in outdated:
            running.instance.end()
        taken = taken or self._start(name, configuration)
        with self._lock:
            self._busy.append(taken)
        return taken

    def _keep_log(self, running: Running, answer: Answer) -> None:
        now = int(time.time() * 1000)
        lines = [line for line in running.instance.logged().splitlines() if line]
        if answer.error:
            lines.append(f"{answer.error} {answer.body.decode(errors='replace')}")
        if lines:
            self._aws.client("logs").put_log_events(
                logGroupName=running.configuration["LoggingConfig"]["LogGroup"],
                logStreamName=running.stream,
                logEvents=[{"timestamp": now, "message": line} for line in lines],
            )

    def _start(self, name: str, configuration: dict[str, Any]) -> Running:
        function = self._functions[name]
        sts = self._aws.client("sts")
        role = sts.assume_role(RoleArn=configuration["Role"], RoleSessionName=name)["Credentials"]
        group, stream = configuration["LoggingConfig"]["LogGroup"], uuid.uuid4().hex
        self._aws.client("logs").create_log_stream(logGroupName=group, logStreamName=stream)
        variables = configuration["Environment"]["Variables"]
        environment = {
            **{variable: value for variable, value in variables.items() if variable != PROXY},
            "_HANDLER": configuration["Handler"],
            "AWS_ENDPOINT_URL": self._aws.endpoint,
            "AWS_ACCESS_KEY_ID": role["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": role["SecretAccessKey"],
            "AWS_SESSION_TOKEN": role["SessionToken"],
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
            "AWS_LAMBDA_FUNCTION_NAME": name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(configuration["MemorySize"]),
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_FORMAT": configuration["LoggingConfig"].get("LogFormat", "Text"),
            "AWS_LAMBDA_LOG_GROUP_NAME": group,
            "AWS_LAMBDA_LOG_STREAM_NAME": stream,
        }
        sandbox = self._packages.sandbox(
            function,
            layer=bool(configuration.get("Layers")),
            tmp_megabytes=configuration.get("EphemeralStorage", {}).get("Size", 512),
        )
        bounds = Bounds(seconds=configuration["Timeout"], memory_megabytes=configuration["MemorySize"])
        log = self._folder / f"{name}-{stream}.log"
        instance = Instance(sandbox, environment, bounds, log, self._starter)
        return Running(name, function, configuration, instance, stream)


def _serve(service: LambdaService) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            event = self.rfile.read(int(self.headers["Content-Length"]))
            answer = service.invoke(self.headers["X-Amzn-Lambda-Function-Name"], event)
            with contextlib.suppress(BrokenPipeError):  # who asked may have lost patience
                self.send_response(500 if answer.error else 200)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return ThreadingHTTPServer(("127.0.0.1", 0), Handler)
