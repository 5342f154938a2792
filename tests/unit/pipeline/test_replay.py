"""Replay: exactly the chosen letters, exactly as planned, and twice is harmless."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beagle import messages
from beagle.domain.errors import QueueUnavailableError
from beagle.domain.letters import RAW_LIMIT, DeadLetter
from beagle.pipeline.replay import Choice, plan_replay, run_replay
from beagle.ports import KeptLetter
from beagle.providers.local.clock import EPOCH
from support.world import World

WORLD = World()


def letter(number=0, key="a/1.jpg", code="item_blocked", hours=0, **changes):
    """Return a letter about an object."""
    fields = {
        "id": f"{number}", "code": code, "reason": "no", "stage": "register", "event": WORLD.event(key),
        "raw": "{}", "item": None, "route": "r", "attempts": 1, "replayed": 0, "first_at": EPOCH,
        "last_at": EPOCH + timedelta(hours=hours), "version": "0",
    }  # fmt: skip
    return DeadLetter(**(fields | changes))


def kept(*letters):
    return [KeptLetter(found, receipt) for receipt, found in enumerate(letters)]


LETTERS = kept(
    letter(1, "a/1.jpg", "item_blocked", 0),
    letter(2, "a/2.jpg", "unknown_tags", 1),
    letter(3, "b/1.jpg", "item_blocked", 2),
    letter(4, code="unparsable_message", hours=3, event=None, raw="garbage"),
)


@pytest.mark.parametrize(
    ("choice", "chosen"),
    [
        (Choice(), ["1", "2", "3", "4"]),
        (Choice(codes=frozenset({"item_blocked"})), ["1", "3"]),
        (Choice(codes=frozenset({"item_blocked", "unknown_tags"})), ["1", "2", "3"]),
        (Choice(prefix="a/"), ["1", "2"]),
        (Choice(prefix="a/1"), ["1"]),
        (Choice(since=EPOCH + timedelta(hours=1)), ["2", "3", "4"]),
        (Choice(limit=2), ["1", "2"]),
        (Choice(limit=0), []),
        (Choice(codes=frozenset({"item_blocked"}), limit=1, since=EPOCH + timedelta(hours=1)), ["3"]),
        (Choice(codes=frozenset({"none"})), []),
    ],
)
def test_letters_are_chosen_by_code_prefix_and_time_and_then_counted(choice, chosen):
    """All that is said must hold; the limit counts what is left, in the letters' order."""
    assert [step.letter.id for step in plan_replay(LETTERS, choice)] == chosen


def test_copies_of_a_letter_are_one_step():
    """A letter may have been written twice: it is sent once, and all its copies go."""
    [step] = plan_replay(kept(letter(1), letter(1), letter(1)), Choice(limit=1))

    assert [copy.receipt for copy in step.copies] == [0, 1, 2]


def test_a_replayed_event_is_counted():
    [step] = plan_replay(kept(letter(1, replayed=4)), Choice())

    notification = messages.load_event(step.body)
    assert notification.replayed == 5
    assert notification.announced == (WORLD.event("a/1.jpg"),)


def test_what_nobody_knows_the_time_of_is_in_every_choice_of_times():
    """SQS tells only when a message was first sent: one that it gave up just now may be forty hours old."""
    [dated, undated] = kept(letter(1), letter(2))
    undated = replace(undated, is_dated=False)
    recent = Choice(since=EPOCH + timedelta(hours=40))

    assert [step.letter.id for step in plan_replay([dated, undated], recent)] == ["2"]


@pytest.mark.parametrize("form", ["letter/2", "event/2", "item/2"])
def test_what_a_newer_beagle_wrote_stays_where_it_is(form):
    """Sent to prepare, it would come back as a letter about a letter, and the original would be gone."""
    world, box = World(), Box()
    newer = letter(1, code="newer_message", event=None, raw=json.dumps({"beagle": form}))

    [done] = run_replay(plan_replay(kept(newer), Choice()), world.uploads, box)

    assert "newer Beagle" in str(done.error)
    assert (len(world.uploads), box.removed) == (0, [])


