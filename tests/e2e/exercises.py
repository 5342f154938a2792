"""What the functions do in one event, each time once: with all permissions it comes about.

An exercise returns whether it did, by what it left behind for others to see.
"""

from __future__ import annotations

import time
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING

from beagle.domain.items import ImageArtifacts, Item, ItemId, ReadyItem, Slot
from beagle.domain.keys import derive_state_key
from beagle.domain.making import Making
from beagle.emulator import DEFAULT_TEAM
from beagle.messages import dump_claim, dump_entry, dump_event, dump_item
from beagle.pipeline.claims import Attempt, intend, registered
from e2e.conftest import DATASET, READ_ONLY, READ_WRITE
from e2e.hands import SOURCES

if TYPE_CHECKING:
    from beagle.domain.events import ObjectCreated
    from beagle.domain.items import Access
    from beagle.playground.stack import Function
    from e2e.bench import Bench

TOO_LARGE = "many words " * 25_000
NEWER = {
    "prepare": '{"beagle":"event/2"}',
    "extract": '{"beagle":"item/2"}',
    "register": '{"beagle":"item/2"}',
}
MADE = ImageArtifacts(thumbnail_key=".beagle/thumbnail.jpg", width=1, height=1)


def new(name: str = "") -> str:
    """Return a name that nothing else has."""
    return f"{uuid.uuid4().hex}{name}"


def ready(event: ObjectCreated, access: Access) -> ReadyItem:
    """Return the item of an object, as prepare would pass it on; a video, where access is read-only."""
    key = event.ref.key
    slot = Slot(
        name="0",
        file_name=key.rpartition("/")[2],
        storage_key=key,
        media_type="video" if access == "read_only" else "image",
        size=event.size,
        content=event.content,
    )
    item = Item(
        id=ItemId(team=DEFAULT_TEAM, dataset=DATASET, path="/by-hand", name=slot.file_name),
        storage=READ_ONLY if access == "read_only" else READ_WRITE,
        access=access,
        slots=(slot,),
    )
    return ReadyItem(
        event=event, item=item, route="by-hand", making=Making() if access == "read_only" else None
    )


def claimed(bench: Bench, one: ReadyItem) -> str:
    """Lay an item into the state bucket, and return the claim that stands for it."""
    key = f"parcels/{new('.json')}"
    bench.stack.aws.client("s3").put_object(Bucket=bench.state, Key=key, Body=dump_item(one).encode())
    return dump_claim(one.event, key)


# What every stage does


def dead_letters(bench: Bench, stage: Function) -> bool:
    """What is no message of ours becomes a dead letter."""
    word = new()
    bench.run(stage, word)
    return bool(bench.found("dead_letters", word))


def counts_attempts(bench: Bench, stage: Function) -> bool:
    """What has come three times is written down before it is worked on; nothing stands there yet."""
    message, _ = bench.run(stage, new(), receives=3)
    return bench.remembers(derive_state_key(f"attempts/{stage}", message))


def asks_to_wait(bench: Bench, stage: Function) -> bool:
    """What must come again does so when its stage wants it, not when the queue's own time is over."""
    queue = SOURCES[stage]
    word = new()
    bench.empty(queue)
    bench.stack.send(queue, f'{NEWER[stage][:-1]},"word":"{word}"}}')
    bench.invoke(stage, bench.hands[stage].receive(1))
    [message] = bench.found(queue, word)
    return message.visible_at < time.time() + 60


# prepare


def sends_an_item(bench: Bench, stage: Function) -> bool:
    event = bench.announced(f"plain/{new('.png')}")
    bench.run(stage, dump_event(event, 0))
    return bool(bench.found("items", event.ref.key))


def sends_a_video(bench: Bench, stage: Function) -> bool:
    event = bench.announced(f"archive/{new('.mp4')}")
    bench.run(stage, dump_event(event, 0))
    return bool(bench.found("videos", event.ref.key))


def sends_a_large_item(bench: Bench, stage: Function) -> bool:
    """It lies in the state bucket; its message is a claim."""
    event = bench.announced(f"large/{new('.png')}")
    bench.run(stage, dump_event(event, 0))
    return bool(bench.found("items", "claim/1", event.ref.key))


def gathers_a_group(bench: Bench, stage: Function) -> bool:
    """The second object finds the first one, which waited in the state bucket."""
    folder = new()
    for name in ("a.png", "b.png"):
        bench.run(stage, dump_event(bench.announced(f"group/{folder}/{name}"), 0))
    return bool(bench.found("items", f"group/{folder}/a.png", f"group/{folder}/b.png"))


