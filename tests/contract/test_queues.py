"""One contract for every queue: sent is kept, listed is left, and what must come again comes when asked."""

from __future__ import annotations

import json
import time
from base64 import b64decode
from datetime import timedelta
from itertools import count
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from beagle.domain.errors import QueueUnavailableError
from beagle.domain.letters import DeadLetter
from beagle.ports import Report
from beagle.providers.aws.queue import SqsLetterBox, SqsOutbox, SqsSource
from beagle.providers.azure.queue import StorageLetterBox, StorageOutbox
from beagle.providers.azure.worker import Invocations
from beagle.providers.gcp.queue import PubSubLetterBox, PubSubOutbox, read_push
from beagle.providers.gcp.rest import Google
from beagle.providers.letters import QueueDeadLetters
from beagle.providers.local.clock import EPOCH, FakeClock, SystemClock
from beagle.providers.local.queue import LocalLetterBox, LocalQueue

NUMBERS = count()


class Local:
    """A queue in this process."""

    def __init__(self):
        self.clock = FakeClock()
        self.queue = self.outbox = LocalQueue(self.clock)

    def box(self):
        return LocalLetterBox(self.queue, "test")

    def receive(self, most=10):
        return self.queue.receive(most)

    def answer(self, batch, again):
        self.queue.answer(batch, Report(again, ()))

    def go_away(self):
        self.queue.down = True


class Sqs:
    """A queue of the local AWS."""

    def __init__(self, aws):
        self.client = aws.client("sqs")
        attributes = {"VisibilityTimeout": "600"}
        self.url = self.client.create_queue(QueueName=f"q{next(NUMBERS)}", Attributes=attributes)["QueueUrl"]
        self.outbox = SqsOutbox(self.client, self.url)

    def box(self):
        return SqsLetterBox(self.client, self.url, "test")

    def receive(self, most=10):
        self.records = [
            {"messageId": m["MessageId"], "body": m["Body"], "receiptHandle": m["ReceiptHandle"],
             "attributes": m["Attributes"]}
            for m in self.client.receive_message(
                QueueUrl=self.url, MaxNumberOfMessages=most, MessageSystemAttributeNames=["All"]
            ).get("Messages", ())
        ]  # fmt: skip
        return SqsSource.batch({"Records": self.records})

    def answer(self, batch, again):
        reply = SqsSource(self.client, self.url).answer({"Records": self.records}, Report(again, ()))
        failed = {failure["itemIdentifier"] for failure in reply["batchItemFailures"]}
        assert failed <= {message.id for message in batch}
        for record in self.records:  # as Lambda does with what is not named
            if record["messageId"] not in failed:
                self.client.delete_message(QueueUrl=self.url, ReceiptHandle=record["receiptHandle"])

    def go_away(self):
        self.client.delete_queue(QueueUrl=self.url)


class Topic:
    """A topic of Google's Pub/Sub emulator, with the subscription whose messages are pushed."""

    def __init__(self, pubsub):
        self.pubsub = pubsub
        name = f"queue-{next(NUMBERS)}"
        self.topic = pubsub.topic(name)
        policy = {"deadLetterTopic": pubsub.topic(f"{name}-dead"), "maxDeliveryAttempts": 100}
        options = {"ackDeadlineSeconds": 600, "deadLetterPolicy": policy}
        self.subscription = pubsub.subscription(name, self.topic, **options)
        self.outbox = PubSubOutbox(Google(pubsub.host), self.topic)

    def box(self):
        return PubSubLetterBox(Google(self.pubsub.host), self.subscription, "test")

    def receive(self, most=10):
        self.pulled = self.pubsub.pull(self.subscription, most)
        told = ("message", "deliveryAttempt")
        pushed = [json.dumps({name: one[name] for name in told}) for one in self.pulled]
        return [read_push({}.get, body, str(number)) for number, body in enumerate(pushed)]

    def answer(self, _, again):
        for number, one in enumerate(self.pulled):
            if str(number) in again:  # as Pub/Sub does with what is not answered with a success
                self.pubsub.give_back(self.subscription, one["ackId"])
            else:
                self.pubsub.acknowledge(self.subscription, [one["ackId"]])

    def go_away(self):
        self.pubsub.ask("DELETE", self.topic, {})


