"""What a workload uses on a provider, line by line."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from beagle.costs import measured
from beagle.costs.deployments import DEPLOYMENTS, Deployment
from beagle.costs.films import Film, plan_film
from beagle.costs.terms import Term, Use, term_of
from beagle.costs.timing import Timing, image_reads

if TYPE_CHECKING:
    from collections.abc import Iterator

    from beagle.costs.prices import Provider
    from beagle.costs.workload import Workload

GIGA = 1e9


def uses_of(workload: Workload, provider: Provider) -> list[Use]:
    """Return every use that is not nothing; `standing` ones are there whether anything is uploaded or not."""
    reckoning = _Reckoning(workload, provider, DEPLOYMENTS[provider])
    uses = [
        *reckoning.events(),
        *reckoning.queues(),
        *reckoning.functions(),
        *reckoning.artifacts(),
        *reckoning.state(),
        *reckoning.logs(),
        *reckoning.standing(),
    ]
    told = (Use(use.group, use.meter, tuple(term for term in use.terms if term.amount)) for use in uses)
    return [use for use in told if use.terms]


class _Reckoning:
    def __init__(self, workload: Workload, provider: Provider, deployment: Deployment) -> None:
        self.workload, self.provider, self.deployment = workload, provider, deployment
        self.objects = workload.objects
        self.is_read_only = workload.access == "read_only"
        kinds = (
            workload.count(kind) if self.is_read_only else 0.0 for kind in ("images", "dicoms", "videos")
        )
        self.images, self.dicoms, self.videos = kinds
        self.film: Film | None = plan_film(workload.clip, deployment) if self.videos else None
        self.prepare = deployment.prepare_read_only if self.is_read_only else deployment.prepare
        self.prepared = self.objects / workload.batch(self.prepare.batch)
        self.registered = self.objects / workload.batch(deployment.register.batch)
        self.gathered = self.registered / workload.batch(deployment.register.gathers)
        self.extracted = self.videos * (self.film.invocations if self.film else 0)

    def _written(self) -> list[Term]:
        """Return the artifacts, by kind."""
        return [
            term_of(self.images, "images", measured.IMAGE_WRITES, "thumbnail"),
            term_of(self.dicoms, "slices", measured.DICOM_WRITES, "artifacts"),
            term_of(self.videos, "videos", self.film.writes if self.film else 0, "artifacts"),
        ]

    def events(self) -> Iterator[Use]:
        """Yield the announcements: of artifacts too, since filters stand behind the meter."""
        announced = [term_of(self.objects, "uploads"), *self._written()]
        if self.provider == "gcp":
            # Published, and delivered or filtered.
            sizes: tuple[tuple[float, str], ...] = ((2, "ways"), (measured.MESSAGE_BYTES, "bytes"))
            terms = (Term((*term.factors, *sizes), GIGA) for term in announced)
            yield Use("events", "queue_data", tuple(terms))
        else:
            delivered = [term_of(self.objects, "deliveries")] if self.provider == "azure" else []
            yield Use("events", "events", (*announced, *delivered))

    def queues(self) -> Iterator[Use]:
        """Yield how messages are sent, received and deleted, as many at a time as is allowed."""
        film, whole = self.film, self.objects - self.videos
        if self.provider == "gcp":
            size = measured.MESSAGE_BYTES
            terms = (
                term_of(self.objects, "items", 2, "ways", size, "bytes", per=GIGA),
                term_of(self.extracted, "videos and parts", 2, "ways", size, "bytes", per=GIGA),
            )
            yield Use("queues", "queue_data", terms)
            return
        send = self.workload.batch(self.deployment.send_batch)
        receive = self.workload.batch(self.deployment.receive_batch)
        away = 1 / receive + 1 / send
        parts = math.ceil(film.parts / send) if film and film.parts > 1 else 0
        yield Use(
            "queues",
            "queue_requests",
            (
                term_of(self.objects, "uploads", 1 + away, "requests"),
                term_of(self.videos, "videos", 1 / send + parts, "sends"),
                term_of(self.extracted, "runs of extract", 2, "requests"),
                term_of(whole, "items", 1 / send + away, "requests"),
                term_of(self.videos, "items of videos", 1 + away, "requests"),
            ),
        )

    def functions(self) -> Iterator[Use]:
        """Yield the invocations, each billed for itself: sharing an instance would make them cheaper."""
        register, extract = self.deployment.register, self.deployment.extract
        timing = Timing(self.workload, self.deployment)
        preparing = timing.prepare(self.images / self.objects, self.dicoms / self.objects)
        extracting = timing.extract(self.film) if self.film else 0
        runs = [
            ("runs of prepare", self.prepared, preparing, self.prepare),
            ("runs of extract", self.extracted, extracting, extract),
            ("batches of register", self.gathered, timing.register(), register),
        ]
        invocations = [(name, count) for name, count, _, _ in runs[:2]] + [
            ("runs of register", self.registered)
        ]
        yield Use("functions", "invocations", tuple(term_of(count, name) for name, count in invocations))
        yield Use(
            "functions",
            "memory_seconds",
            tuple(term_of(count, name, seconds, "s", size.gb, "GB") for name, count, seconds, size in runs),
        )
        if self.provider == "gcp":
            terms = (
                term_of(count, name, seconds, "s", size.processors, "vCPU")
                for name, count, seconds, size in runs
            )
            yield Use("functions", "processor_seconds", tuple(terms))
        if self.deployment.disk_gb:
            disk = term_of(
                self.extracted,
                "runs of extract",
                extracting,
                "s",
                self.deployment.disk_gb,
                "GB",
            )
            yield Use("functions", "disk_seconds", (disk,))

    def artifacts(self) -> Iterator[Use]:
        """Yield what read-only storage needs, in the watched bucket, kept for a month."""
        film = self.film
        yield Use("artifacts", "writes", tuple(self._written()))
        yield Use(
            "artifacts",
            "reads",
            (
                term_of(self.images, "images", image_reads(self.workload), "reads"),
                term_of(self.dicoms, "slices", measured.DICOM_READS, "reads"),
                term_of(self.extracted, "runs of extract", measured.VIDEO_READS, "reads"),
            ),
        )
        yield Use(
            "artifacts",
            "storage",
            (
                term_of(self.images, "images", measured.THUMBNAIL_MB, "MB", per=1000),
                term_of(self.dicoms, "slices", measured.DICOM_PNG_MB + measured.THUMBNAIL_MB, "MB", per=1000),
                term_of(self.videos, "videos", film.artifact_mb if film else 0, "MB", per=1000),
            ),
        )

    def state(self) -> Iterator[Use]:
        """Yield the ledger; of long videos the parts' results, and items that no message holds."""
        film = self.film
        parts = film.parts if film and film.parts > 1 else 0
        parcels = self.videos if film and film.is_parcel else 0
        yield Use(
            "state bucket",
            "writes",
            (
                term_of(self.objects, "items", measured.LEDGER_WRITES, "ledger writes"),
                term_of(self.videos * parts, "parts", measured.PART_WRITES, "writes and lists"),
                term_of(parcels, "large items"),
            ),
        )
        yield Use(
            "state bucket",
            "reads",
            # Each part looks at what the others left behind, before and after its work: 1 + 3 + 5 + ...
            (
                term_of(self.videos, "videos", parts**2, "reads of results"),
                term_of(self.videos, "looks into the ledger"),
                term_of(parcels, "large items"),
            ),
        )
        ledger = term_of(self.objects, "entries", measured.LEDGER_BYTES, "bytes", per=GIGA)
        yield Use("state bucket", "storage", (ledger,))

    def logs(self) -> Iterator[Use]:
        """Yield a line for each object that leaves a stage, and some for each invocation."""
        runs = self.prepared + self.extracted + self.registered
        terms = (
            term_of(2 * self.objects + self.extracted, "lines", measured.LOG_BYTES, "bytes", per=GIGA),
            term_of(runs, "invocations", measured.LOG_BYTES_AN_INVOCATION, "bytes", per=GIGA),
        )
        yield Use("logs", "logs", terms)
        if self.provider == "aws":
            yield Use("logs", "log_storage", terms)

    def standing(self) -> Iterator[Use]:
        """Yield what a month has before the first upload."""
        deployment, queues = self.deployment, 3 if self.is_read_only else 2
        polls = term_of(queues, "queues", deployment.idle_polls_a_month, "idle polls")
        for meter, term in (
            ("secrets", term_of(float(deployment.has_secret_fee), "API key")),
            ("secret_calls", term_of(measured.COLD_STARTS_A_MONTH, "cold starts")),
            ("queue_requests", polls),
            ("alarms", term_of(deployment.alarms[self.is_read_only], "alarms")),
            ("metrics", term_of(deployment.metrics[self.is_read_only], "endings")),
            ("dashboards", term_of(deployment.dashboards, "dashboard")),
        ):
            yield Use("standing", meter, (term,))
