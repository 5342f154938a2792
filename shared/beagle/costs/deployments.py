"""What is deployed on each provider: sizes, batches, limits.

AWS's numbers are the template's (`tests/unit/costs/test_deployments.py`), Google Cloud's those of infra/gcp
(`tests/infra/test_gcp.py`): Cloud Run functions behind Pub/Sub push, and Azure's those of infra/azure
(`tests/infra/test_azure_apps.py`): Flex Consumption behind Storage Queues. Both bring messages one by one;
register gathers them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from beagle.costs.prices import Provider

EXTRACT_AT_ONCE = 10
"""Videos, or parts of them, that are extracted at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """How large a function is, and how many messages an invocation of it gets."""

    gb: float
    processors: float
    batch: int = 1
    gathers: int = 1
    """Invocations that wait in one instance for each other: their batch is billed once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """The stages on one provider, and how it counts."""

    prepare: Function
    prepare_read_only: Function
    extract: Function
    register: Function
    invocation_seconds: float
    """How long one invocation of extract may take."""
    why_seconds: str
    rounds_to: float
    """Seconds that an invocation's bill is rounded up to."""
    send_batch: int = 1
    """Messages that one request to the queue sends, deletes, ..."""
    receive_batch: int = 1
    """... or receives."""
    disk_gb: float = 0
    """Of extract, where it is billed."""
    message_bytes: int = 200_000
    """What is larger travels as a claim on the state bucket."""
    room_gb: float
    """For the video that extract reads."""
    why_room: str
    idle_polls_a_month: float = 0
    """Requests to each queue by which the platform finds it empty; assumed."""
    alarms: tuple[int, int] = (0, 0)
    """Read-write, read-only."""
    metrics: tuple[int, int] = (0, 0)
    """The same, while all goes well: what fails or waits adds some."""
    dashboards: int = 0
    has_secret_fee: bool = True


DEPLOYMENTS: Mapping[Provider, Deployment] = {
    # A processor is 1,769 MB: https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
    "aws": Deployment(
        prepare=Function(gb=1024 / 1024, processors=1024 / 1769, batch=10),
        prepare_read_only=Function(gb=2048 / 1024, processors=2048 / 1769, batch=10),
        extract=Function(gb=7076 / 1024, processors=7076 / 1769),
        register=Function(gb=512 / 1024, processors=512 / 1769, batch=100),
        invocation_seconds=900,
        why_seconds="Lambda's longest",
        rounds_to=0.001,
        send_batch=10,
        receive_batch=10,
        disk_gb=(10_240 - 512) / 1024,
        room_gb=10.7,
        why_room="Lambda's largest /tmp",
        idle_polls_a_month=5 * 3 * 60 * 730,  # five long polls of twenty seconds, all the time
        alarms=(17, 23),
        metrics=(3, 4),
        dashboards=1,
    ),
    # https://docs.cloud.google.com/run/docs/configuring/services/memory-limits: files lie in memory.
    "gcp": Deployment(
        prepare=Function(gb=1, processors=1),
        prepare_read_only=Function(gb=2, processors=1),
        extract=Function(gb=16, processors=4),
        register=Function(gb=0.5, processors=1, gathers=100),
        invocation_seconds=600,
        why_seconds="Pub/Sub's longest wait for a push",
        rounds_to=0.1,
        room_gb=13.0,
        why_room="16 GiB of memory, where Cloud Run keeps files",
    ),
    "azure": Deployment(
        prepare=Function(gb=2, processors=1),
        prepare_read_only=Function(gb=2, processors=1),
        extract=Function(gb=4, processors=2),
        register=Function(gb=2, processors=1, gathers=100),
        invocation_seconds=1_800,
        why_seconds="Flex Consumption's default time-out",
        rounds_to=0.1,
        receive_batch=16,
        message_bytes=48_000,
        room_gb=0.8,
        why_room="Flex Consumption's temporary storage, as we remember it",
        idle_polls_a_month=6 * 60 * 730,  # every ten seconds
        has_secret_fee=False,
    ),
}
