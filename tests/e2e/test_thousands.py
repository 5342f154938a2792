"""Hundreds of objects at once, with faults and kills: each stands once, and the books balance."""

from e2e.archive import Deploy
from e2e.thousands import STORM, run

OBJECTS = 300


def test_each_object_stands_once_whatever_fails(deployed: Deploy) -> None:
    """
    Every event comes twice, Darwin fails in ten ways, all processes are killed.

    Received = registered + already registered + superseded + ignored + dead-lettered + still queued: for each
    object, counted from what invocations that were answered have logged. Only what Darwin blocks is a dead
    letter. Twelve minutes of a killed instance's messages are twenty seconds here.
    """
    ran = run(deployed, OBJECTS, faults=len(STORM), kills=1, hidden=20, seconds=120, items_per_request=10)

    assert not ran.breaches()
    assert not any(ran.queued.values())
    assert ran.faults.keys() == STORM.keys()
    assert all(ran.kills[function] and ran.interrupted[function] for function in ("prepare", "register"))
    assert ran.endings.keys() == {
        "registered",
        "already_registered",
        "superseded",
        "ignored",
        "dead_lettered",
    }
    assert ran.redelivered
