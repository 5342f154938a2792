"""A local AWS: ministack as a process of its own, on loopback only, with IAM enforced."""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

REGION = "us-east-1"
# ministack takes this key, and this secret, for the account's owner.
OWNER = "test"
# Below those that systems hand out: of them another program may be given one before it is used.
PORTS = range(10_000, 32_000)
PORT_TRIES = 100
START_SECONDS = 30.0
STOP_SECONDS = 5.0
# What a function needs from this machine to reach the real Darwin; everything else stays out.
INHERITED = ("PATH", "LANG", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE")


class LocalAwsError(RuntimeError):
    """The local AWS did not do what it was started for; the message holds the end of its log."""


class Ministack:
    """One local AWS account, gone with its buckets and queues when it stops; `folder` receives its log."""

    def __init__(self, folder: Path, *, port: int | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.log = folder / "ministack.log"
        self.port = port or free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None
        self._scratch: Path | None = None
        self._clients: dict[str, Any] = {}

    def __enter__(self) -> Self:
        """Start, and wait until it answers."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it and the functions it started."""
        self.stop()

    def start(self) -> None:
        """Return when it answers."""
        self._scratch = Path(tempfile.mkdtemp(prefix="beagle-aws-"))
        environment = {
            **{name: os.environ[name] for name in INHERITED if name in os.environ},  # noqa: TID251 - see INHERITED
            "HOME": str(self._scratch),
            "TMPDIR": str(self._scratch),
            "BIND_HOST": "127.0.0.1",
            "MINISTACK_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(self.port),
            "IOT_MTLS_ENABLED": "0",  # it would listen on every interface
            "SFTP_ENABLED": "0",
            "AUTH": "true",  # a missing permission fails here as it would on AWS
            "MINISTACK_REGION": REGION,
            "LAMBDA_EXECUTOR": "local",
        }
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and our own file
                # -P: this folder holds a ministack.py of its own, which must not be taken for the package.
                [sys.executable, "-P", str(Path(__file__).with_name("aws_process.py"))],
                env=environment,
                cwd=self._scratch,
                stdin=subprocess.PIPE,  # closed when this process ends, however it does
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a group of its own, so that its functions end with it
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                tail = self.log.read_text(errors="replace")[-2000:]
                raise LocalAwsError(f"The local AWS did not start on port {self.port}:\n{tail}")
            time.sleep(0.05)

    def stop(self) -> None:
        """End the process and every function it started; stopping twice is harmless."""
        process, self._process = self._process, None
        if process is not None:
            for number in (signal.SIGTERM, signal.SIGKILL):
                try:
                    os.killpg(process.pid, number)
                    process.wait(STOP_SECONDS)
                except (ProcessLookupError, PermissionError, subprocess.TimeoutExpired):
                    continue
            if process.stdin is not None:
                process.stdin.close()
        if self._scratch is not None:
            shutil.rmtree(self._scratch, ignore_errors=True)
            self._scratch = None

    @property
    def environment(self) -> dict[str, str]:
        """Return what another process sets to act as the account's owner here."""
        return {
            "AWS_ACCESS_KEY_ID": OWNER,
            "AWS_SECRET_ACCESS_KEY": OWNER,
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
        }

    def client(self, service: str) -> Any:  # noqa: ANN401 - boto3 makes its clients at run time
        """Return the boto3 client of `service`, acting as the account's owner; threads may share it."""
        import boto3  # noqa: PLC0415 - 130 ms that only a running stack should cost
        from botocore.config import Config  # noqa: PLC0415

        if service not in self._clients:
            session = boto3.session.Session(
                aws_access_key_id=OWNER, aws_secret_access_key=OWNER, region_name=REGION
            )
            config = Config(retries={"max_attempts": 2}, proxies={}, s3={"addressing_style": "path"})
            self._clients[service] = session.client(service, endpoint_url=self.endpoint, config=config)  # type: ignore[call-overload]
        return self._clients[service]

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.endpoint}/_ministack/health", timeout=2):  # noqa: S310 - loopback
                return True
        except (urllib.error.URLError, OSError):
            return False


def free_port() -> int:
    """Return a port that nobody listens on, and that the system gives to nobody who asks it for any."""
    for _ in range(PORT_TRIES):
        port = secrets.choice(PORTS)
        with socket.socket() as probe, suppress(OSError):  # it is taken
            probe.bind(("127.0.0.1", port))
            return port
    raise LocalAwsError("No free port was found on this machine.")
