"""`beagle estimate`, as a shell runs it."""

from pathlib import Path
from typing import Literal

import pytest
from rich.console import Console

from beagle.cli.estimate import bill_table, remarks
from beagle.costs.estimate import estimate
from beagle.costs.workload import Workload
from support.command import ROOT, Beagle


def test_a_bill_is_one_object_of_json(beagle: Beagle):
    ran = beagle("estimate", "--objects", "1000", "--mix", "images=9,videos=1", "--access", "read_only")

    [bill] = ran.records
    assert (ran.code, ran.err) == (0, "")
    assert (bill["provider"], bill["region"], bill["objects"]) == ("aws", "us-east-1", 1000)
    assert bill["dollars"] == pytest.approx(sum(line["dollars"] for line in bill["lines"]))
    assert {"group", "what", "formula", "quantity", "unit", "usd", "per", "from_memory"} <= set(
        bill["lines"][0]
    )


def test_options_reach_the_bill(beagle: Beagle):
    """Each of them makes it another."""
    options = [
        (),
        ("--provider", "gcp"),
        ("--provider", "azure"),
        ("--access", "read_write"),
        ("--arrival", "alone"),
        ("--image-mb", "30"),
        ("--video-seconds", "90"),
        ("--video-mb", "900"),
        ("--resolution", "1280x720"),
        ("--frame-rate", "24"),
        ("--fps", "5"),
        ("--frames", "jpeg:5"),
        ("--profile", "equal"),
    ]
    mix = ("--mix", "images=0.9,videos=0.1,dicoms=0.1")
    bills = {beagle("estimate", *mix, "--access", "read_only", *one).records[0]["dollars"] for one in options}

    assert len(bills) == len(options)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--mix", "cats=1"),
        ("--objects", "0"),
        ("--provider", "acme"),
        ("--mix", "images=1e308,videos=1e308"),
        ("--objects", "1" + "0" * 400),
        ("--image-mb", "inf"),
        ("--image-mb", "nan"),
        ("--video-mb", "inf", "--access", "read_only", "--mix", "videos=1"),
        ("--video-mb", "1e300"),
        ("--video-seconds", "inf"),
        ("--fps", "inf"),
        ("--fps", "0"),
        ("--frames", "webp"),
        ("--resolution", "1080p"),
        ("--resolution", "0x1080"),
        ("--video-seconds", "0"),
    ],
)
def test_what_cannot_be_reckoned_is_misuse(arguments: tuple[str, ...], beagle: Beagle):
    ran = beagle("estimate", *arguments)

    assert (ran.code, ran.out) == (2, "")
    assert arguments[0] in ran.err
    assert "Traceback" not in ran.err


def test_only_the_option_that_is_wrong_is_named(beagle: Beagle):
    assert "--frames" not in beagle("estimate", "--fps", "0").err
    assert "--fps" not in beagle("estimate", "--frames", "webp").err


FILMS = ("--mix", "videos=1", "--video-mb", "8000", "--video-seconds", "10800")


def test_a_bill_for_videos_that_are_refused_says_so(beagle: Beagle):
    """To people, and as data: no route makes anything of a video that the function has no room for."""
    refused = beagle("estimate", *FILMS, "--access", "read_only", "--provider", "azure")
    taken = beagle("estimate", *FILMS, "--access", "read_only", "--provider", "aws")
    unread = beagle("estimate", *FILMS, "--access", "read_write", "--provider", "azure")

    [bill] = refused.records
    assert "media_too_large: 8,000 MB are more than the 0.8 GB" in bill["refused"]
    assert refused.err.strip() == bill["refused"]
    assert refused.code == 0
    for ran in (taken, unread):
        assert (ran.records[0]["refused"], ran.err) == (None, "")


def test_weights_are_told_as_the_shares_that_they_are(beagle: Beagle):
    [bill] = beagle("estimate", "--mix", "images=0.9,videos=0.3").records

    assert bill["mix"] == {"images": pytest.approx(0.75), "videos": pytest.approx(0.25)}


@pytest.mark.parametrize(("provider", "place"), [("gcp", "infra/gcp"), ("azure", "infra/azure")])
def test_the_remarks_name_what_is_deployed(provider: Literal["gcp", "azure"], place: str, tmp_path: Path):
    """The sizes are those of a folder that is there, and nothing is said to be in the making."""
    with (tmp_path / "remarks").open("w+") as file:
        Console(file=file, width=200).print(remarks(estimate(Workload(), provider)))
        file.seek(0)
        shown = file.read()

    assert (ROOT / place).is_dir()
    assert f"sizes and batches of {place}; never yet run in a real account" in shown
    assert "being built" not in shown


def test_the_table_shows_each_formula_and_marks_prices_from_memory(tmp_path: Path):
    """Every line's quantity, and the total, stand in it; also on a narrow terminal."""
    bill = estimate(Workload(access="read_only", mix={"images": 0.9, "videos": 0.1}), "aws")
    for width in (80, 140):
        with (tmp_path / "table").open("w+") as file:
            Console(file=file, width=width).print(bill_table(bill))
            file.seek(0)
            shown = file.read()

        assert f"{bill.dollars:,.2f}" in shown
        assert max(map(len, shown.splitlines())) <= width
        assert "dashboards*" in shown
    for line in bill.lines:
        assert all(str(term) in shown for term in line.use.terms)
