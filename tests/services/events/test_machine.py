"""What becomes of an event: every pair of state and move is legal, harmless or refused, and nothing else."""

from __future__ import annotations

import pytest
from statemachine.exceptions import TransitionNotAllowed
from weft_events.machine import HARMLESS, LEGAL, MOVES, EventMachine, EventStatus

PAIRS = [(status, move) for status in EventStatus for move in MOVES]
TABLE = {("received", "match"): "matched", ("received", "pass_over"): "unmatched", ("matched", "reject"): "rejected"}


@pytest.mark.parametrize(("status", "move"), PAIRS)
def test_the_table_says_what_the_machine_does(status: EventStatus, move: str) -> None:
    machine = EventMachine(start_value=status)
    try:
        machine.send(move)
    except TransitionNotAllowed:
        assert (status, move) not in LEGAL
    else:
        assert machine.current_state_value == LEGAL[status, move]


@pytest.mark.parametrize(("status", "move"), PAIRS)
def test_each_pair_is_what_the_lifecycle_says(status: EventStatus, move: str) -> None:
    legal = (status, move) in LEGAL
    assert not (legal and (status, move) in HARMLESS)
    assert (LEGAL[status, move].value if legal else None) == TABLE.get((status.value, move))
