"""Dollars: what is used, times what it costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from beagle.costs.deployments import DEPLOYMENTS
from beagle.costs.films import why_refused
from beagle.costs.prices import Price, Provider, load_prices
from beagle.costs.terms import Use
from beagle.costs.usage import uses_of
from beagle.costs.workload import Workload

MILLION = 1_000_000
NOT_INCLUDED = (
    "What V7 Darwin costs, and what it writes into read-write storage itself.",
    "The uploads themselves: their PUTs, their storage.",
    "Data transfer: none leaves the region but small JSON to Darwin; people who look at images do cost some.",
    "Free tiers, discounts, taxes.",
    "Cold starts, second deliveries, retries, dead letters, replays.",
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the bill."""

    use: Use
    price: Price

    @property
    def dollars(self) -> float:
        """Return quantity times unit price."""
        return self.price.of(self.use.quantity)


@dataclass(frozen=True, slots=True)
class Estimate:
    """The bill of a month."""

    provider: Provider
    workload: Workload
    lines: tuple[Line, ...]

    @property
    def dollars(self) -> float:
        """Return the total."""
        return sum(line.dollars for line in self.lines)

    @property
    def standing(self) -> float:
        """Return what is due whether anything is uploaded or not."""
        return self.of("standing")

    @property
    def per_million(self) -> float:
        """Return what a million of these objects cost, standing costs left out."""
        return (self.dollars - self.standing) / self.workload.objects * MILLION

    @property
    def refused(self) -> str:
        """Return why the deployment would refuse videos that are billed here; empty where it would not."""
        if self.workload.access != "read_only" or not self.workload.count("videos"):
            return ""
        why = why_refused(self.workload.clip, DEPLOYMENTS[self.provider])
        return why and f"On {self.provider} such a video is a dead letter, media_too_large: {why}"

    def of(self, group: str) -> float:
        """Return a group's sum."""
        return sum(line.dollars for line in self.lines if line.use.group == group)

    def to_json(self) -> dict[str, Any]:
        """Return all of it as plain values."""
        prices = load_prices()
        return {
            "provider": self.provider,
            "region": prices.of(self.provider).region,
            "prices_of": prices.looked_up.isoformat(),
            "objects": self.workload.objects,
            "mix": {kind: self.workload.share(kind) for kind in self.workload.mix},
            "access": self.workload.access,
            "arrival": self.workload.arrival,
            "lines": [
                {
                    "group": line.use.group,
                    "what": line.price.what,
                    "formula": line.use.formula,
                    "quantity": line.use.quantity,
                    "unit": line.price.unit,
                    "usd": line.price.usd,
                    "per": line.price.per,
                    "from_memory": line.price.from_memory,
                    "dollars": line.dollars,
                }
                for line in self.lines
            ],
            "dollars": self.dollars,
            "standing_dollars": self.standing,
            "dollars_per_million_objects": self.per_million,
            "refused": self.refused or None,
            "not_included": list(NOT_INCLUDED),
        }


def estimate(workload: Workload, provider: Provider) -> Estimate:
    """Return the bill for a month's workload."""
    prices = load_prices().of(provider).prices
    lines = tuple(Line(use, prices[use.meter]) for use in uses_of(workload, provider))
    return Estimate(provider, workload, lines)
