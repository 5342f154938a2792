"""Google's Pub/Sub emulator, as a process of its own on loopback; topics and subscriptions by REST."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import urllib3

from beagle.playground.ministack import free_port

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

PROJECT = "projects/beagle-local"
START_SECONDS = 60.0
ABSENT = (
    "no Pub/Sub emulator on this machine (java, google-cloud-cli-pubsub-emulator): nothing of GCP is tested"
)


class NotHereError(RuntimeError):
    """This machine has no Pub/Sub emulator."""


class PubSub:
    """One emulator; what was in it is gone when it stops."""

    def __init__(self, folder: Path) -> None:
        self._jar = find_jar()
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._http = urllib3.PoolManager(maxsize=64, retries=False, timeout=30)
        self.host = f"127.0.0.1:{free_port()}"

    def __enter__(self) -> Self:
        """Start, and wait until it answers."""
        port = self.host.rpartition(":")[2]
        # It is to start quickly, on a machine that it shares.
        java = ["java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx512m"]
        with (self._folder / "pubsub.log").open("wb") as log:
            self._process = subprocess.Popen(
                [*java, "-jar", str(self._jar), "--host=127.0.0.1", f"--port={port}"],
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(
                    f"The emulator did not start:\n{(self._folder / 'pubsub.log').read_text()}"
                )
            time.sleep(0.05)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End java itself; Google's own wrapper would leave it behind."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)

    def topic(self, name: str) -> str:
        """Create a topic, and return its full name."""
        return self._create(f"{PROJECT}/topics/{name}", {})

    def subscription(self, name: str, topic: str, **options: Any) -> str:
        """Create a subscription, and return its full name."""
        return self._create(f"{PROJECT}/subscriptions/{name}", {"topic": topic, **options})

    def publish(self, topic: str, messages: Sequence[dict[str, Any]]) -> list[str]:
        """Publish messages; return their ids."""
        found = self.ask("POST", f"{topic}:publish", {"messages": list(messages)})["messageIds"]
        assert isinstance(found, list)
        return found

    def pull(self, subscription: str, most: int) -> list[dict[str, Any]]:
        """Return what is there now."""
        wanted = {"maxMessages": most, "returnImmediately": True}
        return list(self.ask("POST", f"{subscription}:pull", wanted).get("receivedMessages", ()))

    def acknowledge(self, subscription: str, ack_ids: list[str]) -> None:
        """Take messages away."""
        if ack_ids:
            self.ask("POST", f"{subscription}:acknowledge", {"ackIds": ack_ids})

    def give_back(self, subscription: str, ack_id: str) -> None:
        """Have a message delivered again, by the subscription's retry policy."""
        wanted = {"ackIds": [ack_id], "ackDeadlineSeconds": 0}
        self.ask("POST", f"{subscription}:modifyAckDeadline", wanted)

    def ask(self, method: str, path: str, wanted: dict[str, Any]) -> dict[str, Any]:
        """Return the answer to a request."""
        answer = self._http.request(method, f"http://{self.host}/v1/{path}", json=wanted)
        assert answer.status == 200, answer.data
        found = json.loads(answer.data)
        assert isinstance(found, dict)
        return found

    def _create(self, name: str, wanted: dict[str, Any]) -> str:
        self.ask("PUT", name, wanted)
        return name

    def _answers(self) -> bool:
        try:
            return bool(self._http.request("GET", f"http://{self.host}/v1/{PROJECT}/topics").status == 200)
        except urllib3.exceptions.HTTPError:
            return False


def find_jar() -> Path:
    """Return the emulator, which is a part of Google's SDK."""
    gcloud, java = shutil.which("gcloud"), shutil.which("java")
    if gcloud and java:
        place = Path(gcloud).resolve().parents[1] / "platform" / "pubsub-emulator" / "lib"
        for jar in sorted(place.glob("cloud-pubsub-emulator-*.jar"), reverse=True):
            return jar
    raise NotHereError(ABSENT)