def makes_a_thumbnail(bench: Bench, stage: Function) -> bool:
    event = bench.uploaded("picture.png", f"archive/{new('.png')}")
    bench.run(stage, dump_event(event, 0))
    return bool(bench.found("items", event.ref.key))


def misses_a_picture(bench: Bench, stage: Function) -> bool:
    """What is gone is told from what is forbidden, once it was missed twice."""
    event = bench.announced(f"archive/{new('.png')}")
    bench.run(stage, dump_event(event, 0), receives=2)
    return bool(bench.found("dead_letters", "object_gone", event.ref.key))


def clears_away_half_a_page(bench: Bench, stage: Function) -> bool:
    """An artifact that S3 took in parts and did not put together leaves none behind: they cost money."""
    return _clears_away(bench, stage, dump_event(bench.uploaded("noise.pdf", f"archive/{new('.pdf')}"), 0))


# extract


def extracts_a_video(bench: Bench, stage: Function) -> bool:
    event = bench.uploaded("clip.mp4", f"archive/{new('.mp4')}")
    bench.run(stage, dump_item(ready(event, "read_only")))
    return bool(bench.found("items", event.ref.key))


def extracts_in_parts(bench: Bench, stage: Function) -> bool:
    """The parts are queued; whoever finishes the last one joins them."""
    event = bench.uploaded("long.mp4", f"archive/{new('.mp4')}")
    bench.run(stage, dump_item(ready(event, "read_only")))
    for message in bench.found("videos", event.ref.key):
        bench.run(stage, message.body)
    return bool(bench.found("items", event.ref.key))


def forwards_a_large_item(bench: Bench, stage: Function) -> bool:
    """It comes as a claim and leaves as one; its artifacts are made already."""
    one = ready(bench.announced(f"large/{new('.mp4')}"), "read_only")
    slot = replace(one.item.slots[0], artifacts=MADE)
    bench.run(stage, claimed(bench, replace(one, item=replace(one.item, slots=(slot,), tags=(TOO_LARGE,)))))
    return bool(bench.found("items", "claim/1", one.event.ref.key))


def leaves_a_registered_video(bench: Bench, stage: Function) -> bool:
    """What the ledger calls registered is not even looked for."""
    one = ready(bench.announced(f"archive/{new('.mp4')}"), "read_only")
    item, now = one.item.id, one.event.occurred_at
    entry = dump_entry(registered(intend(one, Attempt(now, now))))
    key = derive_state_key("ledger", item.team, item.dataset, item.path, item.name)
    bench.stack.aws.client("s3").put_object(Bucket=bench.state, Key=f"{key}.json", Body=entry)
    _, lines = bench.run(stage, dump_item(one))
    return [line.ending for line in lines] == ["already_registered"]


def misses_a_video(bench: Bench, stage: Function) -> bool:
    """What is gone is told from what is forbidden, once it was missed twice."""
    event = bench.announced(f"archive/{new('.mp4')}")
    bench.run(stage, dump_item(ready(event, "read_only")), receives=2)
    return bool(bench.found("dead_letters", "object_gone", event.ref.key))


def clears_away_half_a_frame(bench: Bench, stage: Function) -> bool:
    """As `clears_away_half_a_page`."""
    event = bench.uploaded("noise.mp4", f"archive/{new('.mp4')}")
    return _clears_away(bench, stage, dump_item(ready(event, "read_only")))


def _clears_away(bench: Bench, stage: Function, body: str) -> bool:
    _, [line] = bench.run(stage, body, endpoint=bench.refusing)
    assert line.code == "store_unavailable"
    s3 = bench.stack.aws.client("s3")
    left = s3.list_multipart_uploads(Bucket=bench.bucket).get("Uploads", ())
    for upload in left:
        s3.abort_multipart_upload(Bucket=bench.bucket, Key=upload["Key"], UploadId=upload["UploadId"])
    return not left


# register


def registers_once(bench: Bench, stage: Function) -> bool:
    """The second delivery finds what the first one wrote down."""
    body = dump_item(ready(bench.announced(f"plain/{new('.png')}"), "read_write"))
    lines = [line for _ in range(2) for line in bench.run(stage, body)[1]]
    return [line.ending for line in lines] == ["registered", "already_registered"]


def registers_a_large_item(bench: Bench, stage: Function) -> bool:
    one = ready(bench.announced(f"plain/{new('.png')}"), "read_write")
    _, lines = bench.run(stage, claimed(bench, one))
    return [line.ending for line in lines] == ["registered"]


def fetches_the_api_key(bench: Bench, stage: Function) -> bool:
    """Each instance does, before its first request."""
    bench.renew(stage)
    _, lines = bench.run(stage, dump_item(ready(bench.announced(f"plain/{new('.png')}"), "read_write")))
    return [line.ending for line in lines] == ["registered"]
