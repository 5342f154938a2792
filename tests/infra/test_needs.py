"""Each function's package holds every library that its code imports, in its lock file or in the runtime."""

import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from beagle.media.video.ffmpeg import find_ffmpeg

ROOT = Path(__file__).parents[2]
GIVEN = {"aws": {"boto3", "botocore", "jmespath", "python-dateutil", "s3transfer", "six", "urllib3"}}
"""What Lambda's own Python brings."""
STAGES = ("prepare", "register", "extract")
RUNS = """
import importlib.util, sys
from importlib.abc import MetaPathFinder

allowed, installed, entry, clip, out = sys.argv[1:]
allowed, installed = set(allowed.split(",")), set(installed.split(","))


class OnlyThese(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top in installed - allowed:
            raise ModuleNotFoundError(f"No module named {name!r}", name=top)


sys.meta_path.insert(0, OnlyThese())
spec = importlib.util.spec_from_file_location("entry", entry)
spec.loader.exec_module(importlib.util.module_from_spec(spec))
if entry.endswith("prepare.py"):
    import beagle.media.dicom, beagle.media.pdf, beagle.media.stills
    import beagle.media.draw.dicom, beagle.media.draw.pdf, beagle.media.draw.still
    import pillow_heif
if entry.endswith("extract.py"):
    sys.argv = ["one_video.py", clip, out, "2", "png", "fast"]
    import runpy
    runpy.run_path("tests/benchmarks/one_video.py", run_name="__main__")
"""


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a second of film."""
    path = tmp_path_factory.mktemp("needs") / "clip.mp4"
    made = ("-f", "lavfi", "-i", "testsrc2=s=160x90:r=10:d=1", "-c:v", "libx264")
    subprocess.run([find_ffmpeg().path, "-v", "error", *made, path], check=True)
    return path


@pytest.mark.parametrize("provider", ["aws", "gcp", "azure"])
@pytest.mark.parametrize("stage", STAGES)
def test_a_function_runs_with_what_its_package_holds(
    provider: str, stage: str, clip: Path, tmp_path: Path
) -> None:
    """Nothing else that happens to be installed here can be imported; extract also extracts a film."""
    folder = ROOT / "functions" / provider
    locked = re.findall(r"^([\w.-]+)==", (folder / f"requirements-{stage}.txt").read_text(), re.MULTILINE)
    held = {_plain(name) for name in locked} | GIVEN.get(provider, set())
    tops = packages_distributions()
    allowed = {top for top, owners in tops.items() if any(_plain(owner) in held for owner in owners)}
    installed = {
        top for top, owners in tops.items() if not all(_plain(owner) == "beagle" for owner in owners)
    }
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "ffmpeg").symlink_to(find_ffmpeg().path)

    ran = subprocess.run(
        [
            *(sys.executable, "-c", RUNS, ",".join(allowed), ",".join(installed)),
            *(folder / f"{stage}.py", clip, tmp_path / "made"),
        ],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={"PATH": f"{tmp_path}/bin:/usr/bin:/bin", "PYTHONPATH": f"{ROOT}/shared"},
    )

    assert ran.returncode == 0, ran.stderr
    assert (stage == "extract") == (tmp_path / "made" / "thumbnail.jpg").exists()


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
