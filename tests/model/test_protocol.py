"""The protocol of ownership, journal and outbox, searched state by state; docs/protocol-model.md tells what the model says.

A right protocol passes a search of every state. With one guard taken out, the search must find a run in which the promise
that the guard keeps is broken: a model that misses it would prove nothing.
"""

from pathlib import Path

import pytest

from tests.model.toolchain import Checker

MODEL = Path(__file__).with_name("protocol.pml")
ONE_PARTITION = {"PARTITIONS": 1, "ATTEMPTS": 2}
SHARED = {**ONE_PARTITION, "SHARES": 1}
TWO_PARTITIONS = {"PARTITIONS": 2, "ATTEMPTS": 1}
BUGS = [
    ("NO_EPOCH_CHECK", "ZOMBIE"),
    ("CHECK_THEN_WRITE", "APPLIED"),
    ("ACK_BEFORE_COMMIT", "LOST"),
    ("PUBLISH_BEFORE_COMMIT", "PHANTOM"),
    ("PUBLISHED_BEFORE_CONFIRM", "LOST"),
    ("NOT_SAID_AGAIN", "LOST"),
    ("MEMORY_AFTER_DOUBT", "ORDER"),
    ("MEMORY_AFTER_DOUBT", "APPLIED"),
    ("TRUTH_UNDER_OLD_EPOCH", "APPLIED"),
    ("NO_DEDUPE", "ONE_EFFECT"),
    ("NO_STATUS_GUARD", "APPLIED"),
    ("NO_ATTEMPT_GUARD", "FORMER"),
    ("LEASE_WITHOUT_EPOCH", "APPLIED"),
    ("FRESH_IDS", "ONE_ID"),
    ("FRESH_IDS", "ONE_EFFECT"),
    ("IDLE_ACK_UNFENCED", "LOST"),
    ("WORKER_ACKS_FIRST", "LOST"),
    ("ONE_EPOCH_IS_ENOUGH", "ZOMBIE"),
    ("STALE_BELIEF", "LOST"),
]


@pytest.mark.parametrize("work", [ONE_PARTITION, SHARED, TWO_PARTITIONS], ids=["one_partition", "shares", "two_partitions"])
def test_no_two_faults_anywhere_break_a_promise(checker: Checker, tmp_path: Path, work: dict[str, int]) -> None:
    found = checker.search(MODEL, tmp_path, {**work, "FAULTS": 2}, thorough=True)

    assert (found.errors, found.property) == (0, ""), found.output
    assert found.complete, found.output
    assert found.states > 500_000, "so few states are not the whole protocol"


@pytest.mark.parametrize("work", [ONE_PARTITION, TWO_PARTITIONS], ids=["one_partition", "two_partitions"])
def test_every_run_comes_to_an_end(checker: Checker, tmp_path: Path, work: dict[str, int]) -> None:
    found = checker.search(MODEL, tmp_path, {**work, "FAULTS": 1}, cycles=True)

    assert (found.errors, found.complete) == (0, True), found.output


@pytest.mark.parametrize(("bug", "promise"), BUGS, ids=[f"{bug}-{promise}" for bug, promise in BUGS])
def test_a_guard_taken_out_breaks_its_promise(checker: Checker, tmp_path: Path, bug: str, promise: str) -> None:
    work = {"ONE_EPOCH_IS_ENOUGH": TWO_PARTITIONS, "STALE_BELIEF": SHARED}.get(bug, ONE_PARTITION)
    found = checker.search(MODEL, tmp_path, {**work, "FAULTS": 2, "BUG": bug, "ONLY": promise})

    assert found.errors == 1, f"{bug} went unnoticed: {found.output}"
    assert found.property, found.output
    assert (tmp_path / "protocol.pml.trail").exists()
