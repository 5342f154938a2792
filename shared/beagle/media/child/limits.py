"""What a child may use."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildLimits:
    """Bounds of a process that decodes; they hold for the process, whatever the file says."""

    memory: int = 768 * 1024 * 1024
    """Bytes of address space, libraries included."""
    seconds: float = 60.0
    """How long one object may be worked on, reading and writing it not counted; as CPU time, twice that."""
    jobs: int = 500
    """After so many objects the process is renewed."""
