"""The lifecycle: every pair of state and move is legal, harmless or refused, and nothing else."""

from __future__ import annotations

import pytest
from statemachine.exceptions import TransitionNotAllowed
from weft_definitions.machine import HARMLESS, LEGAL, MOVES, WorkflowMachine, WorkflowStatus, allowed

PAIRS = [(status, move) for status in WorkflowStatus for move in MOVES]
TABLE = {
    ("draft", "publish"): "active",
    ("draft", "archive"): "archived",
    ("active", "publish"): "active",
    ("active", "deactivate"): "inactive",
    ("active", "archive"): "archived",
    ("inactive", "publish"): "active",
    ("inactive", "activate"): "active",
    ("inactive", "archive"): "archived",
}


@pytest.mark.parametrize(("status", "move"), PAIRS)
def test_the_table_says_what_the_machine_does(status: WorkflowStatus, move: str) -> None:
    machine = WorkflowMachine(start_value=status)
    try:
        machine.send(move)
    except TransitionNotAllowed:
        assert (status, move) not in LEGAL
    else:
        assert {machine.current_state_value} == {LEGAL[status, move]}


@pytest.mark.parametrize(("status", "move"), PAIRS)
def test_each_pair_is_what_the_lifecycle_says(status: WorkflowStatus, move: str) -> None:
    legal, harmless = (status, move) in LEGAL, (status, move) in HARMLESS
    assert not (legal and harmless)
    assert (LEGAL[status, move].value if legal else None) == TABLE.get((status.value, move))


def test_nothing_leaves_the_archive_and_deleting_twice_is_harmless() -> None:
    assert allowed(WorkflowStatus.ARCHIVED) == []
    assert (WorkflowStatus.ARCHIVED, "archive") in HARMLESS