class StorageQueue:
    """A queue of Azurite, whose messages the Functions host hands to a function one by one."""

    def __init__(self, azurite):
        self.client = azurite.queues.create_queue(f"queue-{next(NUMBERS)}")
        self.outbox = StorageOutbox(self.client)
        self.invocations = Invocations(SystemClock(), 600)

    def box(self):
        return StorageLetterBox([self.client], "test")

    def receive(self, most=10):
        found = self.client.receive_messages(
            max_messages=most, messages_per_page=most, visibility_timeout=600
        )
        self.found = [FunctionsMessage(message) for message in found]
        received = [self.invocations.received(message) for message in self.found]
        self.handed = dict(zip([message.id for message in received], self.found, strict=True))
        return received

    def answer(self, _, again):
        for name, message in self.handed.items():
            if name in again:  # as the host does with what its function raises for
                self.client.update_message(message.message, visibility_timeout=0)
            else:
                self.client.delete_message(message.message)

    def go_away(self):
        self.client.delete_queue()


class FunctionsMessage:
    """A message as the host hands it to a function: decoded."""

    def __init__(self, message):
        self.message, self.id, self.dequeue_count = message, message.id, message.dequeue_count
        self.insertion_time = message.inserted_on

    def get_body(self):
        return b64decode(self.message.content)


AZURE = pytest.param("azure", marks=pytest.mark.xdist_group("local-azure"))
PUBSUB = pytest.param("pubsub", marks=pytest.mark.xdist_group("local-gcp"))


def queue_of(request):
    match request.param:
        case "local":
            return Local()
        case "sqs":
            return Sqs(request.getfixturevalue("aws"))
        case "pubsub":
            return Topic(request.getfixturevalue("pubsub"))
        case "azure":
            return StorageQueue(request.getfixturevalue("azurite"))


@pytest.fixture(params=["local", "sqs", PUBSUB, AZURE])
def queue(request):
    """Return an empty queue of each kind that runs here."""
    return queue_of(request)


@pytest.fixture(params=["local", "sqs"])
def hiding_queue(request):
    """Return an empty queue of each kind that hides a message for as long as a stage asks."""
    return queue_of(request)


def letter(number):
    return DeadLetter(
        id=f"{number}", code="item_blocked", reason="no", stage="register", event=None, raw="{}", item=None,
        route="r", attempts=1, replayed=0, first_at=EPOCH, last_at=EPOCH, version="0",
    )  # fmt: skip


def ids(box):
    return sorted(kept.letter.id for kept in box.list_letters())


# --- sending -------------------------------------------------------------------------------------------


def test_everything_that_was_sent_is_delivered_once_and_as_it_was(queue):
    """Also more than one call takes, and words that are many bytes each."""
    bodies = [f"{number} é 🐶 \\u0000 {'x' * number}" for number in range(23)]

    refused = queue.outbox.send(bodies)
    delivered = [message.body for _ in range(5) for message in queue.receive()]

    assert refused == []
    assert sorted(delivered) == sorted(bodies)


def test_nothing_to_send_is_no_trouble(queue):
    assert queue.outbox.send([]) == []
    assert queue.receive() == []


def test_bodies_as_large_as_we_allow_ourselves_are_taken(queue):
    """Several of them do not fit into one call."""
    bodies = [str(number) + "x" * (queue.outbox.most_bytes - 1) for number in range(3)]

    assert queue.outbox.send(bodies) == []
    assert sorted(m.body for _ in range(3) for m in queue.receive(1)) == bodies


def test_a_queue_that_is_away_takes_nothing(queue):
    queue.go_away()

    with pytest.raises(QueueUnavailableError):
        queue.outbox.send(["a", "b"])
    with pytest.raises(QueueUnavailableError):
        QueueDeadLetters(queue.outbox).record(letter(1))


# --- answering -----------------------------------------------------------------------------------------


def test_what_has_ended_is_gone_and_what_must_come_again_is_hidden_until_then(hiding_queue):
    queue = hiding_queue
    queue.outbox.send(["done", "soon", "later", "whenever"])
    batch = queue.receive()
    name = {message.body: message.id for message in batch}

    queue.answer(batch, {name["soon"]: 0.0, name["later"]: 500.0, name["whenever"]: None})
    if isinstance(queue, Local):
        queue.clock.advance(1.1)
        [again] = queue.receive()
    else:
        [again] = wait_for(queue)

    assert (again.body, again.attempts) == ("soon", 2)
    assert queue.receive() == []


