"""The lifecycle of a task: every state and every move."""

import pytest
from statemachine.exceptions import TransitionNotAllowed
from weft_tasks.machine import ENDS, EVENTS, HARMLESS, LIVE, MOVES, TaskMachine, TaskStatus, moves_from

MATRIX = [(status, move) for status in TaskStatus for move in EVENTS]


@pytest.mark.parametrize(("status", "move"), MATRIX)
def test_every_move_is_legal_harmless_or_refused_and_table_and_machine_agree(status: TaskStatus, move: str) -> None:
    machine = TaskMachine(start_value=status)
    if (status, move) in MOVES:
        assert (status, move) not in HARMLESS
        machine.send(move)
        assert machine.current_state_value == MOVES[status, move]
    else:
        with pytest.raises(TransitionNotAllowed):
            machine.send(move)


def test_what_is_harmless_is_only_the_taking_back_of_what_is_over() -> None:
    assert {status for status, _ in HARMLESS} == set(ENDS)
    assert {move for _, move in HARMLESS} == {"cancel", "expire"}


def test_nothing_leads_out_of_an_end_and_every_live_state_can_end() -> None:
    assert all(moves_from(status) == () for status in ENDS)
    assert all({"complete", "cancel", "expire"} <= set(moves_from(status)) for status in LIVE)
