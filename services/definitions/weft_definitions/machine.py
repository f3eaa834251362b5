"""The lifecycle of a workflow: moves only. draft → active ⇄ inactive → archived."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from statemachine import StateMachine
from statemachine.states import States


class WorkflowStatus(StrEnum):
    """Where a workflow stands.

    `draft`: never published.  `inactive`: published, starts nothing.  `archived`: deleted, kept for its history.
    """

    DRAFT = "draft"
    ACTIVE = "active"
    INACTIVE = "inactive"
    ARCHIVED = "archived"


class WorkflowMachine(StateMachine):
    """The legal moves. Publishing makes a workflow active from wherever it stands, as long as it is not archived."""

    s = States.from_enum(WorkflowStatus, initial=WorkflowStatus.DRAFT, final=WorkflowStatus.ARCHIVED, use_enum_instance=True)
    publish = s.DRAFT.to(s.ACTIVE) | s.ACTIVE.to.itself() | s.INACTIVE.to(s.ACTIVE)
    deactivate = s.ACTIVE.to(s.INACTIVE)
    activate = s.INACTIVE.to(s.ACTIVE)
    archive = s.DRAFT.to(s.ARCHIVED) | s.ACTIVE.to(s.ARCHIVED) | s.INACTIVE.to(s.ARCHIVED)


HARMLESS: Final = frozenset(
    {
        (WorkflowStatus.ACTIVE, "activate"),
        (WorkflowStatus.INACTIVE, "deactivate"),
        (WorkflowStatus.ARCHIVED, "archive"),
    }
)
"""Moves that ask for what already is: they change nothing and are answered as done."""

# Read once: making a machine costs 200 µs, looking a move up 0.1 µs.
LEGAL: Final[dict[tuple[WorkflowStatus, str], WorkflowStatus]] = {
    (transition.source.value, transition.event): transition.target.value
    for state in WorkflowMachine.states
    for transition in state.transitions
}

MOVES: Final = tuple(dict.fromkeys(move for _, move in LEGAL))


def allowed(status: WorkflowStatus) -> list[str]:
    """The moves that would change a workflow in this status, in the order of the lifecycle."""
    return [move for move in MOVES if (status, move) in LEGAL]
