"""The list prices, as prices.yaml has them."""

from __future__ import annotations

from datetime import date
from functools import cache
from importlib.resources import files
from typing import Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

Provider = Literal["aws", "gcp", "azure"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Price(_Strict):
    """One meter's price: `usd` dollars per `per` units."""

    what: str
    usd: float = Field(gt=0)
    per: float = Field(gt=0)
    unit: str
    page: str = Field(pattern=r"^https://")
    """The provider's own page."""
    seen_in: str = ""
    """Where the number was read."""
    from_memory: bool = False
    """It could not be looked up."""

    @model_validator(mode="after")
    def _has_one_origin(self) -> Self:
        if bool(self.seen_in) == self.from_memory:
            raise ValueError(f"{self.what}: say where the price was seen, or that it is from memory")
        return self

    def of(self, quantity: float) -> float:
        """Return the dollars for so many units."""
        return quantity / self.per * self.usd


class PriceList(_Strict):
    """One provider's prices in one region, by meter."""

    region: str
    prices: dict[str, Price]


class Prices(_Strict):
    """All prices, and the day on which they were looked up."""

    looked_up: date
    aws: PriceList
    gcp: PriceList
    azure: PriceList

    def of(self, provider: Provider) -> PriceList:
        """Return one provider's."""
        chosen: PriceList = getattr(self, provider)
        return chosen


@cache
def load_prices() -> Prices:
    """Return the prices of the file beside this module."""
    text = files(__package__).joinpath("prices.yaml").read_text(encoding="utf-8")
    return Prices.model_validate(yaml.safe_load(text))
