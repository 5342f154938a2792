"""What an event can tell of another one of the same object."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beagle.domain.events import ObjectCreated, ObjectRef, Provider

SEQUENCERS = st.text("0123456789ABCDEFabcdef", min_size=1, max_size=48)


def event(sequencer: str) -> ObjectCreated:
    """Return an event with this place in its object's order."""
    return ObjectCreated(
        ref=ObjectRef(provider="aws", bucket="uploads", key="cars/1.jpg"),
        content="b1946ac92492d2347c6235b4d2611184",
        size=1,
        occurred_at=datetime(2026, 11, 20, 9, 14, 27, tzinfo=UTC),
        sequencer=sequencer,
    )


@pytest.mark.parametrize(
    ("sequencer", "other", "is_older"),
    [
        ("0055AED6DCD90281E5", "0055AED6DCD90281E6", True),
        ("0055AED6DCD90281E6", "0055AED6DCD90281E5", False),
        ("0055AED6DCD90281E5", "0055AED6DCD90281E5", False),
        ("0055AED6DCD90281E5", "0055AED6DCD90281E5AA", True),
        ("0055AED6DCD90281E5AA", "0055AED6DCD90281E5", False),
        ("0055AED6DCD90281E6", "0055AED6DCD90281E5AA", False),
        ("0055AED6DCD90281E5", "0055AED6DCD90281E500", False),
        ("0055aed6dcd90281e5", "0055AED6DCD90281E6", True),
        ("0055AED6DCD90281E5", "0055aed6dcd90281e5", False),
    ],
)
def test_the_shorter_sequencer_is_padded_on_the_right(sequencer: str, other: str, *, is_older: bool) -> None:
    """As S3's documentation asks; hexadecimal digits mean the same in both cases."""
    assert event(sequencer).is_older_than(other) is is_older


@pytest.mark.parametrize(("sequencer", "other"), [("", "1"), ("1", ""), ("", "")])
def test_without_a_sequencer_nobody_can_tell_the_order(sequencer: str, other: str) -> None:
    """Unknown is neither older nor newer."""
    assert event(sequencer).is_older_than(other) is None


@given(one=SEQUENCERS, other=SEQUENCERS, third=SEQUENCERS)
def test_sequencers_are_in_one_order(one: str, other: str, third: str) -> None:
    """Of two events at most one is older, and the order of three holds together."""
    assert not (event(one).is_older_than(other) and event(other).is_older_than(one))
    if event(one).is_older_than(other) and event(other).is_older_than(third):
        assert event(one).is_older_than(third)


@pytest.mark.parametrize(
    ("provider", "written"),
    [
        ("aws", "s3://uploads/a b.jpg"),
        ("gcp", "gs://uploads/a b.jpg"),
        ("azure", "azure://uploads/a b.jpg"),
        ("local", "local://uploads/a b.jpg"),
    ],
)
def test_an_object_is_written_as_people_write_it(provider: Provider, written: str) -> None:
    """The key unencoded, behind the provider's scheme and the bucket."""
    assert str(ObjectRef(provider=provider, bucket="uploads", key="a b.jpg")) == written