def test_a_message_has_one_name_at_all_its_deliveries_and_no_other_has_it(queue):
    """Even one of the same words: what is known of the one says nothing of the other."""
    queue.outbox.send(["same", "same"])
    first = queue.receive()
    queue.answer(first, {message.id: 0.0 for message in first})
    if isinstance(queue, Local):
        again = queue.receive()
    else:
        again = wait_for(queue)
        while len(again) < len(first):
            again += wait_for(queue)

    assert {message.attempts for message in again} == {2}
    assert sorted(message.name for message in first) == sorted(message.name for message in again)
    assert len({message.name for message in first} - {""}) == 2


def wait_for(queue):
    """Return the next batch of a queue whose clock is the world's."""
    if isinstance(queue, Topic | StorageQueue):
        while not (again := queue.receive()):
            time.sleep(0.01)
        return again
    found = queue.client.receive_message(
        QueueUrl=queue.url, WaitTimeSeconds=5, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"]
    )["Messages"]
    queue.records = [
        {"messageId": m["MessageId"], "body": m["Body"], "attributes": m["Attributes"]} for m in found
    ]
    return SqsSource.batch({"Records": queue.records})


def test_what_ends_and_what_does_not_is_told_apart(queue):
    """Only what must come again does; it knows that it has been here."""
    queue.outbox.send(["done", "again"])
    batch = queue.receive()
    name = {message.body: message.id for message in batch}
    queue.answer(batch, {name["again"]: 0.0})
    if isinstance(queue, Local):
        queue.clock.advance(1.1)
        [again] = queue.receive()
    else:
        [again] = wait_for(queue)

    assert (again.body, again.attempts) == ("again", 2)
    assert queue.receive() == []


@pytest.mark.parametrize("queue", ["local", "sqs", AZURE], indirect=True)
def test_a_message_tells_since_when_it_is_in_its_queue(queue):
    """At each delivery the same: by that it is known how long it was put off. Pub/Sub has a metric of it."""
    queue.outbox.send(["message"])
    [first] = batch = queue.receive()
    queue.answer(batch, {first.id: 0.0})
    if isinstance(queue, Local):
        queue.clock.advance(1.1)
        [again] = queue.receive()
    else:
        [again] = wait_for(queue)

    assert first.sent_at == again.sent_at
    if not isinstance(queue, Local):
        assert abs(SystemClock().now() - again.sent_at) < timedelta(minutes=5)


# --- dead letters --------------------------------------------------------------------------------------


def test_letters_are_listed_each_once_and_left_in_place(queue):
    """A reader looks; the next one, after the first has released them, sees the same."""
    dead = QueueDeadLetters(queue.outbox)
    for number in range(12):
        dead.record(letter(number))
    first, second = queue.box(), queue.box()

    seen = ids(first)
    first.release()

    assert seen == ids(second) == sorted(str(number) for number in range(12))


def test_what_the_platform_gave_up_is_listed_beside_our_own(queue):
    QueueDeadLetters(queue.outbox).record(letter(1))
    queue.outbox.send(["raw"])

    assert sorted(kept.letter.code for kept in queue.box().list_letters()) == ["gave_up", "item_blocked"]


def test_a_removed_letter_is_gone_and_the_others_stay(queue):
    dead = QueueDeadLetters(queue.outbox)
    for number in range(3):
        dead.record(letter(number))
    box = queue.box()
    for kept in list(box.list_letters()):
        if kept.letter.id == "1":
            box.remove(kept)
    box.release()

    assert ids(queue.box()) == ["0", "2"]


def test_a_reader_that_stops_midway_gives_back_what_it_read(queue):
    dead = QueueDeadLetters(queue.outbox)
    for number in range(12):
        dead.record(letter(number))
    box = queue.box()
    next(box.list_letters())
    box.release()

    assert len(ids(queue.box())) == 12


# --- what only SQS does --------------------------------------------------------------------------------


