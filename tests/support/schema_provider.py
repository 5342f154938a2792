"""
Stand-ins for the Terraform providers of Google and Azure, which only a registry has.

Each serves the real provider's schema, taken from bindings for it that PyPI has, and does nothing: see
schema_server.py. What passes is spelled and shaped as that schema asks. It was not validated by the provider
itself, which knows values, and what excludes what.
"""

import fcntl
import hashlib
import json
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest

from support import schema_bindings
from support.own_venv import CACHE, NotInstalledError, own_venv
from support.terraform import ROOT

ProviderName = Literal["google", "azurerm"]

LOCKS = ROOT / "tests" / "infra"
SERVER = Path(__file__).with_name("schema_server.py")
# The modules ask for the current majors; the newest bindings are of the majors before (6.50, 4.55).
PRETENDED: dict[ProviderName, str] = {"google": "7.0.0", "azurerm": "5.0.0"}
MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}
# What the modules say in the words of the majors that they ask for: type and argument to its older name.
NEWER: dict[ProviderName, dict[tuple[str, str], str]] = {
    "google": {},
    "azurerm": {
        ("azurerm_application_insights", "local_authentication_enabled"): "local_authentication_disabled"
    },
}


def schema_mirror(provider: ProviderName) -> Path:
    """
    Return a mirror that holds the stand-in, as Terraform takes it; skip where it cannot be made.

    It knows the types that the configurations below infra/ use, and is made once for them.
    """
    if shutil.which("terraform") is None:
        pytest.skip("no terraform on this machine")
    types = sorted(_types(provider))
    sources = [_bindings_lock(provider), _runtime_lock(), SERVER, Path(schema_bindings.__file__)]
    newer = sorted(NEWER[provider].items())
    digest = hashlib.sha256(json.dumps([types, PRETENDED[provider], newer, sys.executable]).encode())
    for source in sources:
        digest.update(source.read_bytes())
    mirror = CACHE / f"{provider}-schema-{digest.hexdigest()[:12]}"
    CACHE.mkdir(exist_ok=True)
    with (CACHE / f"{provider}-schema.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not mirror.is_dir():
            try:
                _make(provider, types, mirror)
            except NotInstalledError as error:
                pytest.skip(str(error))
    return mirror


def _make(provider: ProviderName, types: list[str], mirror: Path) -> None:
    python = own_venv("schema-provider", _runtime_lock()) / "python"
    schema = schema_bindings.read_schema(_bindings(provider), provider, types)
    for (kind, argument), older in NEWER[provider].items():
        if kind in schema["resources"]:
            attributes = schema["resources"][kind]["attributes"]
            attributes[argument] = attributes.pop(older)
    unfinished = mirror.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    version = PRETENDED[provider]
    system = f"{platform.system().lower()}_{MACHINES.get(platform.machine(), platform.machine())}"
    place = unfinished / _registry(provider) / "hashicorp" / provider / version / system
    place.mkdir(parents=True)
    program = place / f"terraform-provider-{provider}_v{version}"
    program.write_text(f"#!{python}\n{SERVER.read_text()}")
    program.chmod(0o755)
    (place / "schema.json").write_text(json.dumps(schema))
    unfinished.rename(mirror)


def _registry(provider: ProviderName) -> str:
    """Return the host under which Terraform looks for the provider in a mirror: its own default."""
    with tempfile.TemporaryDirectory() as folder:
        needs = f'{provider} = {{ source = "hashicorp/{provider}" }}'
        Path(folder, "main.tf").write_text(f"terraform {{\n  required_providers {{\n    {needs}\n  }}\n}}\n")
        told = subprocess.run(
            ["terraform", "providers"],  # noqa: S607 - on the PATH, or nobody asks for a mirror
            cwd=folder,
            check=True,
            capture_output=True,
            text=True,
            timeout=60,
        ).stdout
    [host] = set(re.findall(rf"provider\[([^/\]]+)/hashicorp/{provider}\]", told))
    return str(host)


def _bindings(provider: ProviderName) -> Path:
    """Return the wheel of the bindings; what is needed of it is a hundredth, so it is not installed."""
    folder = CACHE / f"{provider}-bindings"
    lock = _bindings_lock(provider)
    # pip takes what is there already where its hash is right.
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps"]
    pip += ["--require-hashes", "--only-binary", ":all:", "--dest", str(folder), "--requirement", str(lock)]
    done = subprocess.run(pip, check=False, capture_output=True, text=True, timeout=600)
    if done.returncode:
        raise NotInstalledError(f"the bindings of {provider} could not be had: {done.stderr[-400:]}")
    [version] = re.findall(r"(?m)^[a-z-]+==(\S+)", lock.read_text())
    [wheel] = folder.glob(f"*-{version}-*.whl")
    return wheel


def _types(provider: ProviderName) -> Iterator[str]:
    """Yield every type of a provider's that is used below infra/; `data.` is before what is only read."""
    for path in (ROOT / "infra").rglob("*.tf"):
        for block, name in re.findall(rf'(?m)^(resource|data) "({provider}_\w+)"', path.read_text()):
            yield f"data.{name}" if block == "data" else name


def _bindings_lock(provider: ProviderName) -> Path:
    return LOCKS / f"{provider}-bindings.txt"


def _runtime_lock() -> Path:
    return LOCKS / "schema-provider-requirements.txt"
