"""What the pipeline asks of the world. Small, public, and documented by what callers may rely on.

Implementations raise nothing but `BeagleError`s for trouble they expect; anything else is a bug and
propagates.
"""

from beagle.ports.artifacts import (
    ArtifactMaker,
    ArtifactSink,
    ObjectReader,
    PartResults,
    Split,
    StillMaker,
)
from beagle.ports.attempts import Attempts, Trace
from beagle.ports.clock import Clock, Deadline
from beagle.ports.darwin import Destination, Registrar
from beagle.ports.journal import Journal
from beagle.ports.ledger import GroupMembers, Kept, Ledger, LedgerEntry
from beagle.ports.queues import (
    DeadLetters,
    KeptLetter,
    LetterBox,
    Outbox,
    Parcels,
    Parse,
    Received,
    Report,
    Stage,
)

__all__ = [
    "ArtifactMaker",
    "ArtifactSink",
    "Attempts",
    "Clock",
    "DeadLetters",
    "Deadline",
    "Destination",
    "GroupMembers",
    "Journal",
    "Kept",
    "KeptLetter",
    "Ledger",
    "LedgerEntry",
    "LetterBox",
    "ObjectReader",
    "Outbox",
    "Parcels",
    "Parse",
    "PartResults",
    "Received",
    "Registrar",
    "Report",
    "Split",
    "Stage",
    "StillMaker",
    "Trace",
]
