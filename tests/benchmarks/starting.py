"""What a cold start costs: imports, the first answer, the package."""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from beagle.emulator import DEFAULT_KEY, DEFAULT_TEAM, EmulatedDarwin, serve
from beagle.playground.ministack import REGION, Ministack
from beagle.playground.packaging import build_function, build_local, project_root, zip_folder
from beagle.playground.stack import deploy
from benchmarks import lambda_starts
from benchmarks.rows import Row
from e2e.hands import Hands

GROUP = "Cold start of register"
INTERPRETERS = 21
STARTS = 5
MEGABYTE = 1_000_000

CLOCKED = "import time; began = time.perf_counter(); {program}; print(time.perf_counter() - began)"
PROGRAMS = {
    "register": "import register",
    "ready": "import register; from beagle.bootstrap.aws import worker; worker('register')",
    "boto3": "import boto3",
}


def measure(advance: Callable[[str], None], aws: Ministack) -> Iterator[Row]:
    """Measure in fresh interpreters, which run the built functions with their bytecode."""
    root = project_root()
    with tempfile.TemporaryDirectory() as scratch:
        code = build_local(root, Path(scratch) / "aws")
        yield from _imports(code, advance)
        yield from _answers(aws, code, Path(scratch), advance)
        yield from lambda_starts.measure(advance, aws, Path(scratch) / "lambda")
    advance("package")
    folder = root / ".cache" / "package"
    folder.mkdir(parents=True, exist_ok=True)
    package = build_function(root, "register", folder / "register")
    sizes = [(path.suffix, path.stat().st_size) for path in package.rglob("*") if path.is_file()]
    bytecode = sum(size for suffix, size in sizes if suffix == ".pyc") / MEGABYTE
    yield Row(
        group=GROUP,
        what="package, unzipped, without boto3",
        value=sum(size for _, size in sizes) / MEGABYTE,
        unit="MB",
        note=f"goal: under 60; bytecode is {bytecode:.0f} MB of it"
        if bytecode
        else "goal: under 60; without bytecode, as Python 3.13 is not at hand",
    )


def _imports(code: Path, advance: Callable[[str], None]) -> Iterator[Row]:
    advance("imports")
    environment = {
        "PYTHONPATH": str(code),
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
        "BEAGLE_UPLOADS_QUEUE": "uploads",
        "BEAGLE_ITEMS_QUEUE": "items",
        "BEAGLE_DEAD_LETTERS_QUEUE": "letters",
        "BEAGLE_STATE_BUCKET": "acme-state",
        "BEAGLE_API_KEY_SECRET": "secret",
    }
    taken: dict[str, list[float]] = {name: [] for name in PROGRAMS}
    for _ in range(INTERPRETERS):
        for name, program in PROGRAMS.items():
            done = subprocess.run(
                [sys.executable, "-c", CLOCKED.format(program=program)],
                env=environment,
                cwd=code,
                capture_output=True,
                text=True,
                check=True,
            )
            taken[name].append(float(done.stdout) * 1000)
    traced = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", PROGRAMS["register"]],
        env=environment,
        cwd=code,
        capture_output=True,
        text=True,
        check=True,
    )
    total = next(line for line in traced.stderr.splitlines() if line.split("|")[-1].strip() == "register")
    medians = {name: statistics.median(times) for name, times in taken.items()}
    ratio = medians["register"] / medians["boto3"]
    least = min(taken["register"])
    yield Row(
        group=GROUP,
        what="import register",
        value=medians["register"],
        unit="ms",
        note=f"goal: under 200; median of {INTERPRETERS}, least {least:.0f}",
    )
    yield Row(
        group=GROUP,
        what="the same, traced",
        value=int(total.split("|")[1]) / 1000,
        unit="ms",
        note="python -X importtime",
    )
    yield Row(group=GROUP, what="import boto3", value=medians["boto3"], unit="ms", note="the yardstick")
    yield Row(group=GROUP, what="import register / import boto3", value=ratio, unit="times")
    yield Row(
        group=GROUP,
        what="ready for the first event",
        value=medians["ready"],
        unit="ms",
        note="all imports, boto3 and its clients included",
    )


def _answers(aws: Ministack, code: Path, scratch: Path, advance: Callable[[str], None]) -> Iterator[Row]:
    advance("first answers")
    parameters = {
        "BucketName": "benchmark-uploads",
        "CreateBucket": "true",
        "Team": DEFAULT_TEAM,
        "Dataset": "incoming",
        "Storage": "acme-uploads",
    }
    cold, warm = [], []
    with serve(EmulatedDarwin.with_defaults()) as server:
        parameters["DarwinUrl"] = server.url
        archive = zip_folder(code)
        stack = deploy(aws, project_root() / "template.yaml", archive, parameters, name="benchmark")
        stack.put_api_key(DEFAULT_KEY)
        hands = Hands(stack, "register", code, scratch / "register")
        for number in range(2 * STARTS):
            stack.upload(b"picture", f"{number}.png")
        stack.wait_until(lambda: stack.depth("items") == 2 * STARTS, what="Preparation")
        batches = [hands.receive(1) for _ in range(2 * STARTS)]
        for number in range(STARTS):
            began = time.perf_counter()
            instance = hands.start()
            for event, times in ((batches[2 * number], cold), (batches[2 * number + 1], warm)):
                instance.begin(event)
                answer = instance.answer()
                times.append((time.perf_counter() - began) * 1000)
                if answer["batchItemFailures"]:
                    raise RuntimeError(instance.log)
                began = time.perf_counter()
            instance.kill()
        hands.close()
    for what, times in (("first answer, process and all", cold), ("next answer", warm)):
        note = f"one item, on the local AWS; median of {STARTS}"
        yield Row(group=GROUP, what=what, value=statistics.median(times), unit="ms", note=note)
