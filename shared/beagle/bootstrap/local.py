"""One file on this machine, and the artifacts that a deployment would make of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from beagle.domain.errors import ConfigurationError, UnsupportedMediaError
from beagle.domain.events import NotAnObject, ObjectCreated, ObjectRef
from beagle.domain.items import Item, ReadyItem, ReadyPart
from beagle.domain.keys import derive_artifact_root
from beagle.domain.routes import parse_routes
from beagle.domain.routing import route_event
from beagle.media.maker import Maker
from beagle.ports import Split
from beagle.providers.local.clock import SystemClock, Until
from beagle.providers.local.objects import FileReader, FolderSink
from beagle.settings import read_settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

UNHURRIED = 7 * 24 * 3600.0
"""Seconds: nobody bills them here, but no run may last for ever."""
PLACE = "local"
"""The team, the dataset, the storage and the bucket: a payload names none of them."""


@dataclass(frozen=True, slots=True)
class Workbench:
    """An item of one file, who makes its artifacts, and where they go."""

    ready: ReadyItem
    sink: FolderSink
    maker: Maker

    @classmethod
    def for_file(  # noqa: PLR0913 - of what, how, where to
        cls,
        file: Path,
        key: str,
        making: dict[str, Any],
        *,
        folder: Path,
        prefix: str | None = None,
        invocation_seconds: float = UNHURRIED,
        progress: Callable[[int, int], None],
    ) -> Self:
        """Return the bench for a file that lies in the bucket as `key`; `making` is what a route says of it.

        Without a prefix the artifacts' keys are of the form that a deployment uses, made from the key, the
        file's SHA-256 and what is asked: the same file and key have the same keys on every machine.

        Raises:
            ConfigurationError: The file cannot be read.
            VerdictError: A deployment would not register such a key.

        """
        try:
            reader = FileReader.open(file)
        except OSError as error:
            raise ConfigurationError(f"{file} cannot be read: {error.strerror}.") from error
        event = ObjectCreated(
            ref=ObjectRef(provider="local", bucket=PLACE, key=key),
            content=reader.digest(),
            size=reader.size,
            occurred_at=SystemClock().now(),
        )
        route = {"watch": {"bucket": PLACE}, "dataset": PLACE, "storage": PLACE, "access": "read_only"}
        root = read_settings().artifact_prefix
        routed = route_event(parse_routes({"team": PLACE, "routes": [route | making]}), event, root)
        if isinstance(routed, NotAnObject):
            raise UnsupportedMediaError(
                f"A deployment would ignore {key}: {routed.code}. {routed.detail}".strip()
            )
        ready = ReadyItem(event=event, item=routed.item, route=routed.route.name, making=routed.making)
        if prefix is None:
            prefix = derive_artifact_root(root, event.ref, event.content, ready.asked)
        sink = FolderSink(folder, prefix)
        return cls(
            ready,
            sink,
            Maker(lambda _event: reader, lambda _event, _ready: sink, invocation_seconds, progress=progress),
        )

    def make(self) -> Item:
        """Make all artifacts here and now; the parts of a long video one after the other.

        Raises:
            VerdictError: The file can have none.
            ServiceError: The folder takes no more, or a decoder hangs.

        """
        clock = SystemClock()
        deadline = Until(clock, clock.monotonic() + UNHURRIED)
        made = self.maker.make(self.ready, deadline)
        if isinstance(made, Split):
            parts = (ReadyPart(ready=self.ready, slot=made.slot, part=part) for part in made.parts)
            results = [self.maker.make_part(part, deadline) for part in parts]
            return self.maker.join(self.ready, made.slot, results, deadline)
        return made
