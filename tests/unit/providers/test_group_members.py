"""What a group costs: each of its objects looks at all the others, and reads only what it has not seen."""

import os
from dataclasses import replace

import pytest
from obstore.store import LocalStore

from beagle.domain.errors import LedgerUnavailableError
from beagle.domain.events import ObjectCreated, ObjectRef
from beagle.domain.items import Item, ItemId, ReadyItem, Slot
from beagle.providers.local.clock import EPOCH
from beagle.providers.state import StoreGroupMembers


def test_what_has_not_changed_is_not_read_again(tmp_path):
    """A series of n slices is listed n times; read n times as well, it would take n times n requests."""
    members = StoreGroupMembers(LocalStore(tmp_path))
    ready = slice_of("ct/1.dcm")
    members.add("ct/", ready)
    members.add("ct/", slice_of("ct/2.dcm"))
    before = members.members("ct/", ready.item.id)

    for path in tmp_path.rglob("*.json"):
        tamper_unseen(path)

    assert len(before) == 2
    assert members.members("ct/", ready.item.id) == before
    members.add("ct/", replace(ready, event=replace(ready.event, content="v2")))
    assert {m.event.content for m in members.members("ct/", ready.item.id)} == {"v1", "v2"}


def test_however_large_a_group_is_nothing_of_it_is_read_twice(tmp_path):
    members = StoreGroupMembers(LocalStore(tmp_path), groups=2)
    ready = slice_of("ct/0.dcm")
    for number in range(300):
        members.add("ct/", slice_of(f"ct/{number}.dcm"))
    before = members.members("ct/", ready.item.id)
    members.members("other/", ready.item.id)

    for path in tmp_path.rglob("*.json"):
        tamper_unseen(path)

    assert len(before) == 300
    assert members.members("ct/", ready.item.id) == before


def test_the_oldest_group_is_forgotten_and_read_anew(tmp_path):
    members = StoreGroupMembers(LocalStore(tmp_path), groups=2)
    ready = slice_of("ct/0.dcm")
    members.add("ct/", ready)
    for group in ("ct/", "one/", "two/"):
        members.members(group, ready.item.id)

    for path in tmp_path.rglob("*.json"):
        tamper_unseen(path)

    with pytest.raises(LedgerUnavailableError):
        members.members("ct/", ready.item.id)


def tamper_unseen(path):
    """Spoil a file in such a way that a list of the folder does not tell."""
    stat = path.stat()
    with path.open("r+b") as file:
        file.write(b"x" * stat.st_size)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def slice_of(key):
    ref = ObjectRef(provider="aws", bucket="up", key=key)
    item = Item(
        id=ItemId(team="acme", dataset="scans", path="/", name="ct"),
        storage="s3",
        access="read_write",
        slots=(Slot(name="0", file_name="f", storage_key=key, media_type="dicom"),),
    )
    event = ObjectCreated(ref=ref, content="v1", size=1, occurred_at=EPOCH)
    return ReadyItem(event=event, item=item, route="r")
