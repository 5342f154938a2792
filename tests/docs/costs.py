"""The tables of infra/COSTS.md, which the cost model says: `make docs` writes them, a test compares them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from beagle.costs import measured
from beagle.costs.deployments import DEPLOYMENTS, EXTRACT_AT_ONCE
from beagle.costs.estimate import NOT_INCLUDED, estimate
from beagle.costs.films import Film, plan_film
from beagle.costs.prices import load_prices
from beagle.costs.terms import in_digits
from beagle.costs.workload import Clip, Workload
from beagle.domain.making import VideoOptions
from docs.tables import fill, table

if TYPE_CHECKING:
    from collections.abc import Callable

    from beagle.costs.prices import Price, Provider

COSTS = Path(__file__).parents[2] / "infra" / "COSTS.md"
PROVIDERS: tuple[Provider, ...] = ("aws", "gcp", "azure")
NAMES: dict[Provider, str] = {"aws": "AWS", "gcp": "Google Cloud", "azure": "Azure"}
FIVE = Clip(options=VideoOptions(fps=5.0))
ROUTES = {
    "read-write: images, videos, DICOM alike": Workload(),
    "read-only image of 3 MB": Workload(access="read_only"),
    "read-only DICOM slice, converted": Workload(access="read_only", mix={"dicoms": 1}),
    "read-only video of 60 s, 5 frames a second": Workload(access="read_only", mix={"videos": 1}, clip=FIVE),
    "read-only video of 60 s, every frame": Workload(access="read_only", mix={"videos": 1}),
}
FILM = Clip(seconds=3 * 3600, mb=8_000)
GROUPS = ("events", "queues", "functions", "artifacts", "state bucket", "logs")


def routes_table() -> str:
    """Return what a million objects cost by each way, on each provider."""
    rows = [
        (what, *(_dollars(estimate(workload, provider).per_million) for provider in PROVIDERS))
        for what, workload in ROUTES.items()
    ]
    standing = [
        tuple(_dollars(estimate(Workload(access=access), provider).standing) for provider in PROVIDERS)
        for access in ("read_write", "read_only")
    ]
    rows.append(("*standing, a month: read-write*", *standing[0]))
    rows.append(("*standing, a month: read-only*", *standing[1]))
    return table(("a million objects", *NAMES.values()), rows)


def groups_tables() -> str:
    """Return where the dollars go, and AWS's formulas."""
    parts = []
    for what, workload in ROUTES.items():
        bills = {provider: estimate(workload, provider) for provider in PROVIDERS}
        rows = [
            (group, *(_dollars(bill.of(group)) for bill in bills.values()))
            for group in GROUPS
            if any(bill.of(group) for bill in bills.values())
        ]
        formulas = [
            (
                line.price.what,
                line.use.formula,
                f"{in_digits(line.use.quantity)} {line.price.unit}",
                _unit_price(line.price),
                _dollars(line.dollars),
            )
            for line in bills["aws"].lines
            if line.use.group != "standing"
        ]
        head = ("AWS", "how it is reckoned", "quantity", "unit price", "dollars")
        parts += [
            f"### {what[0].upper()}{what[1:]}",
            table(("", *NAMES.values()), rows),
            table(head, formulas),
        ]
    return "\n\n".join(parts)


def film_table() -> str:
    """Return what a film of three hours takes, on each provider."""
    films = {provider: plan_film(FILM, DEPLOYMENTS[provider]) for provider in PROVIDERS}
    workload = Workload(objects=1, mix={"videos": 1}, access="read_only", clip=FILM)
    bills = {provider: estimate(workload, provider) for provider in PROVIDERS}

    def row(what: str, said: Callable[[Provider, Film], str]) -> tuple[str, ...]:
        return (what, *(said(provider, films[provider]) for provider in PROVIDERS))

    def used(provider: Provider, meter: str) -> float:
        return sum(line.use.quantity for line in bills[provider].lines if line.use.meter == meter)

    def spent(provider: Provider, *meters: str) -> float:
        lines = [
            line for line in bills[provider].lines if line.use.group in {"functions", "artifacts", "events"}
        ]
        return sum(line.dollars for line in lines if line.use.meter in meters)

    time = ("memory_seconds", "processor_seconds", "disk_seconds", "invocations")
    rows = [
        row("an invocation may take", lambda p, _: f"{DEPLOYMENTS[p].invocation_seconds:,.0f} s"),
        row("which is", lambda p, _: DEPLOYMENTS[p].why_seconds),
        row("processors, memory", lambda p, _: _size(p)),
        row(
            "room for the film",
            lambda p, f: f"{DEPLOYMENTS[p].room_gb:g} GB{'' if f.fits else ': **too little**'}",
        ),
        row("of", lambda p, _: DEPLOYMENTS[p].why_room),
        row("parts", lambda _, f: str(f.parts)),
        row(
            "seconds a part",
            lambda _, f: f"{f.seconds:,.0f}, {'network' if f.waits_for_network else 'processors'}",
        ),
        row(f"wall time, {EXTRACT_AT_ONCE} parts at a time", lambda _, f: f"{f.wall_seconds / 60:.0f} min"),
        row("processor seconds", lambda _, f: f"{f.processor_seconds:,.0f}"),
        row("GB-seconds", lambda p, _: f"{used(p, 'memory_seconds'):,.0f}"),
        row("artifacts written", lambda _, f: f"{f.writes:,}"),
        row("GB stored", lambda _, f: f"{f.artifact_mb / 1000:,.0f}"),
        row("dollars: functions", lambda p, _: _dollars(spent(p, *time))),
        row("dollars: writes", lambda p, _: _dollars(spent(p, "writes"))),
        row("dollars: announcing them", lambda p, _: _dollars(bills[p].of("events"))),
        row(
            "**dollars: once, all told**",
            lambda p, _: _dollars(bills[p].dollars - bills[p].standing - spent(p, "storage")),
        ),
        row("**dollars: storage, each month**", lambda p, _: _dollars(spent(p, "storage"))),
    ]
    return table(("", *NAMES.values()), rows)


