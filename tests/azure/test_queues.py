"""What only Storage Queues do: sizes, lives, and poison queues beside the dead letters."""

import uuid
from base64 import b64decode, b64encode
from dataclasses import replace

import pytest
from azure.core.exceptions import ServiceRequestError
from azure.storage.queue import QueueClient
from obstore.store import MemoryStore

from beagle.domain.errors import QueueUnavailableError
from beagle.domain.events import ObjectCreated, ObjectRef
from beagle.domain.letters import DeadLetter
from beagle.pipeline.passing import Onward
from beagle.providers.azure.queue import StorageLetterBox, StorageOutbox, text_of
from beagle.providers.letters import QueueDeadLetters
from beagle.providers.local.clock import EPOCH
from beagle.providers.parcels import StoreParcels
from support.azure.azurite import Azurite

LETTER = DeadLetter(
    id="1", code="item_blocked", reason="no", stage="register", event=None, raw="{}", item=None,
    route="r", attempts=1, replayed=0, first_at=EPOCH, last_at=EPOCH, version="0",
)  # fmt: skip


@pytest.fixture
def storage(azurite: Azurite) -> QueueClient:
    """Return an empty queue."""
    return azurite.queues.create_queue(f"queue-{uuid.uuid4().hex}")


def test_letters_lie_in_several_queues_and_one_that_is_not_there_holds_none(
    storage: QueueClient, azurite: Azurite
) -> None:
    """The host makes a poison queue when it first gives a message up."""
    QueueDeadLetters(StorageOutbox(storage)).record(LETTER)
    poison = azurite.queues.create_queue(f"{storage.queue_name}-poison")
    StorageOutbox(poison).send(["raw"])
    nowhere = azurite.queues.get_queue_client("no-such-queue")
    box = StorageLetterBox([storage, nowhere, poison], "test")
    kept = list(box.list_letters())

    assert [one.letter.code for one in kept] == ["item_blocked", "gave_up"]
    for one in kept:
        box.remove(one)
    box.release()
    assert not list(StorageLetterBox([storage, nowhere, poison], "test").list_letters())


@pytest.mark.parametrize("character", ["x", "é", "\N{DOG FACE}", "\x00", '"'])
def test_a_letter_of_any_size_fits_into_a_message(storage: QueueClient, character: str) -> None:
    """A message holds 64 KiB, of which base64 leaves 48: what is longer is cut, and its reason stays."""
    long = replace(LETTER, raw=character * 16_384, reason=f"no {character * 30_000}")
    QueueDeadLetters(StorageOutbox(storage)).record(long)
    [kept] = StorageLetterBox([storage], "test").list_letters()

    assert kept.letter.code == "item_blocked"
    assert kept.letter.reason.startswith("no ")


def test_what_is_too_large_lies_in_the_state_and_its_claim_in_the_queue(storage: QueueClient) -> None:
    """An item of many slots is longer than a message may be."""
    ref = ObjectRef(provider="azure", bucket="uploads", key="ct/1.dcm")
    event = ObjectCreated(ref=ref, content="0x1", size=1, occurred_at=EPOCH)
    outbox = StorageOutbox(storage)
    onward, body = Onward(outbox, StoreParcels(MemoryStore())), "x" * (StorageOutbox.most_bytes + 1)

    assert outbox.send([onward.fit(event, body)]) == []
    [message] = storage.receive_messages()
    assert onward.unpacked(text_of(message.content)) == body


def test_a_message_never_goes_by_itself(storage: QueueClient) -> None:
    """A queue's own default is a week, after which it would be gone without a trace."""
    StorageOutbox(storage).send(["message"])
    [message] = storage.receive_messages()

    assert message.expires_on
    assert message.expires_on.year == 9999


def test_a_call_that_fails_after_others_went_well_refuses_its_own_message_alone() -> None:
    """Each message is a call; what was taken stays taken."""

    class Full:
        queue_name = "q"
        sent: tuple[str, ...] = ()

        def send_message(self, body: str, **_: object) -> None:
            self.sent += (b64decode(body).decode(),)
            if body == b64encode(b"second").decode():
                raise ServiceRequestError("secret words")

    client = Full()

    assert StorageOutbox(client).send(["first", "second", "third"]) == [1]
    assert client.sent == ("first", "second", "third")
    with pytest.raises(QueueUnavailableError) as refusal:
        StorageOutbox(client).send(["second"])
    assert "secret words" not in str(refusal.value)
