"""A Beagle in Lambda's runtime: what one does with it, and what one uploads."""

import io
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from beagle.emulator import EmulatedDarwin
from beagle.media.video.ffmpeg import find_ffmpeg
from beagle.playground.stack import FUNCTION_OUTPUTS, QUEUE_OUTPUTS, Function, Stack
from e2e.books import Books
from e2e.hands import SOURCES
from e2e.lambda_instance import Instance
from e2e.lambda_service import LambdaService, Report

SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class World:
    """A Darwin, and a Beagle whose functions run in Lambda's runtime."""

    darwin: EmulatedDarwin
    stack: Stack
    service: LambdaService

    def settle(self, folder: str, items: int) -> Books:
        """Wait until so many items are registered, and nothing is queued."""
        self.stack.wait_until(lambda: len(self.names(folder)) == items, seconds=SECONDS, what="Registration")
        self.stack.wait_until_idle(seconds=SECONDS)
        return Books.of(self.stack, folder)

    def names(self, folder: str) -> list[str]:
        """Return the names of the items of a folder; none may have a problem."""
        items = [item for item in self.darwin.items() if item.path == f"/{folder}"]
        assert [item.problems for item in items] == [()] * len(items)
        return sorted(item.name for item in items)

    @contextmanager
    def configured(self, function: Function, **settings: int) -> Iterator[None]:
        """Lend a function other limits."""
        client, name = self.stack.aws.client("lambda"), self.stack.outputs[FUNCTION_OUTPUTS[function]]
        known = client.get_function_configuration(FunctionName=name)
        client.update_function_configuration(FunctionName=name, **settings)
        try:
            yield
        finally:
            before = {field: known[field] for field in settings}
            client.update_function_configuration(FunctionName=name, **before)

    def ended(self, function: Function, folder: str) -> Report:
        """Wait for the first invocation of a function for an object of a folder to end."""

        def reports() -> list[Report]:
            mine = [report for report in self.service.reports if report.function == function]
            return [report for report in mine if f"{folder}/" in report.event.decode()]

        self.stack.wait_until(lambda: bool(reports()), seconds=SECONDS, what=f"The end of {function}")
        return reports()[0]

    def redeliver(self, report: Report) -> None:
        """Let the time pass for which the messages of an invocation are hidden."""
        for record in json.loads(report.event)["Records"]:
            queue = self.stack.outputs[QUEUE_OUTPUTS[SOURCES[report.function]]]
            self.stack.aws.client("sqs").change_message_visibility(
                QueueUrl=queue, ReceiptHandle=record["receiptHandle"], VisibilityTimeout=0
            )

    def stop(self, function: Function, program: str) -> Instance:
        """Have a function, and all it has started, stand still as soon as it runs a program; return it."""
        stopped: list[Instance] = []

        def stop() -> bool:
            for instance in self.service.instances(function):
                processes = instance.processes()
                if program in {process.name for process in processes}:
                    for process in processes[1:]:  # all but the sandbox's own
                        with suppress(ProcessLookupError):  # it has ended meanwhile
                            os.kill(process.id, signal.SIGSTOP)
                    stopped.append(instance)
            return bool(stopped)

        self.stack.wait_until(stop, seconds=SECONDS, what=program)
        return stopped[0]


def film(path: Path, size: str, seconds: int = 1) -> Path:
    """Make a little moving picture and sound."""
    inputs = (
        *("-f", "lavfi", "-i", f"testsrc2=size={size}:rate=10:duration={seconds}"),
        *("-f", "lavfi", "-i", f"sine=frequency=440:duration={seconds}"),
    )
    coded = ("-pix_fmt", "yuv420p", "-preset", "ultrafast")
    subprocess.run([find_ffmpeg().path, "-v", "error", *inputs, *coded, path], check=True)
    return path


def large_picture() -> bytes:
    """Return a small file of 64 million pixels."""
    data = io.BytesIO()
    Image.new("RGB", (8000, 8000)).save(data, "PNG", compress_level=1)
    return data.getvalue()


def times_of(folders: list[Path]) -> dict[Path, int]:
    """Map what lies in folders to its last change; that of a folder tells of files that came and went."""
    return {path: path.stat().st_mtime_ns for folder in folders for path in (folder, *folder.rglob("*"))}
