"""The books of a batch: they close only when every announced object has ended exactly once."""

from __future__ import annotations

import pytest

from beagle.domain.outcomes import Ending, Outcome
from beagle.pipeline.account import Account, ConservationError
from beagle.ports import Received
from support.world import Notebook

MESSAGES = [Received(id="1", body=""), Received(id="2", body="")]
DONE = Outcome(ending=Ending.IGNORED)


def account(announced=(2, 1), ended=(2, 1)):
    """Return the books of a batch of two messages: how many objects they announced, and how many ended."""
    books = Account("prepare", MESSAGES, Notebook())
    for message, objects, ends in zip(MESSAGES, announced, ended, strict=True):
        if objects is not None:
            books.announce(message, objects)
        for _ in range(ends):
            books.end(message, DONE)
    return books


def test_books_that_add_up_close():
    report = account().close()

    assert report.again == {}
    assert report.count() == {Ending.IGNORED: 3}


@pytest.mark.parametrize(
    ("announced", "ended"),
    [((2, 1), (1, 1)), ((2, 1), (2, 0)), ((2, 1), (3, 1)), ((None, 1), (0, 1)), ((2, 1), (1, 2))],
    ids=["one lost", "a message lost", "one doubled", "one never read", "one for another"],
)
def test_an_object_that_was_lost_or_doubled_fails_the_batch(announced, ended):
    """Nothing of it is acknowledged: all of it comes again, which is harmless."""
    with pytest.raises(ConservationError):
        account(announced, ended).close()


def test_a_message_comes_again_when_one_of_its_objects_must_and_as_soon_as_the_first_asks():
    books = Account("prepare", MESSAGES, Notebook())
    for message, waits in zip(MESSAGES, [(60.0, 5.0, None), (None,)], strict=True):
        books.announce(message, 1 + len(waits))
        books.end(message, DONE)
        for wait in waits:
            books.end(message, Outcome(ending=Ending.AGAIN, retry_in=wait))

    assert books.close().again == {"1": 5.0, "2": None}
