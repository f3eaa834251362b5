"""The tables that the engine reads at import are the lifecycles' classes, move for move."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from statemachine import StateMachine
from statemachine.exceptions import TransitionNotAllowed
from weft_contracts.executions import ALLOWED_ACTIONS
from weft_engine.machine import (
    EXECUTION_ENDS,
    EXECUTION_MOVES,
    STEP_MOVES,
    ExecutionMachine,
    ExecutionStatus,
    IllegalMove,
    StepMachine,
    StepStatus,
    allowed_actions,
    move_execution,
    move_step,
    table_of,
)

EXECUTION_VERBS = sorted({move for _, move in EXECUTION_MOVES})
STEP_VERBS = sorted({move for _, move in STEP_MOVES})


def machine_at(kind: type[StateMachine], status: str) -> StateMachine:
    machine = kind()
    machine.current_state_value = next(state.value for state in kind.states if str(state.value) == status)
    return machine


@given(st.sampled_from(list(ExecutionStatus)), st.sampled_from(EXECUTION_VERBS))
def test_an_execution_moves_exactly_as_its_machine_does(status: ExecutionStatus, verb: str) -> None:
    machine = machine_at(ExecutionMachine, status)
    try:
        machine.send(verb)
    except TransitionNotAllowed:
        with pytest.raises(IllegalMove):
            move_execution(status, verb)
    else:
        assert move_execution(status, verb) == str(machine.current_state_value)


@given(st.sampled_from(list(StepStatus)), st.sampled_from(STEP_VERBS))
def test_a_step_moves_exactly_as_its_machine_does(status: StepStatus, verb: str) -> None:
    machine = machine_at(StepMachine, status)
    try:
        machine.send(verb)
    except TransitionNotAllowed:
        with pytest.raises(IllegalMove):
            move_step(status, verb)
    else:
        assert move_step(status, verb) == str(machine.current_state_value)


def test_only_a_retry_leaves_an_end_and_only_a_bad_one() -> None:
    assert {(status, move) for status, move in EXECUTION_MOVES if status in EXECUTION_ENDS} == {
        (status, move) for status in ("failed", "timed_out") for move in ("retry", "queue_retry")
    }


def test_every_status_can_be_reached() -> None:
    assert set(EXECUTION_MOVES.values()) | {ExecutionStatus.QUEUED} == set(ExecutionStatus)
    assert set(STEP_MOVES.values()) | {StepStatus.SCHEDULED} == set(StepStatus)


def test_the_tables_are_read_from_the_classes() -> None:
    assert (table_of(ExecutionMachine), table_of(StepMachine)) == (EXECUTION_MOVES, STEP_MOVES)


OFFERED = [
    ("queued", ["cancel", "pause"]),
    ("running", ["cancel", "pause"]),
    ("waiting", ["cancel", "pause"]),
    ("paused", ["cancel", "resume"]),
    ("completed", []),
    ("failed", ["retry"]),
]


@pytest.mark.parametrize(("status", "actions"), OFFERED)
def test_only_what_can_still_happen_is_offered(status: str, actions: list[str]) -> None:
    assert allowed_actions(status) == actions


def test_others_who_show_executions_offer_the_same() -> None:
    assert {status.value: tuple(allowed_actions(status)) for status in ExecutionStatus} == ALLOWED_ACTIONS
