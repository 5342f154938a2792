"""What a function does with a message whose deliveries are used up, before the host would give it up."""

import asyncio
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from azure.storage.queue import QueueClient

from beagle.ports import Deadline, Received, Report
from beagle.providers.azure.queue import StorageLetterBox, StorageOutbox
from beagle.providers.azure.worker import (
    ComeAgainError,
    GatheringWorker,
    HeldLines,
    Invocations,
    LastDelivery,
    Worker,
)
from beagle.providers.gather import Gather
from beagle.providers.journal import LogJournal
from beagle.providers.letters import QueueDeadLetters
from beagle.providers.local.clock import SystemClock
from support.azure.azurite import Azurite

CLOCK = SystemClock()
WORDS = "an announcement in words that only prepare reads"


@dataclass(frozen=True, slots=True)
class Delivered:
    """A message as the host hands it out."""

    dequeue_count: int
    id: str = "1"

    def get_body(self) -> bytes:
        return WORDS.encode()


class Waiting:
    """A stage in front of which a service is away."""

    def run(self, batch: Sequence[Received], _deadline: Deadline) -> Report:
        return Report({message.id: None for message in batch}, ())


@dataclass(slots=True)
class Function:
    """Both kinds of worker, whose letters go into one queue."""

    letters: QueueClient
    lines: list[dict[str, str]] = field(default_factory=list)

    def deliver(self, kind: str, count: int) -> None:
        """Deliver a message for so many times; the host gives up after the tenth."""
        last = LastDelivery(
            stage="prepare",
            deliveries=10,
            dead_letters=QueueDeadLetters(StorageOutbox(self.letters)),
            journal=LogJournal("beagle", lambda _, line: self.lines.append(json.loads(line))),
            clock=CLOCK,
        )
        invocations = Invocations(CLOCK, 60)
        if kind == "one by one":
            Worker(Waiting(), invocations, last).answer(Delivered(count))
        else:
            gather = Gather(Waiting(), CLOCK, most=1, window=0)
            held = HeldLines(lambda *_: None)
            asyncio.run(GatheringWorker(gather, held, invocations, last).answer(Delivered(count)))


@pytest.fixture
def function(azurite: Azurite) -> Function:
    return Function(azurite.queues.create_queue(f"queue-{uuid.uuid4().hex}"))


@pytest.mark.parametrize("kind", ["one by one", "together"])
def test_near_its_last_delivery_a_message_is_a_letter_and_before_it_comes_again(
    function: Function, kind: str
) -> None:
    """In the form in which other providers' queues leave what they give up; it says so in the log."""
    with pytest.raises(ComeAgainError):
        function.deliver(kind, 8)
    assert not function.letters.peek_messages()
    function.deliver(kind, 9)
    [kept] = StorageLetterBox([function.letters], "test").list_letters()

    assert (kept.letter.code, kept.letter.stage, kept.letter.raw) == ("gave_up", "queue", WORDS)
    assert kept.letter.attempts == 9
    assert [(line["ending"], line["code"]) for line in function.lines] == [("dead_lettered", "gave_up")]


@pytest.mark.parametrize("kind", ["one by one", "together"])
def test_a_letter_that_is_not_taken_leaves_the_message_to_the_host(function: Function, kind: str) -> None:
    """Whose poison queue is the net beneath; nothing is said to have ended."""
    function.letters.delete_queue()

    with pytest.raises(ComeAgainError):
        function.deliver(kind, 10)
    assert not function.lines
