"""The acts of the demo, and its books: what was announced, what became of it, and what Darwin holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from beagle.domain.errors import UnparsableMessageError
from beagle.domain.events import ObjectCreated
from beagle.messages import load_event, load_item
from beagle.playground.outcomes import Account, Ended
from beagle.playground.scene import DATASET, Scene, Tap
from beagle.playground.story import ARCHIVE_FOLDER, Upload, read_uploads
from beagle.providers.aws.notifications import parse_notification

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

WAIT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Books:
    """The end of the demo in numbers. Each check is a sentence, and whether it holds."""

    acts: dict[str, Account]
    """What each act received, and how that ended."""
    checks: tuple[tuple[str, bool], ...]

    @property
    def add_up(self) -> bool:
        """Say whether everything is accounted for."""
        return all(holds for _, holds in self.checks)


@dataclass(slots=True)
class Run:
    """One performance on a scene. `look` is called with the outcomes so far, whenever they are read."""

    scene: Scene
    look: Callable[[list[Ended]], None] = lambda _ended: None
    uploads: list[Upload] = field(init=False)
    _known: Upload = field(init=False)
    _tap: Tap = field(init=False)
    _acts: dict[str, Account] = field(default_factory=dict)
    _announced: list[str] = field(default_factory=list)
    _replayed: int = 0

    def __post_init__(self) -> None:
        self.uploads, self._known = read_uploads()
        self._tap = self.scene.tap()

    def upload(self) -> None:
        """Put every file into the bucket, and return when each has ended.

        The object whose name is taken comes after the one that takes it: otherwise chance would choose.
        """
        folder, _, name = self._known.key.rpartition("/")
        self.scene.darwin.seed_item(DATASET, f"/{folder}", name, size_bytes=len(self._known.data))
        first = {_wants(upload): upload for upload in reversed(self.uploads)}.values()
        for group in ([*reversed(first)], [upload for upload in self.uploads if upload not in first]):
            for upload in group:
                self.scene.stack.upload(upload.data, upload.key)
            self._wait([upload.key for upload in group])
        self._announced = self._tap.drain()
        self._close("delivered", _keys(self._announced))

    def announce_again(self) -> None:
        """Deliver each announcement once more, byte for byte, and return when each has ended."""
        for body in self._announced:
            self.scene.stack.send("uploads", body)
        keys = _keys(self._announced)
        self._wait([*self._received, *keys])
        self._close("again", keys)

    def replayed(self, keys: Sequence[str], letters: int) -> None:
        """Take note of a replay that took so many letters away, and return when its objects have ended."""
        self._replayed += letters
        self._wait([*self._received, *keys])
        self._close("replayed", keys)

    def outcomes(self) -> list[Ended]:
        """Return what became of objects so far."""
        return self.scene.outcomes()

    def books(self) -> Books:
        """Count, with four witnesses: the bucket, the functions' logs, the queues, and Darwin."""
        whole = sum(self._acts.values(), Account())
        items = self.scene.darwin.items(DATASET)
        ours = Counter(key for item in items for key in item.storage_keys if key)
        registered = Counter(one.key for one in whole.ended if one.ending == "registered")
        archived = [item for item in items if item.access == "read_only"]
        left = self.scene.stack.depth("dead_letters")
        announced, letters = len(self._announced), whole.counts["dead_lettered"]
        return Books(
            self._acts,
            (
                (
                    "Every column adds up, and so does every object.",
                    all(act.adds_up for act in self._acts.values()),
                ),
                (
                    f"{len(self.uploads)} objects were uploaded; the bucket announced {announced}.",
                    announced == len(self.uploads),
                ),
                (
                    f"Darwin holds {len(items)} items: 1 from before, {len(ours)} by Beagle, each once.",
                    ours == registered and len(items) == len(ours) + 1,
                ),
                (
                    f"{len(archived)} of them are on read-only storage; no thumbnail or frame is missing.",
                    len(archived) == self._read_only and not any(item.problems for item in archived),
                ),
                (
                    f"{letters} dead letters were written: {self._replayed} replayed, {left} left.",
                    letters == self._replayed + left,
                ),
            ),
        )

    @property
    def _read_only(self) -> int:
        return sum(upload.key.startswith(f"{ARCHIVE_FOLDER}/") for upload in self.uploads)

    @property
    def _received(self) -> list[str]:
        return [key for act in self._acts.values() for key in act.received]

    def _wait(self, keys: Iterable[str]) -> None:
        """Return when each of these announcements has ended and nothing is queued."""
        wanted = Counter(keys)

        def arrived() -> bool:
            ended = self.outcomes()
            self.look(ended)
            return wanted <= Counter(one.key for one in ended if one.is_final)

        self.scene.stack.wait_until(arrived, seconds=WAIT_SECONDS, what="The end of every object")
        self.scene.stack.wait_until_idle(seconds=WAIT_SECONDS)

    def _close(self, act: str, received: Sequence[str]) -> None:
        """Write down what an act received, how that ended, and what it left in the queues."""
        earlier = sum(len(known.ended) for known in self._acts.values())
        ended = self.outcomes()
        self.look(ended)
        stack = self.scene.stack
        queues = [queue for queue in stack.queues if queue != "dead_letters"]
        waiting = (message.body for queue in queues for message in stack.messages(queue))
        self._acts[act] = Account(tuple(received), tuple(ended[earlier:]), tuple(_keys(waiting)))


def _wants(upload: Upload) -> str:
    """Return what makes two of the demo's objects collide: the route of the cameras drops the folder."""
    folder, _, name = upload.key.rpartition("/")
    return f"{folder.partition('/')[0]}/{name}"


def _keys(bodies: Iterable[str]) -> list[str]:
    """Return the keys that messages are about; empty for one that cannot be read."""
    keys = []
    for body in bodies:
        try:
            keys.append(load_item(body).event.ref.key)
        except UnparsableMessageError:
            notification = load_event(body) or parse_notification(body)
            keys += [one.ref.key for one in notification.announced if isinstance(one, ObjectCreated)]
    return keys
