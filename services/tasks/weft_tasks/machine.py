"""The lifecycle of a user task. Moves only, no IO."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from statemachine import StateMachine
from statemachine.states import States


class TaskStatus(StrEnum):
    """Where a task is. `expired`: its time ran out; `cancelled`: its execution went on without it."""

    OPEN = "open"
    CLAIMED = "claimed"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


LIVE: Final = (TaskStatus.OPEN, TaskStatus.CLAIMED)
ENDS: Final = (TaskStatus.COMPLETED, TaskStatus.CANCELLED, TaskStatus.EXPIRED)


class TaskMachine(StateMachine):
    """A task is open until somebody takes it, decides, or it is taken back. Of several decisions, each but the last leaves it open."""

    s = States.from_enum(TaskStatus, initial=TaskStatus.OPEN, final=list(ENDS), use_enum_instance=True)
    claim = s.OPEN.to(s.CLAIMED)
    release = s.CLAIMED.to(s.OPEN)
    reassign = s.OPEN.to.itself() | s.CLAIMED.to(s.OPEN)
    decide = s.OPEN.to.itself() | s.CLAIMED.to(s.OPEN)
    escalate = s.OPEN.to.itself() | s.CLAIMED.to(s.OPEN)
    complete = s.OPEN.to(s.COMPLETED) | s.CLAIMED.to(s.COMPLETED)
    delegate = s.OPEN.to.itself() | s.CLAIMED.to(s.OPEN)
    snooze = s.OPEN.to.itself() | s.CLAIMED.to.itself()
    cancel = s.OPEN.to(s.CANCELLED) | s.CLAIMED.to(s.CANCELLED)
    expire = s.OPEN.to(s.EXPIRED) | s.CLAIMED.to(s.EXPIRED)


MOVES: Final[dict[tuple[TaskStatus, str], TaskStatus]] = {
    (state.value, event.id): transition.target.value
    for state in TaskMachine.states
    for transition in state.transitions
    for event in transition.events
    if transition.target is not None
}
"""The machine as a table, read once: where each legal move leads."""

EVENTS: Final = tuple(dict.fromkeys(move for _, move in MOVES))
"""Every move there is."""

HARMLESS: Final = frozenset((status, move) for status in ENDS for move in ("cancel", "expire"))
"""Moves that change nothing and are no error: a decision and the taking back cross on their way, and whichever came first stands."""


def moves_from(status: TaskStatus) -> tuple[str, ...]:
    """The moves that are legal from a state, in the order of the machine."""
    return tuple(move for move in EVENTS if (status, move) in MOVES)
