"""What becomes of an event: moves only. received → matched → rejected, or received → unmatched."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from statemachine import StateMachine
from statemachine.states import States


class EventStatus(StrEnum):
    """Where an event stands.

    `received`: durable, not yet matched.  `matched`: it started something.  `unmatched`: no trigger wanted it.
    `rejected`: every start it led to was refused.
    """

    RECEIVED = "received"
    MATCHED = "matched"
    UNMATCHED = "unmatched"
    REJECTED = "rejected"


class EventMachine(StateMachine):
    """The legal moves."""

    s = States.from_enum(
        EventStatus, initial=EventStatus.RECEIVED, final=(EventStatus.UNMATCHED, EventStatus.REJECTED), use_enum_instance=True
    )
    match = s.RECEIVED.to(s.MATCHED)
    pass_over = s.RECEIVED.to(s.UNMATCHED)
    reject = s.MATCHED.to(s.REJECTED)


HARMLESS: Final = frozenset({(EventStatus.REJECTED, "reject")})
"""Moves that ask for what already is: the same refusal may be heard twice."""

# Read once: making a machine costs 200 µs, looking a move up 0.1 µs.
LEGAL: Final[dict[tuple[EventStatus, str], EventStatus]] = {
    (transition.source.value, transition.event): transition.target.value
    for state in EventMachine.states
    for transition in state.transitions
}
MOVES: Final = tuple(dict.fromkeys(move for _, move in LEGAL))
