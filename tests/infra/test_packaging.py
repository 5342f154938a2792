"""What is deployed: the pinned dependencies, and the folder built from them."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from beagle.playground.build import build, check_routes
from beagle.playground.packaging import FUNCTIONS, build_local, build_source, project_root, zip_folder

ROOT = project_root()
REQUIREMENTS = {
    **{name: ROOT / "functions" / "aws" / f"requirements-{name}.txt" for name in FUNCTIONS},
    **{f"azure-{name}": ROOT / "functions" / "azure" / f"requirements-{name}.txt" for name in FUNCTIONS},
    **{f"gcp-{name}": ROOT / "functions" / "gcp" / f"requirements-{name}.txt" for name in FUNCTIONS},
    "ffmpeg": ROOT / "layers" / "ffmpeg" / "requirements.txt",
    "install": ROOT / "shared" / "requirements.txt",
    "tests": ROOT / "tests" / "requirements.txt",
}


def pinned(name: str) -> dict[str, set[str]]:
    """Map each distribution to its pinned versions; there are two where Python versions differ."""
    found: dict[str, set[str]] = {}
    for match in re.finditer(r"(?m)^([a-z0-9-]+)==([^ ;\\]+)", REQUIREMENTS[name].read_text()):
        found.setdefault(match[1], set()).add(match[2])
    return found


@pytest.mark.parametrize("name", REQUIREMENTS)
def test_every_dependency_is_pinned_by_hash(name: str) -> None:
    """A package that changes on the way to us is refused."""
    lines = REQUIREMENTS[name].read_text().replace("\\\n", " ").splitlines()

    assert lines
    assert all(re.match(r"[a-z0-9-]+==\S+ .*--hash=sha256:", line) for line in lines)
    assert "://" not in "".join(lines)


@pytest.mark.parametrize("name", [name for name in REQUIREMENTS if name != "tests"])
def test_what_is_deployed_is_what_is_tested(name: str) -> None:
    """The functions, the command and the tests run the same versions."""
    tested = pinned("tests")

    assert {package: versions - tested.get(package, set()) for package, versions in pinned(name).items()} == {
        package: set() for package in pinned(name)
    }


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_carry_no_boto3(name: str) -> None:
    """It is in Lambda's runtime, and is the largest package by far."""
    assert not {"boto3", "botocore"} & set(pinned(name))


def test_each_function_carries_its_own_libraries() -> None:
    """Register decodes nothing, extract draws no stills, and ffmpeg comes in a layer."""
    stills, video = {"pillow", "pillow-heif", "pydicom", "pypdfium2", "python-gdcm"}, {"isal"}
    both = stills | video | {"numpy", "imageio-ffmpeg"}

    assert both & set(pinned("register")) == set()
    assert both & set(pinned("prepare")) == stills | {"numpy"}
    assert both & set(pinned("extract")) == video | {"numpy"}
    assert both <= set(pinned("install"))


def test_functions_are_entry_points_and_the_package(tmp_path: Path) -> None:
    """The command line and the emulated worlds stay at home."""
    out = build_local(ROOT, tmp_path / "aws")

    assert all((out / f"{name}.py").is_file() for name in FUNCTIONS)
    assert (out / "beagle" / "domain" / "events.py").is_file()
    assert not [name for name in ("cli", "emulator", "playground") if (out / "beagle" / name).exists()]


def test_nothing_is_built_twice(tmp_path: Path) -> None:
    """A build that would say the same is left alone; a changed routes file is a change."""
    routes = tmp_path / "routes.yaml"
    routes.write_text("team: acme\n")
    out = build_local(ROOT, tmp_path / "aws", routes=routes)
    mark = out / "mark"
    mark.touch()

    build_local(ROOT, out, routes=routes)

    assert mark.exists()
    routes.write_text("team: other\n")

    build_local(ROOT, out, routes=routes)

    assert not mark.exists()
    assert (out / "routes.yaml").read_text() == "team: other\n"


