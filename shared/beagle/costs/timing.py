"""How long an invocation of each stage is billed for."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from beagle.costs import measured
from beagle.costs.deployments import Deployment
from beagle.costs.workload import Workload

if TYPE_CHECKING:
    from beagle.costs.films import Film


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds on one provider, rounded up as its bill is."""

    workload: Workload
    deployment: Deployment

    def prepare(self, images: float, dicoms: float) -> float:
        """Return a batch's seconds; `images` and `dicoms` are the shares of what is drawn here."""
        workload, deployment = self.workload, self.deployment
        size = deployment.prepare_read_only if workload.access == "read_only" else deployment.prepare
        image = (
            (image_reads(workload) + measured.IMAGE_WRITES) * measured.STORE_SECONDS
            + workload.image_mb / measured.MB_A_SECOND
            + workload.image_mb * measured.IMAGE_SECONDS_A_MB / size.processors
        )
        dicom = (
            measured.DICOM_READS + measured.DICOM_WRITES
        ) * measured.STORE_SECONDS + measured.DICOM_SECONDS / size.processors
        each = measured.PREPARE_SECONDS / size.processors + images * image + dicoms * dicom
        return self._billed(measured.QUEUE_SECONDS + workload.batch(size.batch) * each)

    def extract(self, film: Film) -> float:
        """Return the mean over the invocation that cuts a video and those that extract it."""
        seconds = film.parts * self._billed(film.seconds)
        if film.planning_seconds:
            seconds += self._billed(film.planning_seconds)
        return seconds / film.invocations

    def register(self) -> float:
        """Return a batch's seconds, those of gathering it included."""
        size = self.deployment.register
        batch = self.workload.batch(size.batch * size.gathers)
        waves = measured.LEDGER_WRITES * math.ceil(batch / measured.LEDGER_AT_ONCE)
        return self._billed(
            (measured.GATHER_SECONDS if size.gathers > 1 else 0)
            + measured.DARWIN_SECONDS
            + waves * measured.STORE_SECONDS
            + batch * measured.REGISTER_SECONDS / size.processors
        )

    def _billed(self, seconds: float) -> float:
        unit = self.deployment.rounds_to
        return math.ceil(round(seconds / unit, 6)) * unit


def image_reads(workload: Workload) -> int:
    """Return how many requests read a read-only image."""
    return measured.IMAGE_READS + math.ceil(workload.image_mb / measured.BLOCK_MB)
