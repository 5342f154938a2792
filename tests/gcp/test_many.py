"""Hundreds of objects at once on Google Cloud, with faults: each stands once, and the books balance."""

from pathlib import Path

from e2e.books import FINAL
from gcp.cloud import Cloud
from gcp.pubsub import PubSub
from gcp.thousands import run

OBJECTS = 300
AWS_REQUESTS = 10
"""That AWS takes for a thousand objects, a hundred a request."""


def test_each_object_stands_once_whatever_fails(pubsub: PubSub, cloud: Cloud, tmp_path: Path) -> None:
    """
    Two instances of register, and every event twice.

    Darwin says 429 and 5xx and resets, before and after the commit; the state bucket fails now and then; an
    instance is killed midway, and one message kills its process each time. That one ends as `crash_loop`, and
    nothing else is a dead letter. Every announcement has an outcome; what a killed process had not
    acknowledged has it once more.
    """
    ran = run(pubsub, cloud, tmp_path / "many", OBJECTS, faults=True, poison=True)

    assert ran.items == {f"many/{number:06d}.png": 1 for number in range(OBJECTS)}
    assert ran.codes == {"many/poison.png": "crash_loop"}
    assert ran.kills >= 6
    prepare, register = ran.books.count("prepare"), ran.books.count("register")
    assert prepare == {"passed_on": ran.announced}
    ended = {key: ran.books.of_key(key, "register") for key in ran.items}
    assert all(len(endings) >= 2 for endings in ended.values())
    assert {ending for endings in ended.values() for ending in endings} <= {
        "registered",
        "already_registered",
    }
    assert sum(register[ending] for ending in FINAL) >= ran.announced


def test_undisturbed_requests_fill_up(pubsub: PubSub, cloud: Cloud, tmp_path: Path) -> None:
    """
    Pushed one by one, items are registered in at most twice as many requests as in SQS's batches.

    All of them wait, and a request waits for more than a busy machine takes to bring them.
    """
    ran = run(pubsub, cloud, tmp_path / "calm", OBJECTS, faults=False, backlog=True, gather=5, name="calm")

    assert ran.items == {f"many/{number:06d}.png": 1 for number in range(OBJECTS)}
    assert ran.books.count("register") == {"registered": OBJECTS}
    assert not ran.codes
    assert ran.requests <= 2 * AWS_REQUESTS * OBJECTS / 1000
