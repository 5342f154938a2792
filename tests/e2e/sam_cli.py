"""AWS's own SAM CLI, in an environment of its own, pointed at the local AWS and at nothing else."""

import json
import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from beagle.playground.ministack import REGION, Ministack
from beagle.playground.packaging import FUNCTIONS
from support.own_venv import own_venv

LOCK = Path(__file__).with_name("sam-requirements.txt")
SECONDS = 180


def make_project(folder: Path, template: Path, package: Path) -> Path:
    """
    Lay a project out as `make build` leaves it, for the local AWS.

    The template is the real one, byte for byte. Each function gets the one package that runs in this
    interpreter; nothing lies in the layer, as functions find this machine's ffmpeg.
    """
    shutil.copyfile(template, folder / "template.yaml")
    for name in FUNCTIONS:
        shutil.copytree(package, folder / ".build" / "functions" / "aws" / name)
    layer = folder / ".build" / "layers" / "ffmpeg"
    layer.mkdir(parents=True)
    (layer / "README").write_text("On the local AWS nothing lies in layers.\n")
    return folder


@dataclass(frozen=True, slots=True)
class Sam:
    """The command, run in a project's folder."""

    program: Path
    aws: Ministack
    home: Path
    project: Path

    @classmethod
    def installed(cls, aws: Ministack, home: Path, project: Path) -> "Sam":
        """
        Return it, after installing it once for its lock file.

        Raises:
            NotInstalledError: It cannot be installed.

        """
        program = own_venv("sam", LOCK) / "sam"
        # It would ask PyPI for a newer version of itself, once a week.
        asked = {"telemetryEnabled": False, "lastVersionCheck": time.time()}
        (home / "metadata.json").write_text(json.dumps(asked))
        return cls(program, aws, home, project)

    def start(self, *words: str) -> "subprocess.Popen[str]":
        """Start a command; what it prints lands in a file of its home."""
        environment = {
            **self.aws.environment,
            "HOME": str(self.home),
            "PATH": os.defpath,  # a bare one: neither a Python nor pip is there to build with
            "SAM_CLI_TELEMETRY": "0",
            "SAM_CLI_POLL_DELAY": "0.2",
            "__SAM_CLI_APP_DIR": str(self.home),
        }
        with self.told.open("w") as told:
            return subprocess.Popen(
                [self.program, *words],
                cwd=self.project,
                env=environment,
                stdin=subprocess.DEVNULL,  # a question would fail, not wait
                stdout=told,
                stderr=subprocess.STDOUT,
                text=True,
            )

    def run(self, *words: str) -> str:
        """Run a command to its end, which must be a good one, and return what it printed."""
        return self.end(self.start(*words))

    def end(self, running: "subprocess.Popen[str]") -> str:
        """Wait for the end of a command, which must be a good one, and return what it printed."""
        try:
            code = running.wait(SECONDS)
        finally:
            running.kill()
        told = self.told.read_text()
        assert code == 0, told
        return told

    @property
    def told(self) -> Path:
        """Where the last command's words lie."""
        return self.home / "told.txt"

    def deploy(self, name: str, *more: str, **parameters: str) -> "subprocess.Popen[str]":
        """Start `sam deploy`, without questions."""
        return self.start(
            *("deploy", "--template-file", "template.yaml", "--stack-name", name, "--region", REGION),
            *("--resolve-s3", "--no-progressbar", "--no-confirm-changeset"),
            *("--capabilities", "CAPABILITY_IAM", *more),
            *("--parameter-overrides", *(f"{key}={value}" for key, value in parameters.items())),
        )
