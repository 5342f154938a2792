"""Instances of extract side by side on one queue, each with a disk of its own, and what each of them took."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from support.processes import folder_size, processor_seconds, tree_memory

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from e2e.hands import Hands, Instance

LOOK_SECONDS = 0.1
NOTHING: dict[str, list[object]] = {"Records": []}


@dataclass(slots=True)
class Effort:
    """What one instance took, its ffmpeg included; of memory and disk the worst moment, in bytes."""

    cpu: float = 0.0
    memory: int = 0
    disk: int = 0
    invocations: list[float] = field(default_factory=list)
    """Seconds of each."""
    interrupted: int = 0
    """How many ended with their message left for later."""
    lost: float = 0.0
    """Processor seconds of those."""


def work(  # noqa: PLR0913 - each is a fact of the run
    hands: Hands,
    disks: Sequence[Path],
    is_done: Callable[[], bool],
    *,
    plans_for: float,
    limit: int = 900,
    patience: float = 120,
) -> list[Effort]:
    """
    Have an instance on each disk take one message after the other, until all is done, once all are ready.

    It plans parts for invocations of `plans_for` seconds, and an invocation ends by `kill -9` at its limit.
    Several instances share the machine's processors, so that none counts on what another uses.
    """
    over = threading.Event()
    for disk in disks:
        disk.mkdir(parents=True, exist_ok=True)
    instances = [
        hands.start(seconds=limit, TMPDIR=str(disk), BEAGLE_INVOCATION_SECONDS=str(plans_for))
        for disk in disks
    ]
    for number, instance in enumerate(instances):
        own = sorted(os.sched_getaffinity(0))[number :: len(instances)]
        os.sched_setaffinity(instance.id, own or os.sched_getaffinity(0))
        instance.begin(NOTHING)
    for instance in instances:  # who starts first may have done all before the next one is there
        instance.answer()
    end = time.monotonic() + patience
    with ThreadPoolExecutor(len(disks)) as pool:
        tasks = [
            pool.submit(_work, hands, instance, disk, limit, over)
            for instance, disk in zip(instances, disks, strict=True)
        ]
        try:
            while not (is_done() or any(task.done() for task in tasks)):
                assert time.monotonic() < end, [instance.log for instance in instances]
                time.sleep(LOOK_SECONDS)
        finally:
            over.set()
        return [task.result() for task in tasks]


def _work(hands: Hands, instance: Instance, disk: Path, limit: int, over: threading.Event) -> Effort:
    effort, ended = Effort(), threading.Event()
    watcher = threading.Thread(target=_watch, args=(effort, instance, disk, ended))
    watcher.start()
    try:
        while not over.is_set():
            event = hands.take(1)
            if not event["Records"]:
                continue
            began = time.monotonic()
            instance.begin(event)
            answer = instance.answer(limit)
            hands.acknowledge(event, answer)
            before, effort.cpu = effort.cpu, processor_seconds(instance.id)
            effort.invocations.append(time.monotonic() - began)
            if answer["batchItemFailures"]:
                effort.interrupted += 1
                effort.lost += effort.cpu - before
    finally:
        ended.set()
        watcher.join()
        instance.wait()
    return effort


def _watch(effort: Effort, instance: Instance, disk: Path, ended: threading.Event) -> None:
    while not ended.wait(LOOK_SECONDS):
        effort.memory = max(effort.memory, tree_memory(instance.id))
        effort.disk = max(effort.disk, folder_size(disk))
