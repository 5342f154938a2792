"""What a benchmark says: a number, its unit, and what it is compared with."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One measurement; `value` is None where it could not be made, and `note` says why."""

    group: str
    what: str
    value: float | None
    unit: str
    note: str = ""

    @property
    def number(self) -> str:
        """The value as people read it."""
        if self.value is None:
            return "-"
        return f"{self.value:,.0f}" if self.value >= 20 else f"{self.value:.3g}"
