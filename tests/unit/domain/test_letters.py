"""Dead letters: one for each object, content and code, with a line for the person who acts."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beagle.domain import errors
from beagle.domain.errors import VerdictError
from beagle.domain.events import ObjectCreated, ObjectRef
from beagle.domain.letters import DeadLetter, advice_for, derive_letter_id

NOW = datetime(2026, 11, 20, 9, 14, tzinfo=UTC)
FALLBACK = advice_for("no such code")
VERDICTS = [
    kind.code
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, VerdictError) and kind is not VerdictError
]


def event(**changes):
    fields = {"provider": "aws", "bucket": "uploads", "key": "a/1.jpg", "content": "v1"} | changes
    content = fields.pop("content")
    return ObjectCreated(ref=ObjectRef(**fields), content=content, size=1, occurred_at=NOW)


@pytest.mark.parametrize("code", [*VERDICTS, "gave_up"])
def test_every_code_that_ends_in_a_letter_has_advice_of_its_own(code):
    """One sentence that says what to do, not only what happened."""
    advice = advice_for(code)

    assert advice != FALLBACK
    assert advice.endswith(".")
    assert len(advice) < 200


def test_ids_are_stable():
    """They are how a replay tells copies of one letter from two letters: never to be changed."""
    assert derive_letter_id("item_blocked", event(), "raw") == "395b18af4229eb755d142ee93069d63e"
    assert derive_letter_id("unparsable_message", None, "raw") == "10ff4b7fe423b59cd843b673bc2ead88"


@given(raw=st.text(max_size=50))
def test_a_letters_id_is_made_of_the_object_its_content_and_the_code_alone(raw):
    """Redelivered, redriven or replayed messages differ in their bytes: their letter is one."""
    assert derive_letter_id("c", event(), raw) == derive_letter_id("c", event(), "")
    ids = {
        derive_letter_id("c", event(), raw),
        derive_letter_id("d", event(), raw),
        derive_letter_id("c", None, raw),
    }
    ids |= {
        derive_letter_id("c", event(**change), raw)
        for change in ({"provider": "gcp"}, {"bucket": "b"}, {"key": "k"}, {"content": "v2"})
    }
    assert len(ids) == 7


def test_a_message_nobody_could_read_is_told_by_its_bytes():
    assert derive_letter_id("c", None, "one") != derive_letter_id("c", None, "two")
    assert derive_letter_id("c", None, "lone \ud800 surrogate")


def test_a_letters_times_say_their_zone():
    """A naive time could not be compared with what `--since` says."""
    for naive in ({"first_at": NOW.replace(tzinfo=None)}, {"last_at": NOW.replace(tzinfo=None)}):
        fields = {
            "id": "1", "code": "c", "reason": "", "stage": "prepare", "event": None, "raw": "", "item": None,
            "route": "", "attempts": 1, "replayed": 0, "first_at": NOW, "last_at": NOW, "version": "0",
        }  # fmt: skip
        with pytest.raises(ValueError, match="zone"):
            DeadLetter(**(fields | naive))
