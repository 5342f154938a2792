"""Beagle deployed on a local Azure, as Terraform deploys it on the real one: an app for each stage."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Self

from beagle.emulator import DEFAULT_KEY
from beagle.providers.azure.queue import StorageLetterBox, StorageOutbox
from e2e.books import Books
from support.azure.instances import Instance, deployed_python

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from types import TracebackType

    from support.azure.azurite import Azurite
    from support.azure.key_vault import KeyVault

AT_ONCE = {"prepare": 20, "extract": 1, "register": 200}
"""How many messages the host gives an instance of each at once, as Terraform sets it."""
QUEUES = {"prepare": "uploads", "extract": "videos", "register": "items"}
WAIT_SECONDS = 90.0


class Deployment:
    """
    Queues, a container for the state, a secret, and apps. Who announces uploads writes into their queue.

    What waits ten minutes waits a second here. Where this machine has the deployed Python, register runs on
    that, with the packages it is deployed with; the others run on this one.
    A message is delivered as often as host.json says, in which `deliveries` takes the place of our number.
    """

    def __init__(  # noqa: PLR0913 - what a deployment is made of
        self,
        azurite: Azurite,
        vault: KeyVault,
        folder: Path,
        name: str,
        darwin_url: str,
        *,
        instances: Mapping[str, int],
        settings: Mapping[str, str],
        routes: str = "",
        deliveries: int | None = None,
        lease: int = 30,
    ) -> None:
        self.name, self.functions = name, tuple(instances)
        self.queues = {
            queue: azurite.queues.get_queue_client(f"{name}-{queue}")
            for queue in ("uploads", "items", "videos", "dead-letters")
        }
        self.poison = {
            stage: azurite.queues.get_queue_client(f"{name}-{queue}-poison")
            for stage, queue in QUEUES.items()
        }
        for queue in self.queues.values():
            queue.create_queue()
        self.state = azurite.blobs.create_container(f"{name}-state")
        vault.secrets[f"{name}-api-key"] = DEFAULT_KEY
        self.settings = {
            "BEAGLE_DEPLOYMENT": name,
            "BEAGLE_QUEUES": azurite.connection_string,
            **{
                f"BEAGLE_{queue.upper().replace('-', '_')}_QUEUE": client.queue_name
                for queue, client in self.queues.items()
            },
            "BEAGLE_STATE_BUCKET": f"{name}-state",
            "BEAGLE_API_KEY_SECRET": f"{vault.address}/secrets/{name}-api-key",
            "BEAGLE_DARWIN_URL": darwin_url,
            **settings,
        }
        self.instances = {
            stage: [
                Instance(
                    folder / f"{stage}-{number}",
                    {**self.settings, **_app_settings(stage)},
                    python=(deployed_python() if stage == "register" else None) or sys.executable,
                    routes=routes,
                    deliveries=deliveries,
                    lease=lease,
                )
                for number in range(count)
            ]
            for stage, count in instances.items()
        }

    def __enter__(self) -> Self:
        """Return when every app is indexed."""
        for instance in self._all():
            instance.wait_until_listening()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for instance in self._all():
            if instance.running:
                instance.kill()

    def _all(self) -> list[Instance]:
        return [instance for instances in self.instances.values() for instance in instances]

    def logs(self, stage: str) -> list[str]:
        """Return what a function's instances have logged, line by line."""
        return [line for instance in self.instances[stage] for line in instance.log.splitlines()]

    def letter_box(self) -> StorageLetterBox:
        """Return the dead letters and the poison queues, as an operator's command reads them."""
        return StorageLetterBox([self.queues["dead-letters"], *self.poison.values()], "test")

    def outbox(self) -> StorageOutbox:
        """Return where replayed messages go."""
        return StorageOutbox(self.queues["uploads"])

    def books(self, folder: str) -> Books:
        """Return what the functions have logged of a folder."""
        return Books.of(self, folder)  # it asks for functions and logs

    def depth(self, queue: str) -> int:
        """Return how many messages are in a queue, hidden ones included."""
        return int(self.queues[queue].get_queue_properties().approximate_message_count)

    def wait_until(self, claim: Callable[[], bool], what: str, seconds: float = WAIT_SECONDS) -> None:
        """Return when the claim holds."""
        deadline = time.monotonic() + seconds
        while not claim():
            ends = {stage: "\n".join(self.logs(stage)[-8:]) for stage in self.functions}
            assert time.monotonic() < deadline, f"{what}: not within {seconds:.0f} s.\n{ends}"
            time.sleep(0.1)

    def wait_until_idle(self) -> None:
        """Return when no message is left but dead letters."""
        waiting = [queue for queue in self.queues if queue != "dead-letters"]
        self.wait_until(lambda: not any(map(self.depth, waiting)), "No message left")


def _app_settings(stage: str) -> dict[str, str]:
    at_once = AT_ONCE[stage]
    batch = min(32, (at_once + 1) // 2)
    override = "AzureFunctionsJobHost__extensions__queues__"
    return {
        "BEAGLE_STAGES": stage,
        f"{override}batchSize": str(batch),
        f"{override}newBatchThreshold": str(at_once - batch),
        "PYTHON_THREADPOOL_THREAD_COUNT": str(min(32, at_once)),
    }
