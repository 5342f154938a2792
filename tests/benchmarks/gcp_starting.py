"""What a cold start costs on Google Cloud: imports under functions-framework, the package."""

import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from beagle.playground.packaging import build_source, project_root
from beagle.playground.wheels import install_wheels
from benchmarks.rows import Row

GROUP = "Cold start of register on Google Cloud"
INTERPRETERS = 11
MEGABYTE = 1_000_000
CLOCKED = "import time; began = time.perf_counter(); {program}; print(time.perf_counter() - began)"
PROGRAMS = {
    "functions-framework alone": "import functions_framework",
    "import main": "import main",
    "ready for the first push": "import main; from beagle.bootstrap.gcp import worker; worker('register')",
}
NOTES = {
    "functions-framework alone": "Flask; whatever a function does",
    "import main": "the entry point, functions-framework included",
    "ready for the first push": "all clients included",
}
ENVIRONMENT = {
    "BEAGLE_UPLOADS_QUEUE": "projects/p/topics/uploads",
    "BEAGLE_ITEMS_QUEUE": "projects/p/topics/items",
    "BEAGLE_DEAD_LETTERS_QUEUE": "projects/p/topics/dead-letters",
    "BEAGLE_STATE_BUCKET": "acme-state",
    "BEAGLE_API_KEY_SECRET": "projects/p/secrets/darwin",
    # Without one, obstore would look for the machine's own account.
    "STORAGE_EMULATOR_HOST": "http://127.0.0.1:1",
}


def measure(advance: Callable[[str], None]) -> Iterator[Row]:
    """Measure in fresh interpreters, which run the built source with bytecode."""
    root = project_root()
    with tempfile.TemporaryDirectory() as scratch:
        source = build_source(root, "register", Path(scratch) / "register")
        advance("imports on Google Cloud")
        times: dict[str, list[float]] = {what: [] for what in PROGRAMS}
        for turn in range(INTERPRETERS + 1):
            for what, program in PROGRAMS.items():
                seconds = float(_run(source, CLOCKED.format(program=program)))
                if turn:  # the first writes the bytecode
                    times[what].append(seconds * 1000)
        loaded = _run(source, f"{PROGRAMS['ready for the first push']}; import sys; print(*sys.modules)")
        if "grpc" in loaded.split():
            raise RuntimeError("gRPC is loaded, which costs a cold start.")
        for what, taken in times.items():
            note = f"{NOTES[what]}; median of {INTERPRETERS}, least {min(taken):.0f}"
            yield Row(group=GROUP, what=what, value=statistics.median(taken), unit="ms", note=note)
        advance("packages on Google Cloud")
        folder = root / ".cache" / "package"
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("register", "prepare", "extract"):
            shutil.rmtree(Path(scratch) / name, ignore_errors=True)
            own = _size(build_source(root, name, Path(scratch) / name))
            requirements = root / "functions" / "gcp" / f"requirements-{name}.txt"
            wheels = _size(install_wheels(requirements, folder, machine="x86_64"))
            note = f"without bytecode; Beagle itself is {own / MEGABYTE:.1f} MB of it"
            yield Row(
                group=GROUP, what=f"package of {name}", value=(own + wheels) / MEGABYTE, unit="MB", note=note
            )


def _run(source: Path, program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=ENVIRONMENT | {"PYTHONPATH": str(source)},
        cwd=source,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
