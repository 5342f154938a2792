"""`beagle estimate`: what a deployment would cost."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from beagle.cli.filters import AsJson  # noqa: TC001 - Typer reads the annotations
from beagle.cli.output import aside, print_line, screen, styled, wants_lines
from beagle.cli.videos import Fps, Frames, require_video_options
from beagle.domain.errors import ConfigurationError

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from beagle.costs.estimate import Estimate, Line
    from beagle.costs.prices import Price
    from beagle.costs.workload import Workload

WIDEST = 16_384
"""Pixels: no wider video is one."""
LARGEST_MB = 5_000_000
"""Of one object: five terabytes."""
MOST = 1_000_000_000_000
"""Objects a month."""


def estimate(  # noqa: PLR0913, PLR0917 - each an option
    objects: Annotated[int, typer.Option(metavar="N", min=1, max=MOST, help="Objects a month.")] = 1_000_000,
    mix: Annotated[
        str,
        typer.Option(
            metavar="MIX",
            help="Their kinds: `images=0.9,videos=0.1`; also `dicoms`. The numbers are weights: "
            "`images=9,videos=1` is the same.",
        ),
    ] = "images=1",
    access: Annotated[
        Literal["read_write", "read_only"], typer.Option(help="What the storage integration allows Darwin.")
    ] = "read_write",
    provider: Annotated[Literal["aws", "gcp", "azure"], typer.Option(help="Who sends the bill.")] = "aws",
    arrival: Annotated[
        Literal["together", "alone"],
        typer.Option(help="In such numbers that batches are full, or each object alone."),
    ] = "together",
    image_mb: Annotated[
        float, typer.Option(metavar="MB", min=0.001, max=LARGEST_MB, help="An image's size.")
    ] = 3,
    video_seconds: Annotated[
        float, typer.Option(metavar="S", min=0.1, max=86_400, help="A video's length.")
    ] = 60,
    video_mb: Annotated[
        float, typer.Option(metavar="MB", min=0.001, max=LARGEST_MB, help="A video's size.")
    ] = 40,
    resolution: Annotated[str, typer.Option(metavar="WxH", help="A video's width and height.")] = "1920x1080",
    frame_rate: Annotated[
        int, typer.Option(metavar="F", min=1, max=240, help="Frames a second that a video has.")
    ] = 30,
    fps: Fps = "native",
    frames: Frames = "png",
    profile: Annotated[
        Literal["fast", "equal"],
        typer.Option(help="Segments encoded fast, or with darwin-py's own settings."),
    ] = "fast",
    *,
    as_json: AsJson = False,
) -> None:
    """`beagle estimate --mix images=0.9,videos=0.1 --access read_only` tells a month's dollars.

    A line for each meter of the bill: how much of it is used and why, what a unit costs by the public price
    list, and the product. Nobody is asked; the prices come with the package, and tell their date. Where the
    deployment would refuse such videos, the bill stands, and says so.
    """
    from beagle.costs.estimate import estimate as reckon  # noqa: PLC0415 - see the package
    from beagle.costs.workload import Clip, Workload, parse_mix  # noqa: PLC0415
    from beagle.domain.making import VideoOptions  # noqa: PLC0415

    width, height = _size(resolution)
    clip = Clip(
        seconds=video_seconds,
        mb=video_mb,
        width=width,
        height=height,
        rate=frame_rate,
        options=VideoOptions(fps=require_video_options(fps, frames), frames=frames, profile=profile),
    )
    workload = Workload(
        objects=objects,
        mix=parse_mix(mix),
        access=access,
        arrival=arrival,
        image_mb=image_mb,
        clip=clip,
    )
    bill = reckon(workload, provider)
    if wants_lines(as_json):
        print_line(bill.to_json())
    else:
        console = screen()
        console.print()
        console.print(bill_table(bill))
        console.print(remarks(bill))
    if bill.refused:
        aside().print(styled(bill.refused, "yellow"), soft_wrap=True)


def _size(resolution: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{1,5})x(\d{1,5})", resolution)
    width, height = map(int, found.groups()) if found else (0, 0)
    if not (0 < width <= WIDEST and 0 < height <= WIDEST):
        raise ConfigurationError(f"--resolution {resolution!r} is not a width and a height, as 1920x1080.")
    return width, height


def bill_table(bill: Estimate) -> Table:
    """Return the bill as people read it."""
    from rich import box  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    from beagle.costs.prices import load_prices  # noqa: PLC0415

    region = load_prices().of(bill.provider).region
    table = Table(
        title=f"{bill.provider} · {region} · {_in_words(bill.workload)}",
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        show_footer=True,
        pad_edge=False,
    )
    table.add_column("", footer=styled("a month", "bold"), overflow="fold")
    table.add_column("quantity", justify="right", no_wrap=True)
    table.add_column("unit price", justify="right", no_wrap=True)
    table.add_column("dollars", justify="right", no_wrap=True, footer=f"[bold green]{bill.dollars:,.2f}")
    for group in dict.fromkeys(line.use.group for line in bill.lines):
        table.add_row(styled(group, "bold cyan"), "", "", f"[bold]{bill.of(group):,.2f}")
        lines = [line for line in bill.lines if line.use.group == group]
        for line in lines:
            table.add_row(*_row(line), end_section=line is lines[-1])
    return table


def _row(line: Line) -> tuple[RenderableType, ...]:
    from rich.padding import Padding  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    from beagle.costs.terms import in_digits  # noqa: PLC0415

    price, use = line.price, line.use
    said = Text(price.what).append("*" if price.from_memory else "", "yellow")
    for number, term in enumerate(use.terms):
        said.append(f"\n{'+ ' if number else '  '}{term}", "dim")
    quantity = f"{in_digits(use.quantity)} {_one(price.unit) if use.quantity == 1 else price.unit}"
    cents = f"{line.dollars:,.2f}" if line.dollars >= 0.005 else "<0.01"  # noqa: PLR2004 - half a cent
    return Padding(said, (0, 0, 0, 2)), quantity, _in_dollars(price), cents


def _one(unit: str) -> str:
    return unit.removesuffix("s")


def _in_dollars(price: Price) -> str:
    """Return a unit price: a small one by the million."""
    from beagle.costs.terms import in_digits  # noqa: PLC0415

    for amount, name in ((1, ""), (1_000, " / thousand"), (1_000_000, " / million")):
        usd = price.of(amount)
        if usd >= 0.02:  # noqa: PLR2004 - two cents read well
            return f"${usd:.2f}{name}" if round(usd, 2) == round(usd, 4) else f"${in_digits(usd)}{name}"
    return f"${in_digits(price.of(1_000_000))} / million"


def _in_words(workload: Workload) -> str:
    shares = ", ".join(f"{workload.count(kind):,.0f} {kind}" for kind in workload.mix if workload.count(kind))
    return f"{shares} a month · {workload.access.replace('_', '-')} · arriving {workload.arrival}"


def remarks(bill: Estimate) -> Table:
    """Return what stands below the bill."""
    from rich.table import Table  # noqa: PLC0415

    from beagle.costs.estimate import NOT_INCLUDED  # noqa: PLC0415
    from beagle.costs.prices import load_prices  # noqa: PLC0415

    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row("a million objects", styled(f"${bill.per_million:,.2f}, standing costs left out", "bold"))
    table.add_row("prices", f"public lists, as of {load_prices().looked_up}; * from memory")
    deployed_by = {"aws": "template.yaml"}.get(bill.provider, f"infra/{bill.provider}")
    table.add_row("functions", f"sizes and batches of {deployed_by}; never yet run in a real account")
    for number, words in enumerate(NOT_INCLUDED):
        table.add_row("" if number else "not included", words)
    return table
