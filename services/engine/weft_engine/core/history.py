"""What a journal tells about steps: one record per visit, made by the same fold that makes the state."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from weft_engine.core import entries as e
from weft_engine.core.entries import Row
from weft_engine.core.evolve import blank, evolve
from weft_engine.core.state import State, Step


@dataclass(slots=True)
class Visit:
    """One visit of a node as it stood at the end of the rows.

    scope: key of the scope it stood in.  input: what its work was given, None for inline nodes.
    """

    node: str
    scope: str
    step: Step
    input: Any = None


def visits(execution_id: UUID, rows: Iterable[Row]) -> list[Visit]:
    """Every visit in the order in which they began."""
    state: State | None = None
    found: dict[tuple[str, int], Visit] = {}
    for row in rows:
        for entry in row.entries:
            if state is None:
                state = blank(execution_id, entry)
            evolve(state, entry, row.at)
            step = state.steps.get(entry.node) if entry.node is not None else None
            if entry.node is None or step is None:
                continue
            visit = found.get((entry.node, entry.visit))
            if visit is None:
                if step.visit != entry.visit:
                    continue
                visit = found[entry.node, entry.visit] = Visit(entry.node, entry.scope, step)
            if entry.kind == e.STEP_SCHEDULED and entry.attempt == 1:
                visit.input = entry.data.get("input")
            elif entry.kind == e.STEP_WAITING:
                visit.input = entry.data.get("task", entry.data.get("input"))
    return list(found.values())
