from __future__ import annotations

from itertools import zip_longest

from hypothesis import given
from hypothesis import strategies as st

from beagle.registration.batching import fitting


@given(
    sizes=st.lists(st.integers(1, 50), max_size=60),
    most_items=st.integers(1, 20),
    most_bytes=st.integers(1, 200),
)
def test_requests_hold_every_item_once_in_order_and_as_many_as_both_caps_allow(
    sizes: list[int], most_items: int, most_bytes: int
) -> None:
    """One item alone may exceed the bytes: Darwin, not we, decides whether that is too much."""
    caps = {"most_items": most_items, "most_bytes": most_bytes}
    start, requests = 0, []
    while start < len(sizes):
        count = fitting(sizes, start, **caps)
        requests.append(sizes[start : start + count])
        start += count

    assert [size for request in requests for size in request] == sizes
    for request, after in zip_longest(requests, requests[1:]):
        assert 1 <= len(request) <= most_items
        assert len(request) == 1 or sum(request) + len(request) - 1 <= most_bytes
        if after is not None and len(request) < most_items:
            assert sum(request) + len(request) + after[0] > most_bytes