class Scripted:
    """A client whose calls answer as they are told, and are remembered."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.calls = []

    def send_message_batch(self, **call):
        self.calls.append([entry["Id"] for entry in call["Entries"]])
        answer = self.answers.pop(0) if self.answers else {}
        if isinstance(answer, Exception):
            raise answer
        return answer

    def change_message_visibility_batch(self, **call):
        return self.send_message_batch(**call)


AWAY = EndpointConnectionError(endpoint_url="http://x")
DENIED = ClientError({"Error": {"Code": "AccessDenied", "Message": "secret words"}}, "SendMessageBatch")


def test_ten_messages_go_into_a_call_and_no_more_bytes_than_it_takes():
    client = Scripted()
    SqsOutbox(client, "u").send(["x"] * 25)
    SqsOutbox(client, "u").send(["é" * 60_000, "x" * 120_000, "x" * 120_000, "y"])

    assert [len(call) for call in client.calls[:3]] == [10, 10, 5]
    assert client.calls[3:] == [["0", "1"], ["2", "3"]]


def test_what_a_call_refuses_in_part_is_told_by_its_place_in_the_whole():
    """Ids are places: in whatever order SQS names them, exactly those come again."""
    client = Scripted({"Failed": [{"Id": "3"}, {"Id": "1"}]}, {"Failed": [{"Id": "12"}]})

    assert sorted(SqsOutbox(client, "u").send(["x"] * 15)) == [1, 3, 12]


@pytest.mark.parametrize("error", [AWAY, DENIED], ids=["away", "denied"])
def test_a_call_that_fails_after_others_went_well_refuses_its_own_messages_alone(error):
    """What was taken stays taken: to raise now would send it twice."""
    assert SqsOutbox(Scripted({}, error, {}), "u").send(["x"] * 25) == list(range(10, 20))
    with pytest.raises(QueueUnavailableError) as refusal:
        SqsOutbox(Scripted(error), "u").send(["x"] * 25)
    assert "secret words" not in str(refusal.value)


def test_what_cannot_be_hidden_comes_again_by_the_queues_own_time():
    """Named all the same: a message that is not named would be deleted."""
    event = {"Records": [{"messageId": str(n), "receiptHandle": f"r{n}", "body": ""} for n in range(12)]}
    client = Scripted(AWAY)
    reply = SqsSource(client, "u").answer(event, Report({str(n): 5.0 for n in range(12)}, ()))

    assert [failure["itemIdentifier"] for failure in reply["batchItemFailures"]] == [
        str(n) for n in range(12)
    ]


def test_nothing_is_hidden_for_longer_than_sqs_hides():
    """More than twelve hours are refused, and they count from when it was received, a while ago by now."""
    seen = []
    client = SimpleNamespace(change_message_visibility_batch=lambda **call: seen.extend(call["Entries"]))
    event = {"Records": [{"messageId": "m", "receiptHandle": "r", "body": ""}]}
    SqsSource(client, "u").answer(event, Report({"m": 1e9}, ()))

    assert [entry["VisibilityTimeout"] for entry in seen] == [12 * 3600 - 1200]


class Slow:
    """A queue that takes its time for each call: the first letters come back before the last is read."""

    def __init__(self, letters, seconds):
        self.seconds, self.now, self.calls = seconds, 0.0, 0
        self.visible_at = dict.fromkeys(range(letters), 0.0)
        self.receipts = {}

    def receive_message(self, *, VisibilityTimeout, MaxNumberOfMessages, **_):  # noqa: N803 - boto3's own
        self.calls += 1
        self.now += self.seconds
        visible = [number for number, at in self.visible_at.items() if at <= self.now]
        for number in visible[:MaxNumberOfMessages]:
            # What was read goes to the end, so that the queue hands out the oldest of what is visible.
            del self.visible_at[number]
            self.visible_at[number] = self.now + VisibilityTimeout
            self.receipts[number] = f"{number}@{self.now}"
        return {
            "Messages": [
                {"MessageId": str(number), "ReceiptHandle": self.receipts[number], "Body": "{}"}
                for number in visible[:MaxNumberOfMessages]
            ]
        }

    def delete_message(self, *, ReceiptHandle, **_):  # noqa: N803 - boto3's own
        number = int(ReceiptHandle.partition("@")[0])
        assert ReceiptHandle == self.receipts[number], "SQS wants the newest receipt"
        del self.visible_at[number]


def test_a_large_queue_is_read_to_its_end_and_emptied():
    """Letters that are visible again before the last is read are neither read for ever nor stuck."""
    client = Slow(letters=1000, seconds=20)  # 2,000 s at least, and each is hidden for 300 s first
    box = SqsLetterBox(client, "u", "test", monotonic=lambda: client.now)

    kept = list(box.list_letters())
    for one in kept:
        box.remove(one)

    assert len(kept) == 1000
    assert client.calls < 400
    assert not client.visible_at
