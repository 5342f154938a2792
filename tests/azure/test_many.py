"""Hundreds of objects at once on Azure, with faults: each stands once, and the books balance."""

from pathlib import Path

from e2e.books import FINAL
from support.azure.azurite import Azurite
from support.azure.key_vault import KeyVault
from support.azure.thousands import run

OBJECTS = 300
AWS_REQUESTS = 10
"""That AWS takes for a thousand objects, a hundred a request."""


def test_each_object_stands_once_whatever_fails(azurite: Azurite, vault: KeyVault, tmp_path: Path) -> None:
    """
    Two instances of register, and every event twice, in each of Event Grid's schemas.

    Darwin says 429 and 5xx and resets, before and after the commit; the state's container fails now and then;
    an instance is killed midway. Nothing is a dead letter. Every announcement has an outcome; what a killed
    process had not deleted from its queue has it once more.
    """
    ran = run(azurite, vault, tmp_path / "many", OBJECTS, faults=True)

    assert ran.items == {f"many-uploads/many/{number:06d}.png": 1 for number in range(OBJECTS)}
    assert ran.letters == 0
    assert ran.killed
    assert ran.books.count("prepare")["passed_on"] == ran.announced
    ended = [ran.books.of_key(f"many/{number:06d}.png", "register") for number in range(OBJECTS)]
    assert all(len(endings) >= 2 for endings in ended)
    assert {ending for endings in ended for ending in endings} <= {"registered", "already_registered"}
    register = ran.books.count("register")
    assert sum(register[ending] for ending in FINAL) >= ran.announced


def test_undisturbed_requests_fill_up(azurite: Azurite, vault: KeyVault, tmp_path: Path) -> None:
    """
    Delivered one by one, items are registered in at most twice as many requests as in SQS's batches.

    All of them wait, and a request waits for more than a busy machine takes to bring them.
    """
    ran = run(azurite, vault, tmp_path / "calm", OBJECTS, faults=False, gather=5, name="calm")

    assert ran.items == {f"calm-uploads/many/{number:06d}.png": 1 for number in range(OBJECTS)}
    assert ran.books.count("register") == {"registered": OBJECTS}
    assert ran.letters == 0
    assert ran.requests <= 2 * AWS_REQUESTS * OBJECTS / 1000
