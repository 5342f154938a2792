"""Beagle deployed on a local Google Cloud, as Terraform deploys it on the real one."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Self

from beagle.emulator import DEFAULT_KEY
from beagle.providers.gcp.queue import PubSubLetterBox, PubSubOutbox
from beagle.providers.gcp.rest import Google
from e2e.books import Books
from gcp.functions import Instance
from gcp.pubsub import PROJECT
from gcp.pushing import Pusher

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from types import TracebackType

    from google.cloud.storage import Blob

    from gcp.cloud import Cloud
    from gcp.pubsub import PubSub

SOURCES = {"prepare": "uploads", "extract": "videos", "register": "items"}
CONCURRENCY = {"prepare": 20, "extract": 1, "register": 200}
SECONDS = {"prepare": 120, "extract": 600, "register": 120}
"""How long a push may last; these numbers are the Terraform module's."""
WAIT_SECONDS = 90.0


class Deployment:
    """
    Topics, subscriptions and functions; a bucket is connected by `cloud.notify`.

    By default the emulator itself pushes, which now and then loses what fails; `wide` pushes as Pub/Sub does,
    by `Pusher`. No filter keeps
    artifacts from prepare, so that it must refuse them itself.
    """

    def __init__(  # noqa: PLR0913 - what a deployment is made of
        self,
        pubsub: PubSub,
        cloud: Cloud,
        folder: Path,
        name: str,
        darwin_url: str,
        *,
        instances: Mapping[str, int],
        settings: Mapping[str, str],
        routes: Path | None = None,
        wide: bool = False,
        attempts: int = 100,
    ) -> None:
        self.pubsub, self.cloud, self.name, self._wide = pubsub, cloud, name, wide
        self.functions = tuple(instances)
        self.topics = {
            queue: pubsub.topic(f"{name}-{queue}") for queue in ("uploads", "items", "videos", "dead-letters")
        }
        self.dead_letters = pubsub.subscription(
            f"{name}-dead-letters", self.topics["dead-letters"], ackDeadlineSeconds=60
        )
        self.state = f"{name}-state"
        secret = f"{PROJECT}/secrets/{name}-api-key"
        cloud.secrets[secret] = DEFAULT_KEY
        environment = {
            "BEAGLE_DEPLOYMENT": name,
            "BEAGLE_UPLOADS_QUEUE": self.topics["uploads"],
            "BEAGLE_ITEMS_QUEUE": self.topics["items"],
            "BEAGLE_VIDEOS_QUEUE": self.topics["videos"],
            "BEAGLE_DEAD_LETTERS_QUEUE": self.topics["dead-letters"],
            "BEAGLE_STATE_BUCKET": self.state,
            "BEAGLE_API_KEY_SECRET": secret,
            "BEAGLE_DARWIN_URL": darwin_url,
            "PUBSUB_EMULATOR_HOST": pubsub.host,
            "SECRETS_EMULATOR_HOST": cloud.address,
            **settings,
        }

        def start(stage: str, number: int) -> Instance:
            own = f"{name}-{stage}-{number}"
            told = {
                "STORAGE_EMULATOR_HOST": cloud.via(own),
                "BEAGLE_INVOCATION_SECONDS": str(SECONDS[stage]),
            }
            return Instance(stage, folder / own, told | environment, CONCURRENCY[stage], routes)

        self.instances = {
            stage: [start(stage, number) for number in range(count)] for stage, count in instances.items()
        }
        self.subscriptions = {
            stage: pubsub.subscription(
                f"{name}-{stage}",
                self.topics[SOURCES[stage]],
                ackDeadlineSeconds=SECONDS[stage],
                retryPolicy={"minimumBackoff": "0.1s", "maximumBackoff": "1s"},
                deadLetterPolicy={
                    "deadLetterTopic": self.topics["dead-letters"],
                    "maxDeliveryAttempts": attempts,
                },
                **({} if wide else {"pushConfig": {"pushEndpoint": self.instances[stage][0].url}}),
            )
            for stage in instances
        }
        self.pushers: dict[str, Pusher] = {}
        self._open = ExitStack()

    def __enter__(self) -> Self:
        """Return when every instance takes connections."""
        self.wait_until_listening()
        for stage in self.functions if self._wide else ():
            pusher = Pusher(self.pubsub, self.subscriptions[stage], self.instances[stage], CONCURRENCY[stage])
            self.pushers[stage] = self._open.enter_context(pusher)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for stage in self.subscriptions:
            if not self._wide:
                wanted = {"pushConfig": {}}
                self.pubsub.ask("POST", f"{self.subscriptions[stage]}:modifyPushConfig", wanted)
        for instance in self._all():
            instance.stop()
        self._open.close()

    def _all(self) -> list[Instance]:
        return [instance for instances in self.instances.values() for instance in instances]

    def wait_until_listening(self) -> None:
        """Return when every instance takes connections."""
        for instance in self._all():
            instance.wait_until_listening()

    def logs(self, stage: str) -> list[str]:
        """Return what a function's instances have logged, line by line."""
        return [line for instance in self.instances[stage] for line in instance.log.splitlines()]

    def upload(self, bucket: str, key: str, data: bytes, content_type: str = "") -> Blob:
        """Upload an object with Google's own client."""
        blob = self.cloud.client().bucket(bucket).blob(key)
        blob.upload_from_string(data, content_type=content_type or "application/octet-stream")
        return blob

    def letter_box(self) -> PubSubLetterBox:
        """Return the dead letters, as an operator's command reads them."""
        return PubSubLetterBox(Google(self.pubsub.host), self.dead_letters, "test")

    def outbox(self) -> PubSubOutbox:
        """Return where replayed messages go."""
        return PubSubOutbox(Google(self.pubsub.host), self.topics["uploads"])

    def books(self, folder: str) -> Books:
        """Return what the functions have logged of a folder."""
        return Books.of(self, folder)  # type: ignore[arg-type]  # it asks for functions and logs

    def wait_until(self, claim: Callable[[], bool], what: str, seconds: float = WAIT_SECONDS) -> None:
        """Return when the claim holds."""
        deadline = time.monotonic() + seconds
        while not claim():
            ends = {stage: "\n".join(self.logs(stage)[-8:]) for stage in self.functions}
            assert time.monotonic() < deadline, f"{what}: not within {seconds:.0f} s.\n{ends}"
            time.sleep(0.05)
