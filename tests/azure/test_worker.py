"""What a function does with a message whose deliveries are used up, before the host would give it up."""

import asyncio
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

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
    insertion_time: datetime | None = None

    def get_body(self) -> bytes:
        return WORDS.encode()


@pytest.mark.parametrize(
    ("told", "known"),
    [
        (datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 5, 1, tzinfo=UTC)),
        (datetime(2026, 5, 1), None),  # noqa: DTZ001 - as Azure's library hands out what has another zone
        (None, None),
    ],
    ids=["as the host writes it", "in another zone", "not told"],
)
def test_a_time_without_a_zone_is_none(told: datetime | None, known: datetime | None) -> None:
    """To reckon with it would end every invocation, for the sake of an alarm."""
    received = Invocations(CLOCK, 60).received(Delivered(1, insertion_time=told))

    assert received.sent_at == known


class Failing:
    """A stage that writes a line, in whichever thread it runs, and fails."""

    def __init__(self, lines: HeldLines) -> None:
        self.lines = lines

    def run(self, _batch: Sequence[Received], _deadline: Deadline) -> Report:
        self.lines.hold("ERROR", "said")
        raise ZeroDivisionError


class Waiting:
    """A stage in front of which a service is away."""

    def run(self, batch: Sequence[Received], _deadline: Deadline) -> Report:
        return Report({message.id: None for message in batch}, ())


@dataclass(slots=True)
class Function:
    """Both kinds of worker, whose letters go into one queue."""

    letters: QueueClient
    lines: list[dict[str, str]] = field(default_factory=list)

    def last(self) -> LastDelivery:
        """Return what keeps a message; the host gives it up after the tenth delivery."""
        return LastDelivery(
            stage="prepare",
            deliveries=10,
            dead_letters=QueueDeadLetters(StorageOutbox(self.letters)),
            journal=LogJournal("beagle", lambda _, line: self.lines.append(json.loads(line))),
            clock=CLOCK,
        )

    def deliver(self, kind: str, count: int) -> None:
        """Deliver a message that was delivered so often, this time included."""
        last, invocations = self.last(), Invocations(CLOCK, 60)
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


def test_what_a_batch_wrote_is_written_by_an_invocation_though_the_batch_failed(function: Function) -> None:
    """Once, and in the very task that the host started: by that the worker tells whose a line is."""
    written: list[tuple[str, object]] = []
    lines = HeldLines(lambda _, line: written.append((line, asyncio.current_task())))
    gather = Gather(Failing(lines), CLOCK, most=2, window=10)
    worker = GatheringWorker(gather, lines, Invocations(CLOCK, 60), function.last())

    async def deliver_two() -> list[asyncio.Task[None]]:
        tasks = [asyncio.create_task(worker.answer(Delivered(1))) for _ in range(2)]
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(one) for one in ended] == [ZeroDivisionError] * 2
        return tasks

    tasks = asyncio.run(deliver_two())
    [(line, task)] = written

    assert line == "said"
    assert task in tasks
