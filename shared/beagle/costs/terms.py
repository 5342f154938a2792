"""Quantities that explain themselves: sums of products, each number with what it counts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

Group = Literal["events", "queues", "functions", "artifacts", "state bucket", "logs", "standing"]
TIMES = " \N{MULTIPLICATION SIGN} "


@dataclass(frozen=True, slots=True)
class Term:
    """A product: numbers, each with what it counts."""

    factors: tuple[tuple[float, str], ...]
    per: float = 1
    """How many of the product's units are one of the meter's."""

    @property
    def amount(self) -> float:
        """Return the product, in the meter's unit."""
        return math.prod(number for number, _ in self.factors) / self.per

    def __str__(self) -> str:
        return TIMES.join(f"{in_digits(number)} {what}".strip() for number, what in self.factors)


@dataclass(frozen=True, slots=True)
class Use:
    """A quantity of one meter."""

    group: Group
    meter: str
    terms: tuple[Term, ...]

    @property
    def quantity(self) -> float:
        """Return the sum."""
        return sum(term.amount for term in self.terms)

    @property
    def formula(self) -> str:
        """Return the sum as it is reckoned."""
        return " + ".join(map(str, self.terms))


def in_digits(number: float) -> str:
    """Return a number as people read it: four digits that count, all of those before the point."""
    if number >= 1000 or number == int(number):  # noqa: PLR2004 - where the digits before the point are enough
        return f"{number:,.0f}"
    digits = max(3 - math.floor(math.log10(number)), 0)
    return f"{number:,.{digits}f}".rstrip("0").rstrip(".")


def term_of(*numbers_and_names: float | str, per: float = 1) -> Term:
    """Return a product of numbers, each followed by what it counts."""
    numbers, names = numbers_and_names[::2], numbers_and_names[1::2]
    return Term(tuple((float(n), str(what)) for n, what in zip(numbers, names, strict=True)), per)