def test_a_build_tells_terraform_where_its_routes_come_from(tmp_path: Path) -> None:
    """A later build without the file says so: `terraform plan` refuses it, before the functions would."""
    routes, told = tmp_path / "routes.yaml", []
    routes.write_text("team: acme\n")
    for given in (routes, None):
        archives = list(build(ROOT, tmp_path, "gcp", "arm64", given))[1::2]
        told.append((tmp_path / "functions" / "gcp" / "routes").read_text())

        for archive in archives:
            with zipfile.ZipFile(archive) as packed:
                assert ("routes.yaml" in packed.namelist()) is (given is routes)

    assert told == ["file\n", "parameters\n"]


def test_a_routes_file_that_is_not_there_builds_nothing(tmp_path: Path) -> None:
    """A slip in its name must not end in packages without routes."""
    with pytest.raises(SystemExit, match="no such file"):
        check_routes(tmp_path / "rotues.yaml")


@pytest.mark.parametrize("provider", ["azure", "gcp"])
def test_routes_that_wait_for_longer_than_a_message_lives_are_not_built(
    tmp_path: Path, provider: str
) -> None:
    """Who builds is told, and not the one who reads letters some days later. On AWS they are."""
    file = tmp_path / "routes.yaml"
    file.write_text(
        "team: acme\nroutes: [{watch: {bucket: up}, dataset: cars, storage: up, "
        "group: {slots: [a.mp4, b.mp4], wait_hours: 240}}]\n"
    )
    check_routes(file, "aws")
    with pytest.raises(SystemExit, match="wait_hours: 240"):
        check_routes(file, provider)


def test_equal_content_gives_an_equal_archive(tmp_path: Path) -> None:
    """A deployment of what is deployed already sees no change."""
    out = build_local(ROOT, tmp_path / "aws")
    first = zip_folder(out).read_bytes()
    (out / "prepare.py").touch()

    assert zip_folder(out).read_bytes() == first


def test_a_program_stays_one_in_its_archive(tmp_path: Path) -> None:
    """Lambda unpacks what Terraform uploads; ffmpeg must be allowed to start."""
    folder = tmp_path / "layer"
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "program").touch(mode=0o755)
    (folder / "README").touch(mode=0o644)

    with zipfile.ZipFile(zip_folder(folder)) as archive:
        modes = {entry.filename: entry.external_attr >> 16 for entry in archive.infolist()}

    assert modes == {"README": 0o644, "bin/program": 0o755}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_google_is_given_sources_and_pins(tmp_path: Path, name: str) -> None:
    """Cloud Build looks for main.py and installs what is pinned; routes come along; bytes stay the same."""
    routes = tmp_path / "routes.yaml"
    routes.write_text("team: acme\n")
    folder = build_source(ROOT, name, tmp_path / name, routes=routes)
    (folder / "left-over").touch()
    first = zip_folder(build_source(ROOT, name, folder, routes=routes)).read_bytes()

    assert {path.name for path in folder.iterdir()} == {
        "main.py",
        "requirements.txt",
        "routes.yaml",
        "beagle",
    }
    assert f'worker("{name}", ' in (folder / "main.py").read_text()
    assert (folder / "requirements.txt").read_bytes() == REQUIREMENTS[f"gcp-{name}"].read_bytes()
    assert not [other for other in ("cli", "emulator", "playground") if (folder / "beagle" / other).exists()]
    assert zip_folder(build_source(ROOT, name, folder, routes=routes)).read_bytes() == first


@pytest.mark.parametrize("name", FUNCTIONS)
def test_google_adds_nothing_to_the_pins(name: str) -> None:
    """What starts a function comes pinned with it, or Cloud Build would take the newest; so does ffmpeg."""
    assert {"functions-framework", "gunicorn", "google-auth"} <= set(pinned(f"gcp-{name}"))
    assert ("imageio-ffmpeg" in pinned(f"gcp-{name}")) is (name == "extract")


def test_what_google_is_given_starts(tmp_path: Path) -> None:
    """As Google starts it: functions-framework finds `handler` in main.py, and the package beside it."""
    folder = build_source(ROOT, "prepare", tmp_path / "prepare")
    code = "import functions_framework as f, sys; sys.path.insert(0, ''); f.create_app('handler', 'main.py')"
    tell = "; import beagle.bootstrap.gcp as b; print(b.__file__)"
    told = subprocess.run([sys.executable, "-c", code + tell], cwd=folder, capture_output=True, check=True)

    assert Path(told.stdout.decode().strip()).is_relative_to(folder)
