"""The only place that changes state: one small function per kind of entry. Folding a journal with it gives the state at any position."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final
from uuid import UUID

from weft_engine.core.entries import Entry, Row
from weft_engine.core.evolve.change import Change, moment
from weft_engine.core.evolve.executions import EXECUTION_CHANGES
from weft_engine.core.evolve.scopes import SCOPE_CHANGES
from weft_engine.core.evolve.signals import SIGNAL_CHANGES
from weft_engine.core.evolve.steps import STEP_CHANGES
from weft_engine.core.state import State

__all__ = ["CHANGES", "blank", "evolve", "fold", "moment"]

CHANGES: Final[dict[str, Change]] = {**EXECUTION_CHANGES, **STEP_CHANGES, **SCOPE_CHANGES, **SIGNAL_CHANGES}


def evolve(state: State, entry: Entry, at: datetime) -> None:
    """Apply an entry to a state, in place. Raises: IllegalMove when a lifecycle forbids it, KeyError for a kind not known here."""
    CHANGES[entry.kind](state, entry, at)
    state.position += 1


def fold(execution_id: UUID, rows: Iterable[Row]) -> State | None:
    """The state that a journal tells, None when it is empty. Rows come in the order of their positions."""
    state: State | None = None
    for row in rows:
        for entry in row.entries:
            if state is None:
                state = blank(execution_id, entry)
            evolve(state, entry, row.at)
    return state


def blank(execution_id: UUID, entry: Entry) -> State:
    """The state before an execution's first entry, which names its tenant and workflow."""
    return State(id=execution_id, tenant=entry.data["tenant"], workflow=entry.data["workflow"], version=entry.data.get("version", 0))