def test_a_letter_that_an_older_beagle_could_not_read_is_replayed_by_its_raw_message():
    """Once this Beagle reads its form, the object in it goes through again."""
    event = WORLD.event("a/1.jpg")
    [step] = plan_replay(
        kept(letter(1, code="newer_message", event=None, raw=messages.dump_event(event, 0))), Choice()
    )

    assert messages.load_event(step.body).announced == (event,)


def test_a_letter_of_ours_that_cannot_be_read_is_not_sent_as_a_notification():
    [step] = plan_replay(kept(letter(1, event=None, raw='{"beagle": "letter/1"}')), Choice())

    assert step.body is None


def test_an_unreadable_message_goes_back_as_it_was_unless_its_end_was_cut_off():
    whole, cut = plan_replay(
        kept(letter(1, event=None, raw="as it was"), letter(2, event=None, raw="x" * RAW_LIMIT)), Choice()
    )
    [long] = plan_replay(kept(letter(3, event=None, raw="x" * (RAW_LIMIT + 1))), Choice())

    assert (whole.body, cut.body) == ("as it was", None)
    assert long.body == "x" * (RAW_LIMIT + 1)


@dataclass
class Box:
    """A dead-letter queue that remembers what was taken out of it."""

    down: bool = False
    removed: list[object] = field(default_factory=list)

    def remove(self, kept_letter):
        if self.down:
            raise QueueUnavailableError("away")
        self.removed.append(kept_letter.receipt)


def test_the_run_does_what_the_plan_says():
    """A dry run shows this very list."""
    world = World()
    box = Box()
    steps = plan_replay(LETTERS, Choice())
    done = list(run_replay(steps, world.uploads, box))

    assert [step.step for step in done] == steps
    assert world.uploads.bodies() == [step.body for step in steps]
    assert box.removed == [copy.receipt for step in steps for copy in step.copies]
    assert not any(step.error for step in done)


def test_a_letter_goes_only_after_its_message_is_back_in_the_queue():
    """While the queue is away, or refuses, nothing is removed; the others go on."""
    world, box = World(), Box()
    world.uploads.down = True

    done = list(run_replay(plan_replay(LETTERS, Choice()), world.uploads, box))

    assert [step.error.code for step in done] == ["queue_unavailable"] * 4
    assert box.removed == []


def test_a_letter_that_cannot_come_back_is_told_and_stays():
    world, box = World(), Box()
    steps = plan_replay(kept(letter(1, event=None, raw="x" * RAW_LIMIT), letter(2)), Choice())

    done = list(run_replay(steps, world.uploads, box))

    assert done[0].error.code == "unparsable_message"
    assert done[1].error is None
    assert box.removed == [1]


def test_a_letter_that_cannot_be_removed_is_told_though_its_message_was_sent():
    world, box = World(), Box(down=True)

    [done] = run_replay(plan_replay(kept(letter(1)), Choice()), world.uploads, box)

    assert done.error.code == "queue_unavailable"
    assert len(world.uploads) == 1


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["a", "b"])), max_size=8), st.integers(0, 9))
def test_every_chosen_letter_is_in_one_step_and_no_other_is(found, limit):
    letters = kept(*(letter(number, code=code) for number, code in found))
    letters = [KeptLetter(replace(k.letter, id=f"{k.letter.id}{k.letter.code}"), k.receipt) for k in letters]

    steps = plan_replay(letters, Choice(codes=frozenset("a"), limit=limit))

    ids = [step.letter.id for step in steps]
    assert len(ids) == len(set(ids)) == min(limit, len({number for number, code in found if code == "a"}))
    receipts = {copy.receipt for step in steps for copy in step.copies}
    assert receipts == {k.receipt for k in letters if k.letter.id in ids}
