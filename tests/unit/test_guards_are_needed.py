"""Each guard is held by a named test: take the guard away, and that test fails."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FAILED = 1
"""pytest's exit code for tests that ran and failed; others mean that they could not run."""


@dataclass(frozen=True)
class Guard:
    """What stands in the code, what it is replaced with, and the test that must then fail."""

    name: str
    file: str
    guard: str
    without: str
    test: str


REGISTER = "unit/pipeline/test_register.py"
WHOSE = "unit/pipeline/test_whose.py"
CRASHES = "unit/pipeline/test_crashes.py"
GUARDS = [
    Guard(
        "ledger: an intent is created, never written over another",
        "providers/state.py",
        'mode="create"',
        'mode="overwrite"',
        f"{REGISTER}::test_a_notification_delivered_twice_registers_once",
    ),
    Guard(
        "ledger: a registered entry ends its duplicates",
        "pipeline/claims.py",
        'return "announced_again" if newer or ready.replayed else "already_registered"',
        'return "post_again"',
        f"{REGISTER}::test_a_notification_delivered_twice_registers_once",
    ),
    Guard(
        "ledger: who wants another object's name is told",
        "pipeline/claims.py",
        'return "collision"',
        'return "post_again"',
        f"{REGISTER}::test_two_objects_of_one_name_are_never_confused",
    ),
    Guard(
        "key decoding: a plus is a space where S3 form-encodes",
        "providers/aws/notifications.py",
        '.replace("+", " ")',
        "",
        "unit/providers/test_notifications.py::test_a_key_survives_the_form_encoding_of_s3",
    ),
    Guard(
        "key decoding: percents are undone",
        "providers/wire.py",
        'return unquote(text, errors="strict")',
        "return text",
        "unit/providers/test_notifications.py::test_a_key_survives_the_form_encoding_of_s3",
    ),
    Guard(
        "unique within a request: two items of one name never go together",
        "pipeline/register.py",
        "now.setdefault(_likeness(work), work) is not work",
        "now.setdefault((_likeness(work), work.message.id), work) is not work",
        f"{REGISTER}::test_a_notification_delivered_twice_registers_once",
    ),
    Guard(
        "unique within a request: nor do two that Darwin may take for one",
        "pipeline/register.py",
        "now.setdefault(_likeness(work), work) is not work",
        "now.setdefault(work.ready.item.id, work) is not work",
        f"{WHOSE}::test_two_names_that_darwin_takes_for_one_are_one_item_and_one_letter",
    ),
    Guard(
        "artifact prefix: what we write is no upload",
        "domain/routing.py",
        "if is_artifact(key, artifact_prefix):",
        "if False:",
        "unit/domain/test_routing.py::test_our_own_files_are_never_uploads_whatever_a_route_watches",
    ),
    Guard(
        "write-backs: what Darwin writes is no upload",
        "domain/routing.py",
        "if is_write_back(key):",
        "if False:",
        "unit/domain/test_routing.py::test_our_own_files_are_never_uploads_whatever_a_route_watches",
    ),
    Guard(
        "ambiguity: a call remembers the answers that it lost",
        "registration/protocol.py",
        "after_ambiguity=after_ambiguity or reply.after_ambiguity",
        "after_ambiguity=after_ambiguity",
        f"{REGISTER}::test_an_answer_that_was_lost_after_the_commit_is_no_dead_letter",
    ),
    Guard(
        "ambiguity: a redelivery remembers that it may have posted before",
        "pipeline/claims.py",
        "attempts=entry.attempts + 1",
        "attempts=1",
        f"{REGISTER}::test_a_worker_killed_after_the_commit_leaves_an_intent_that_its_redelivery_resolves",
    ),
    Guard(
        "ambiguity: a released name remembers who may hold it",
        "pipeline/claims.py",
        "attempts = entry.attempts - (not in_doubt)",
        "attempts = 0",
        f"{REGISTER}::test_a_name_that_a_lost_answer_may_have_taken_is_not_given_to_another_object",
    ),
    Guard(
        "ambiguity: who is under way is left alone",
        "pipeline/claiming.py",
        "if is_in_flight(kept.entry, attempt)",
        "if False",
        f"{WHOSE}::test_a_duplicate_that_overtakes_its_twin_posts_nothing_and_proves_nothing",
    ),
    Guard(
        "ambiguity: what stood there before us is not ours",
        "pipeline/claims.py",
        "return entry.since - found.inserted_at > CLOCKS",
        "return False",
        f"{WHOSE}::test_an_item_that_stood_before_a_lost_answer_is_not_ours",
    ),
    Guard(
        "ledger: what an intent was written over stands again",
        "pipeline/claims.py",
        "return entry.previous or free",
        "return free",
        f"{WHOSE}::test_a_list_that_lags_takes_nobodys_name_and_nobodys_proof",
    ),
    Guard(
        "deleted items: what is announced anew is looked for",
        "pipeline/claiming.py",
        'elif kept.entry.state != "intent" and _is_gone(work, this):',
        "elif False:",
        f"{WHOSE}::test_an_object_whose_item_was_deleted_is_registered_when_it_is_uploaded_again",
    ),
    Guard(
        "conservation: books that do not add up do not close",
        "pipeline/account.py",
        "if len(outcomes) != self._announced.get(message_id):",
        "if False:",
        "unit/pipeline/test_account.py::test_an_object_that_was_lost_or_doubled_fails_the_batch",
    ),
    Guard(
        "bugs: one that a message shows holds up that message alone",
        "pipeline/bugs.py",
        "raise BugError(",
        "raise RuntimeError(",
        "unit/pipeline/test_prepare.py::test_a_bug_that_one_message_shows_holds_up_that_message_alone",
    ),
    Guard(
        "crashes: an attempt is written down before it begins",
        "pipeline/crashes.py",
        "self._write([(m.name, Trace(traces[m.id].unended + 1, m.attempts)) for m in watched])",
        "",
        f"{CRASHES}::test_two_that_kill_are_two_dead_letters_and_nobody_else_is",
    ),
    Guard(
        "crashes: who may have killed is worked on alone",
        "pipeline/crashes.py",
        "SUSPECT = 2",
        "SUSPECT = 5",
        f"{CRASHES}::test_two_that_kill_are_two_dead_letters_and_nobody_else_is",
    ),
    Guard(
        "crashes: an attempt that ended is no crash",
        "pipeline/crashes.py",
        "        self._write(ended)\n        return report",
        "        return report",
        f"{CRASHES}::test_an_outage_of_a_day_makes_no_crash_loops_and_costs_little",
    ),
    Guard(
        "letters: one always fits into its queue",
        "messages.py",
        "if len(body) <= most_bytes:\n            break",
        "break",
        "unit/test_messages.py::test_a_letter_always_fits_into_its_queue_and_is_replayed_or_says_that_it_was_cut",
    ),
    Guard(
        "groups: each is itself, whatever name its item wants",
        "providers/state.py",
        'derive_state_key("groups", group, ',
        'derive_state_key("groups", ',
        "unit/pipeline/test_groups.py::test_groups_that_want_one_name_are_never_mixed",
    ),
]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy the package, and the tests that hold it, to a place where they may be broken."""
    place = tmp_path_factory.mktemp("guards")
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc", ".hypothesis")
    shutil.copy(ROOT / "pyproject.toml", place)
    shutil.copytree(ROOT / "shared" / "beagle", place / "shared" / "beagle", ignore=ignored)
    (place / "tests").mkdir()
    shutil.copy(ROOT / "tests" / "conftest.py", place / "tests")
    for folder in ("support", "unit", "recordings"):
        shutil.copytree(ROOT / "tests" / folder, place / "tests" / folder, ignore=ignored)
    return place


def run(copy: Path, tests: list[str]) -> subprocess.CompletedProcess[str]:
    """Run tests of the copy against the package of the copy."""
    return subprocess.run(
        [sys.executable, "-B", "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests],
        cwd=copy / "tests",
        env={"PYTHONPATH": str(copy / "shared"), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_named_tests_pass_as_long_as_nothing_is_taken_away(copy: Path) -> None:
    """Otherwise their failing would prove nothing."""
    result = run(copy, sorted({guard.test for guard in GUARDS}))

    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_a_test_fails_when_its_guard_is_taken_away(guard: Guard, copy: Path) -> None:
    """The guard stands once in the code, and without it the named test runs and fails."""
    file = copy / "shared" / "beagle" / guard.file
    whole = file.read_text(encoding="utf-8")

    assert whole.count(guard.guard) == 1
    file.write_text(whole.replace(guard.guard, guard.without), encoding="utf-8")
    try:
        result = run(copy, [guard.test])
    finally:
        file.write_text(whole, encoding="utf-8")
    assert result.returncode == FAILED, result.stdout
    assert "1 failed" in result.stdout
