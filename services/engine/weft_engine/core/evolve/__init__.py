"""The only place that changes state: one small function per kind of entry. Folding a journal with it gives the state at any position."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from weft_engine.core.entries import REWINDS, Entry, Row
from weft_engine.core.evolve.change import Change, moment
from weft_engine.core.evolve.executions import EXECUTION_CHANGES
from weft_engine.core.evolve.migrations import MIGRATION_CHANGES
from weft_engine.core.evolve.rewinds import REWIND_CHANGES, carry_over
from weft_engine.core.evolve.scopes import SCOPE_CHANGES
from weft_engine.core.evolve.signals import SIGNAL_CHANGES
from weft_engine.core.evolve.steps import STEP_CHANGES
from weft_engine.core.seeing import SEEN
from weft_engine.core.state import State

__all__ = ["CHANGES", "Timed", "blank", "evolve", "flat", "fold", "moment", "rewound", "unfold"]

CHANGES: Final[dict[str, Change]] = {
    **EXECUTION_CHANGES,
    **STEP_CHANGES,
    **SCOPE_CHANGES,
    **SIGNAL_CHANGES,
    **REWIND_CHANGES,
    **MIGRATION_CHANGES,
}

Timed = tuple[Entry, datetime]
"""An entry with the time of its transition."""


def evolve(state: State, entry: Entry, at: datetime) -> None:
    """Apply an entry to a state, in place. Raises: IllegalMove when a lifecycle forbids it, KeyError for a kind not known here."""
    CHANGES[entry.kind](state, entry, at)
    state.position += 1
    if SEEN in entry.data:
        state.tenant_seen = entry.data[SEEN]
    if entry.claims:
        state.large = True


def fold(execution_id: UUID, rows: Iterable[Row]) -> State | None:
    """The state that a journal tells, None when it is empty. Rows come in the order of their positions."""
    state: State | None = None
    for state, _, _ in unfold(execution_id, flat(rows)):  # noqa: B007
        pass
    return state


def flat(rows: Iterable[Row]) -> list[Timed]:
    """The entries of a journal one by one; the place of each is its position."""
    return [(entry, row.at) for row in rows for entry in row.entries]


def unfold(execution_id: UUID, entries: Sequence[Timed]) -> Iterator[tuple[State, Entry, datetime]]:
    """After each entry the state, the entry and its time. The state is one object, changed in place, until a rewind makes a new one.

    What a rewind goes back to is put aside on the way: to fold it anew each time would double the work with every rewind.
    """
    state: State | None = None
    awaited = {entry.data["to"] for entry, _ in entries if entry.kind in REWINDS}
    aside: dict[int, State] = {}
    for position, (entry, at) in enumerate(entries):
        if state is None:
            state = blank(execution_id, entry)
        elif position in awaited:
            aside[position] = state.draft()
        if entry.kind in REWINDS:
            state = _back(state, aside[entry.data["to"]].draft(), entries[:position], entry)
        evolve(state, entry, at)
        yield state, entry, at


def rewound(state: State, entries: Sequence[Timed], entry: Entry) -> State:
    """The state that a rewind begins with: that at `data.to`, with what must not be forgotten of the time since.

    state: after all `entries`, which are those before the rewind.
    """
    back = state
    for back, _, _ in unfold(state.id, entries[: entry.data["to"]]):  # noqa: B007
        pass
    return _back(state, back, entries, entry)


def _back(state: State, back: State, entries: Sequence[Timed], entry: Entry) -> State:
    carry_over(state, back, entries, entry)
    return back


def blank(execution_id: UUID, entry: Entry) -> State:
    """The state before an execution's first entry, which names its tenant and workflow."""
    return State(id=execution_id, tenant=entry.data["tenant"], workflow=entry.data["workflow"], version=entry.data.get("version", 0))
