"""What is uploaded in a month, and how it is to be registered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from beagle.domain.errors import ConfigurationError
from beagle.domain.items import Access
from beagle.domain.making import VideoOptions

Kind = Literal["images", "videos", "dicoms"]
Arrival = Literal["together", "alone"]
KINDS: tuple[Kind, ...] = get_args(Kind)
HEAVIEST = 1e12
"""A weight in a mix: sums of them stay numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """A video as it is uploaded, and what its route asks."""

    seconds: float = 60
    mb: float = 40
    width: int = 1920
    height: int = 1080
    rate: int = 30
    """Frames a second."""
    options: VideoOptions = field(default_factory=VideoOptions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """So many objects a month, of which kinds. DICOM files are single slices of half a megabyte."""

    objects: float = 1_000_000
    mix: Mapping[Kind, float] = field(default_factory=lambda: {"images": 1.0})
    access: Access = "read_write"
    arrival: Arrival = "together"
    """Whether queues fill up, so that batches are full, or each object comes alone."""
    image_mb: float = 3
    clip: Clip = field(default_factory=Clip)

    def count(self, kind: Kind) -> float:
        """Return how many of a kind there are."""
        return self.objects * self.share(kind)

    def share(self, kind: Kind) -> float:
        """Return a kind's share; all of them sum to 1."""
        return self.mix.get(kind, 0) / sum(self.mix.values())

    def batch(self, size: int) -> int:
        """Return how many messages a batch holds that may hold so many."""
        return 1 if self.arrival == "alone" else size


def parse_mix(text: str) -> dict[Kind, float]:
    """Return the weights that `images=0.9,videos=0.1` says.

    Raises:
        ConfigurationError: It names another kind, or no weight of anything.

    """
    mix: dict[Kind, float] = {}
    for part in text.split(","):
        name, _, weight = part.partition("=")
        kind = next((kind for kind in KINDS if kind == name.strip()), None)
        try:
            number = float(weight or 1)
        except ValueError:
            number = -1
        if kind is None or kind in mix or not 0 <= number <= HEAVIEST:
            raise ConfigurationError(
                f"--mix {text!r}: {part!r} is not a kind and its weight. Write images=0.9,videos=0.1; kinds "
                f"are {', '.join(KINDS)}."
            )
        mix[kind] = number
    if not sum(mix.values()):
        raise ConfigurationError(f"--mix {text!r} leaves nothing to upload.")
    return mix