def prices_table() -> str:
    """Return every list price, its page, and where it was seen."""
    prices = load_prices()
    rows = [
        (
            NAMES[provider],
            f"[{price.what}]({price.page})",
            _unit_price(price),
            "**from memory**" if price.from_memory else price.seen_in,
        )
        for provider in PROVIDERS
        for price in prices.of(provider).prices.values()
    ]
    regions = ", ".join(f"{NAMES[provider]} {prices.of(provider).region}" for provider in PROVIDERS)
    return f"As of {prices.looked_up}: {regions}.\n\n" + table(("", "meter", "dollars", "seen in"), rows)


def counted_table() -> str:
    """Return the constants that were counted, and those that are assumed."""
    second = plan_film(Clip(seconds=1), DEPLOYMENTS["aws"])
    rows = [
        ("a read-write item", f"{measured.LEDGER_WRITES} writes of the ledger", "counted"),
        (
            "a read-only image of 3 MB besides",
            f"{measured.IMAGE_READS + 1} reads (one more a 4 MiB), {measured.IMAGE_WRITES} write",
            "counted",
        ),
        ("a DICOM slice besides", f"{measured.DICOM_READS} reads, {measured.DICOM_WRITES} writes", "counted"),
        (
            "a video besides",
            (
                f"{measured.VIDEO_READS} reads; writes: {measured.WRITES_A_FRAME} a visible frame, "
                f"{measured.WRITES_A_SEGMENT} a segment of 2 s, {measured.WRITES_A_VIDEO} more"
            ),
            "counted",
        ),
        (
            "n parts of a long video besides",
            (
                f"{measured.VIDEO_READS} reads a part and to cut it, {measured.PART_WRITES} writes and lists "
                "a part, n² reads of results"
            ),
            "counted",
        ),
        (
            "messages",
            "10 a send, 10 a receive, 10 a delete on AWS",
            "sends counted, the rest AWS's documentation",
        ),
        (
            "a line of the log, an entry of the ledger",
            f"{measured.LOG_BYTES} and {measured.LEDGER_BYTES} bytes",
            "counted, with room for longer keys",
        ),
        ("a 1080p frame as PNG, a preview", "2.22 MB, 0.108 MB", "measured"),
        (
            "a second of 1080p, every frame as PNG",
            f"{second.processor_seconds:.2f} processor seconds",
            "the code's own figure; measured: 2.9",
        ),
        (
            "a request to the store, to a queue, to Darwin",
            f"{measured.STORE_SECONDS:g}, {measured.QUEUE_SECONDS:g} and {measured.DARWIN_SECONDS:g} s",
            "assumed",
        ),
        ("between a function and the store", f"{measured.MB_A_SECOND:g} MB/s each way", "assumed"),
        ("polls that find a queue empty", "657,000 a month and queue on AWS, 262,800 on Azure", "assumed"),
    ]
    return table(("what", "asks", "how it is known"), rows)


def not_included() -> str:
    """Return what the bills leave out."""
    return "\n".join(f"- {words}" for words in NOT_INCLUDED)


BLOCKS: dict[str, Callable[[], str]] = {
    "routes": routes_table,
    "film": film_table,
    "groups": groups_tables,
    "counted": counted_table,
    "prices": prices_table,
    "not included": not_included,
}


def regenerate(text: str) -> str:
    """Return COSTS.md with its generated parts as the model has them."""
    return fill(text, {name: block() for name, block in BLOCKS.items()})


def _size(provider: Provider) -> str:
    extract = DEPLOYMENTS[provider].extract
    return f"{extract.processors:.1f}, {extract.gb:.1f} GB"


def _dollars(amount: float) -> str:
    if not amount:
        return ""
    return "< $0.01" if amount < 0.005 else f"${amount:,.0f}" if amount >= 1000 else f"${amount:,.2f}"


def _unit_price(price: Price) -> str:
    usd, per = f"{price.usd:.10f}".rstrip("0"), in_digits(price.per)
    whole, _, cents = usd.partition(".")
    return f"${whole}.{cents.ljust(2, '0')} / {'' if per == '1' else f'{per} '}{price.unit}"
