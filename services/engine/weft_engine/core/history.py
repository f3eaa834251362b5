"""What a journal tells about steps: one record per visit, made by the same fold that makes the state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from weft_engine.core import entries as e
from weft_engine.core.evolve import Timed, unfold
from weft_engine.core.state import Place, Step


@dataclass(slots=True)
class Visit:
    """One visit of a node as it stood at the end.

    scope: key of the scope it stood in.  input: what its work was given, None for inline nodes.
    """

    node: str
    scope: str
    step: Step
    input: Any = None


def visits(execution_id: UUID, entries: Sequence[Timed]) -> list[Visit]:
    """Every visit in the order in which they began."""
    found: dict[Place, Visit] = {}
    for state, entry, _ in unfold(execution_id, entries):
        if entry.node is None or entry.kind == e.CHILD_CALLED:
            continue
        step = state.steps.get(entry.node)
        visit = found.get((entry.node, entry.visit))
        if visit is None:
            if step is None or step.visit != entry.visit:
                continue
            visit = found[entry.node, entry.visit] = Visit(entry.node, entry.scope, step)
        if entry.kind == e.STEP_SCHEDULED and entry.attempt == 1:
            visit.input = entry.data.get("input")
        elif entry.kind == e.STEP_WAITING:
            visit.input = entry.data.get("task", entry.data.get("input"))
    return list(found.values())
