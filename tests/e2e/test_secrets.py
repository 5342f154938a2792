"""The API key is sent to Darwin, and shows nowhere else, whatever goes wrong."""

from collections.abc import Callable, Iterator

import pytest

from beagle.emulator import DEFAULT_KEY, Fault
from beagle.playground.stack import Function, Stack
from e2e.conftest import World
from e2e.hands import Hands

PICTURE = b"no picture, but bytes"
CANARY = "CANARY7.0123456789abcdef0123456789abcdef"
# Its name, the halves of its secret: no part may show.
PARTS = (CANARY[:7], CANARY[8:24], CANARY[24:])

# What goes wrong, and the ending of the object it happens to.
FAULTS: dict[str, tuple[list[Fault], str]] = {
    "blocked": ([Fault(kind="block", reason="UNSUPPORTED_CODEC")], "dead_lettered"),
    "reset": ([Fault(kind="reset", count=None)], "again"),
    "reset, then registered": ([Fault(kind="reset", when="after")], "registered"),
    "reset in the reply": ([Fault(kind="reset_mid_body")], "again"),
    "silence": ([Fault(kind="hang", seconds=1)], "registered"),
    "truncated": ([Fault(kind="truncated_json")], "again"),
    "HTML": ([Fault(kind="html", status=200)], "again"),
    "missing": ([Fault(kind="missing_item")], "again"),
    "redirect": ([Fault(kind="status", status=302, count=None)], "again"),
    "unauthorized": ([Fault(kind="status", status=401, count=None)], "again"),
    "forbidden": ([Fault(kind="status", status=403, count=None)], "again"),
    "not found": ([Fault(kind="status", status=404, count=None)], "again"),
    "too large": ([Fault(kind="status", status=413, count=None)], "dead_lettered"),
    "invalid": ([Fault(kind="status", status=422, count=None)], "dead_lettered"),
    "throttled": ([Fault(kind="status", status=429, count=None)], "again"),
    "broken": ([Fault(kind="status", status=500, count=None)], "again"),
    "unavailable": ([Fault(kind="status", status=503, count=None)], "again"),
}
# The same for what is wrong with the function's own surroundings.
SURROUNDINGS: dict[str, dict[str, str]] = {
    "unreachable": {"BEAGLE_DARWIN_URL": "http://127.0.0.1:9"},
    "no TLS": {"BEAGLE_DARWIN_URL": "https://127.0.0.1:{port}"},
    "no state bucket": {"BEAGLE_STATE_BUCKET": "acme-nowhere"},
    "no dead letters": {"BEAGLE_DEAD_LETTERS_QUEUE": "{queue}-nowhere"},
}


def sinks(stack: Stack) -> dict[str, str]:
    """Return everything that Beagle has written anywhere, by where it lies."""
    s3 = stack.aws.client("s3")
    found = {f"log of {name}": "\n".join(stack.logs(name)) for name in stack.functions}
    for queue in stack.queues:
        for message in stack.messages(queue):
            found[f"{queue} {message.message_id}"] = f"{message.body}{dict(message.attributes)}"
    for output in ("StateBucket", "SourceBucket"):
        bucket = stack.outputs[output]
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            for entry in page.get("Contents", ()):
                answer = s3.get_object(Bucket=bucket, Key=entry["Key"])
                body = answer["Body"].read().decode("latin-1")
                found[f"{output} {entry['Key']}"] = f"{entry['Key']}{answer['Metadata']}{body}"
    return found


def showing(written: dict[str, str]) -> list[str]:
    """Return where a part of the key can be read."""
    return [name for name, text in written.items() if any(part in text for part in PARTS)]


@pytest.fixture
def canary(world: World) -> Iterator[None]:
    """Make the canary the one key that Darwin takes."""
    world.darwin.add_key(secret=CANARY)
    world.darwin.revoke_key(DEFAULT_KEY)
    world.stack.put_api_key(CANARY)
    yield
    world.darwin.add_key(secret=DEFAULT_KEY)
    world.stack.put_api_key(DEFAULT_KEY)


@pytest.mark.usefixtures("canary")
def test_the_api_key_shows_nowhere(world: World, folder: str, hands: Callable[[Function], Hands]) -> None:
    """
    Not in a log, a dead letter, a queue, the ledger or the bucket, after every kind of fault.

    Each fault happens to a process of its own that logs all it can, and to an object of its own.
    """
    stack = world.stack
    register = hands("register")
    logs: dict[str, str] = {}

    def happen(name: str, ending: str, **variables: str) -> None:
        stack.upload(PICTURE, f"{folder}/{name}.png")
        stack.wait_until(
            lambda: any(f"{folder}/{name}.png" in message.body for message in stack.messages("items")),
            what="Preparation",
        )
        instance = register.start(POWERTOOLS_LOG_LEVEL="DEBUG", **variables)
        event = register.receive(1)
        instance.begin(event)
        answer = instance.answer()
        register.acknowledge(event, answer)
        logs[name] = instance.log
        assert [line.ending for line in instance.lines] == [ending], instance.log
        assert bool(answer["batchItemFailures"]) == (ending == "again")
        instance.kill()

    happen("fine", "registered")
    for name, (faults, ending) in FAULTS.items():
        world.darwin.inject(*faults)
        happen(name, ending)
        world.darwin.clear_faults()
    for name, variables in SURROUNDINGS.items():
        port, queue = world.url.rpartition(":")[2], stack.outputs["DeadLettersQueueUrl"]
        if name == "no dead letters":
            world.darwin.inject(Fault(kind="block"))
        happen(name, "again", **{key: text.format(port=port, queue=queue) for key, text in variables.items()})
        world.darwin.clear_faults()
    stack.put_api_key(f"{CANARY}\n{CANARY}")
    happen("no key", "again")

    assert "fine.png" in {item.name for item in world.darwin.items()}  # it was this key that opened Darwin
    everything = logs | sinks(stack)
    kinds = {name.split(" ")[0] for name in everything}
    assert kinds >= {"dead_letters", "items", "log", "StateBucket", "SourceBucket"}
    assert showing(everything) == []


@pytest.mark.usefixtures("canary")
def test_the_deployed_functions_do_not_show_the_key(world: World, folder: str) -> None:
    """The same through the platform, whose own log of the functions holds their every line."""
    stack = world.stack
    stack.configure("register", POWERTOOLS_LOG_LEVEL="DEBUG")
    world.darwin.inject(Fault(kind="block", match="blocked"), Fault(kind="reset", when="after"))
    for name in ("blocked", "fine"):
        stack.upload(PICTURE, f"{folder}/{name}.png")
    stack.wait_until(lambda: stack.depth("dead_letters") == 1 and len(world.darwin.items()) == 1, what="Both")
    stack.wait_until_idle(seconds=60)

    everything = sinks(stack)
    assert f"{folder}/fine.png" in everything["log of register"]
    assert showing(everything) == []
