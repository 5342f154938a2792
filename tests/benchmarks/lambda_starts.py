"""What a cold start costs in Lambda's own runtime: the functions from their packages, in a sandbox."""

import io
import shutil
import statistics
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from PIL import Image

from beagle.emulator import DEFAULT_KEY, DEFAULT_TEAM, EmulatedDarwin, serve
from beagle.playground.ministack import Ministack
from beagle.playground.packaging import build_local, project_root, zip_folder
from beagle.playground.stack import Function, Stack, deploy
from benchmarks.rows import Row
from e2e.lambda_sandbox import NotHereError, Packages, packages
from e2e.lambda_service import LambdaService, Report
from e2e.lambda_world import film

GROUP = "Cold starts in Lambda's runtime"
STARTS = 5
SECONDS = 60.0
# Each function, and by which uploads it is measured: videos only pass through prepare.
MEASURED: dict[Function, str] = {"prepare": ".jpg", "extract": ".mp4", "register": ".jpg"}


def measure(advance: Callable[[str], None], aws: Ministack, scratch: Path) -> Iterator[Row]:
    """Measure initialising, the first event and the next one, with the packages' bytecode and without."""
    advance("Lambda's runtime")
    try:
        built = packages()
    except NotHereError as error:
        yield Row(group=GROUP, what="all", value=None, unit="ms", note=f"not measured: {error}")
        return
    bare = {name: _without_bytecode(folder, scratch / name) for name, folder in built.functions.items()}
    darwin = EmulatedDarwin.with_defaults()
    with serve(darwin) as server:
        stack = _deploy(aws, server.url, scratch)
        reports = _reports(aws, built, stack, scratch / "logs")
        slower = _reports(aws, replace(built, functions=bare), stack, scratch / "bare-logs")
    if len(darwin.items()) != 2 * 4 * STARTS:
        raise RuntimeError(f"Not everything was registered: {len(darwin.items())} items.")
    for function in MEASURED:
        for what, figure in (("initialising", _init), ("first event", _first), ("next event", _next)):
            value, without = (statistics.median(figure(told[function])) for told in (reports, slower))
            note = f"without bytecode {without:.0f}; median of {STARTS}"
            yield Row(group=GROUP, what=f"{function}: {what}", value=value, unit="ms", note=note)
        memory = max(report.most_memory for report in reports[function]) / 1_000_000
        yield Row(group=GROUP, what=f"{function}: memory", value=memory, unit="MB", note="all its processes")


def _init(reports: list[Report]) -> list[float]:
    return [report.init_seconds * 1000 for report in reports if report.init_seconds]


def _first(reports: list[Report]) -> list[float]:
    return [report.seconds * 1000 for report in reports if report.init_seconds]


def _next(reports: list[Report]) -> list[float]:
    return [report.seconds * 1000 for report in reports if not report.init_seconds]


def _reports(aws: Ministack, built: Packages, stack: Stack, folder: Path) -> dict[Function, list[Report]]:
    """Take an image and a video through new instances, and another of each through the same; repeat."""
    uploads = {".jpg": _photograph(), ".mp4": film(folder.with_suffix(".mp4"), "320x180").read_bytes()}
    with LambdaService(aws, built, folder) as service:
        service.serve(stack)
        for number in range(STARTS):
            service.renew()
            for turn in ("first", "next"):
                for suffix, data in uploads.items():
                    _take_through(service, stack, f"{folder.name}/{number}-{turn}{suffix}", data)
    return {
        function: [
            report
            for report in service.reports
            if report.function == function and suffix in str(report.event)
        ]
        for function, suffix in MEASURED.items()
    }


def _take_through(service: LambdaService, stack: Stack, key: str, data: bytes) -> None:
    registered = sum(report.function == "register" for report in service.reports)
    stack.upload(data, key)

    def is_registered() -> bool:
        return sum(report.function == "register" for report in service.reports) > registered

    stack.wait_until(is_registered, seconds=SECONDS, what="Registration")
    if failed := [report.event for report in service.reports if report.error]:
        raise RuntimeError(f"{key}: {failed}")


def _photograph() -> bytes:
    """Return twelve million pixels."""
    data = io.BytesIO()
    Image.effect_noise((4000, 3000), 30).convert("RGB").save(data, "JPEG")
    return data.getvalue()


def _without_bytecode(folder: Path, copy: Path) -> Path:
    return Path(shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("__pycache__")))


def _deploy(aws: Ministack, darwin_url: str, scratch: Path) -> Stack:
    """Deploy for read-only storage; the archive holds code that is not run."""
    root = project_root()
    parameters = {
        "BucketName": "lambda-benchmark",
        "CreateBucket": "true",
        "Team": DEFAULT_TEAM,
        "Dataset": "incoming",
        "Storage": "acme-archive",
        "Access": "read_only",
        "DarwinUrl": darwin_url,
        "RequestsPerMinute": "1000",
    }
    archive = zip_folder(build_local(root, scratch / "local"))
    stack = deploy(aws, root / "template.yaml", archive, parameters, name="lambda-benchmark")
    stack.put_api_key(DEFAULT_KEY)
    return stack
