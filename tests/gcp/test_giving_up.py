"""What the platform gives up on Google Cloud is a dead letter as any other."""

from pathlib import Path

from beagle.emulator import DEFAULT_TEAM
from beagle.pipeline.replay import Choice, plan_replay, run_replay
from beagle.ports import KeptLetter
from gcp.cloud import Cloud
from gcp.conftest import ARCHIVE, DATASET
from gcp.deployment import Deployment
from gcp.pubsub import PubSub
from gcp.xml_api import Reply, Request

BUCKET = "deadly-uploads"
ATTEMPTS = 5
"""The fewest that Pub/Sub allows; deployed are a hundred, and Beagle's own count comes first."""
SETTINGS = {
    "BEAGLE_TEAM": DEFAULT_TEAM,
    "BEAGLE_DATASET": DATASET,
    "BEAGLE_STORAGE": ARCHIVE,
    "BEAGLE_ACCESS": "read_only",
    "BEAGLE_BUCKET": BUCKET,
}


def test_a_message_that_kills_every_process_ends_among_the_dead_letters(
    pubsub: PubSub, cloud: Cloud, tmp_path: Path
) -> None:
    """
    The process dies while it reads the object; after its last attempt Pub/Sub gives the message up.

    The letter is the notification itself. Replayed once nothing kills any more, it ends with a verdict.
    """
    deployment = Deployment(
        *(pubsub, cloud, tmp_path / "deadly", "deadly", "http://127.0.0.1:1"),
        instances={"prepare": 1},
        settings=SETTINGS,
        wide=True,
        attempts=ATTEMPTS,
    )
    usual, kept = cloud.before, list[KeptLetter]()

    def deadly(request: Request) -> Reply | None:
        if "poison" in request.path and request.via:
            deployment.instances["prepare"][0].kill_worker()
            return Reply(503)
        return None

    def given_up() -> bool:
        kept.extend(box.list_letters())
        return bool(kept)

    with deployment:
        cloud.notify(BUCKET, pubsub, deployment.topics["uploads"])
        cloud.before = deadly
        deployment.upload(BUCKET, "deadly/poison.png", b"no picture, but bytes")
        box = deployment.letter_box()
        deployment.wait_until(given_up, "The letter")
        cloud.before = usual
        assert [(one.letter.code, one.letter.attempts) for one in kept] == [("gave_up", ATTEMPTS)]
        assert "poison.png" in kept[0].letter.raw

        done = list(run_replay(plan_replay(kept, Choice()), deployment.outbox(), box))
        deployment.wait_until(lambda: bool(deployment.books("deadly").lines), "A verdict")

        assert [one.error for one in done] == [None]
        assert [line.code for line in deployment.books("deadly").lines] == ["unreadable_media"]
        box.release()
        assert [one.letter.code for one in deployment.letter_box().list_letters()] == ["unreadable_media"]
