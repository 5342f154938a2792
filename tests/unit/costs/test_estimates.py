"""Dollars are quantities times prices, and quantities are what the formulas beside them say."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import yaml
from pydantic import ValidationError

from beagle.costs.deployments import DEPLOYMENTS, EXTRACT_AT_ONCE
from beagle.costs.estimate import NOT_INCLUDED, estimate
from beagle.costs.films import facts_of, plan_film, why_refused
from beagle.costs.prices import Price, load_prices
from beagle.costs.terms import TIMES, in_digits, term_of
from beagle.costs.workload import Clip, Workload, parse_mix
from beagle.domain.errors import ConfigurationError
from beagle.domain.making import VideoOptions
from beagle.media.maker import PART_OF_THE_TIME
from beagle.media.video.cuts import frames_a_second, plan_parts

PROVIDERS = tuple(DEPLOYMENTS)
EVERYTHING = Workload(
    objects=10_000,
    mix={"images": 0.6, "videos": 0.3, "dicoms": 0.1},
    access="read_only",
    clip=Clip(seconds=3600, mb=600),
)
FILM = Clip(seconds=3 * 3600, mb=8_000)


def dollars(workload: Workload, provider: str = "aws", group: str | None = None) -> float:
    bill = estimate(workload, provider)
    return bill.of(group) if group else bill.dollars - bill.standing


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_bill_is_the_sum_of_quantities_times_prices(provider):
    """Recomputed from the plain values that `--json` tells."""
    told = estimate(EVERYTHING, provider).to_json()
    lines = told["lines"]

    assert told["dollars"] == pytest.approx(
        sum(line["quantity"] / line["per"] * line["usd"] for line in lines)
    )
    assert {line["group"] for line in lines} >= {"events", "queues", "functions", "artifacts", "state bucket"}
    assert all(line["dollars"] > 0 and line["formula"] for line in lines)
    assert told["not_included"] == list(NOT_INCLUDED)


def test_a_million_read_write_images_on_aws_cost_their_ledger_and_little_else():
    """By hand: two PUTs an item at 5 dollars a million, an event at 1, an SQS request and a half at 0.40."""
    bill = estimate(Workload(), "aws")

    assert bill.of("state bucket") == pytest.approx(10.0 + 1e6 * 600 / 1e9 * 0.023)
    assert bill.of("events") == pytest.approx(1.0)
    assert bill.of("queues") == pytest.approx((1 + 0.1 + 0.1 + 0.1 + 0.1 + 0.1) * 0.40)
    assert bill.of("artifacts") == 0
    assert 11 < bill.per_million < 14


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("access", ["read_write", "read_only"])
def test_twice_the_objects_cost_twice_as_much_but_for_what_stands(provider, access):
    once = replace(EVERYTHING, access=access)
    twice = replace(once, objects=2 * once.objects)

    assert dollars(twice, provider) == pytest.approx(2 * dollars(once, provider))
    assert estimate(once, provider).standing == estimate(twice, provider).standing


@pytest.mark.parametrize("provider", PROVIDERS)
def test_coming_alone_is_never_cheaper(provider):
    assert dollars(replace(EVERYTHING, arrival="alone"), provider) >= dollars(EVERYTHING, provider)


def test_what_is_asked_of_a_route_shows_in_the_bill():
    """Fewer visible frames, JPEG instead of PNG, smaller pictures: each makes artifacts cheaper."""

    def of(**changes: object) -> float:
        return dollars(Workload(mix={"videos": 1}, access="read_only", clip=Clip(**changes)))

    whole = of()
    assert of(options=VideoOptions(fps=5.0)) < whole
    assert of(options=VideoOptions(frames="jpeg:5")) < whole
    assert of(width=1280, height=720) < whole
    assert of(seconds=30) < whole


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_film_is_cut_as_extract_would_cut_it(provider):
    deployment, facts = DEPLOYMENTS[provider], facts_of(FILM)
    speed = frames_a_second(facts, FILM.options, deployment.extract.processors)
    cut = plan_parts(facts, deployment.invocation_seconds * PART_OF_THE_TIME, speed)
    film = plan_film(FILM, deployment)

    assert film.frames == film.visible == 324_000
    assert film.parts == len(cut) > 1
    assert film.seconds < deployment.invocation_seconds
    assert film.wall_seconds > math.ceil(film.parts / EXTRACT_AT_ONCE) * film.seconds
    assert film.writes == 2 * 324_000 + 2 * film.segments + 5


@pytest.mark.parametrize(
    ("provider", "clip", "why"),
    [
        ("azure", Clip(mb=801), "801 MB are more than the 0.8 GB"),
        ("gcp", Clip(mb=13_001), "16 GiB of memory"),
        ("aws", Clip(mb=10_701), "Lambda's largest /tmp"),
        ("aws", Clip(seconds=20_000, rate=240), "4,800,000 frames are more than 4,000,000"),
        ("gcp", Clip(width=8192, height=4321), "Frames of 8192x4321 have more than 35,389,440 pixels"),
        ("aws", Clip(width=8192, height=4320), "need at least"),
    ],
)
def test_what_extract_refuses_is_known_before(provider, clip, why):
    """By the sizes of the deployment, and by the bounds that extract itself has."""
    assert why in why_refused(clip, DEPLOYMENTS[provider])
    assert not why_refused(Clip(), DEPLOYMENTS[provider])


def test_formulas_say_what_is_multiplied():
    term = term_of(2_000, "videos", 0.5, "MB", per=1000)

    assert (str(term), term.amount) == (f"2,000 videos{TIMES}0.5 MB", 1.0)
    assert [in_digits(n) for n in (0, 1, 1.2, 0.034567, 6.91015625, 1234.5, 1e6)] == [
        "0", "1", "1.2", "0.03457", "6.91", "1,234", "1,000,000",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "",
        "cats=1",
        "images=x",
        "images=-1",
        "images=0",
        "images=1,images=2",
        "images=inf",
        "images=nan",
        "images=1e308",
    ],
)
def test_a_mix_that_says_nothing_is_refused(text):
    with pytest.raises(ConfigurationError):
        parse_mix(text)


def test_shares_need_not_sum_to_one():
    workload = Workload(objects=300, mix=parse_mix("images=2, videos"))

    assert (workload.count("images"), workload.count("videos"), workload.count("dicoms")) == (200, 100, 0)


def test_every_price_tells_its_page_and_where_it_was_seen():
    """A price of which nobody knows where it comes from is refused."""
    prices = load_prices()
    known = {"what": "x", "usd": 1, "per": 1, "unit": "x", "page": "https://example.com/"}

    assert all(
        bool(price.seen_in) != price.from_memory for p in PROVIDERS for price in prices.of(p).prices.values()
    )
    for origin in ({}, {"seen_in": "there", "from_memory": True}):
        with pytest.raises(ValidationError):
            Price.model_validate(yaml.safe_load(yaml.safe_dump({**known, **origin})))


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_price_is_used(provider):
    """The price list holds no meter that no bill has, and lacks none."""
    used = {line.use.meter for line in estimate(EVERYTHING, provider).lines}

    assert used == set(load_prices().of(provider).prices)
