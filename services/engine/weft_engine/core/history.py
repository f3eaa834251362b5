"""What a journal tells about steps: one record per visit, made by the same fold that makes the state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from weft_engine.core import entries as e
from weft_engine.core.entries import Entry
from weft_engine.core.evolve import Timed, unfold
from weft_engine.core.evolve.renaming import reindexed, renamer
from weft_engine.core.state import Place, State, Step
from weft_engine.machine import StepStatus


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
    """Every visit in the order in which they began, each called as its node is called now."""
    found: list[Visit] = []
    known: dict[Place, Visit] = {}
    before: dict[Place, Visit] = {}
    said: dict[Place, Any] = {}  # events, and children nobody waits for: told before the visit itself
    for state, entry, _ in unfold(execution_id, entries):
        if entry.kind == e.MIGRATED:
            before, known = known, _called(reindexed(known, entry), entry)
        elif entry.kind == e.MIGRATION_UNDONE:
            known = before
            _follow(known, state)
        elif entry.kind == e.RETRIED:
            _follow({place: visit for place, visit in known.items() if place in state.pending}, state)
        if entry.node is None:
            continue
        if entry.kind == e.CHILD_CALLED:
            said[entry.node, entry.visit] = entry.data.get("input")
            continue
        if entry.kind == e.EVENT_PUBLISHED:
            said[entry.node, entry.visit] = {name: entry.data[name] for name in ("type", "subject", "data") if name in entry.data}
        step = state.steps.get(entry.node)
        visit = known.get((entry.node, entry.visit))
        if visit is None:
            if step is None or step.visit != entry.visit:
                continue
            visit = known[entry.node, entry.visit] = Visit(entry.node, entry.scope, step, said.get((entry.node, entry.visit)))
            found.append(visit)
        _tell(visit, entry)
    return found


def _tell(visit: Visit, entry: Entry) -> None:
    """What an entry tells of a visit beside what the state knows of it: what its work was given, and that it was undone."""
    if entry.kind == e.STEP_SCHEDULED and entry.attempt == 1:
        visit.input = entry.data.get("input")
    elif entry.kind == e.STEP_COMPENSATED and "error" not in entry.data and visit.step.status == StepStatus.COMPLETED:
        visit.step.status = StepStatus.COMPENSATED  # of a node's visits the state knows the newest
    elif entry.kind == e.SCOPE_ENTERED and "items" in entry.data:
        visit.input = {"items": entry.data["items"]}
    elif entry.kind == e.STEP_WAITING:
        visit.input = entry.data.get("task", entry.data.get("input"))


def _called(known: dict[Place, Visit], entry: Entry) -> dict[Place, Visit]:
    rename = renamer(entry)
    for (node, _), visit in known.items():
        visit.node, visit.scope = node, rename.key(visit.scope)
    return known


def _follow(known: Mapping[Place, Visit], state: State) -> None:
    """A rewind has made new records of visits: follow those, by the names they have there."""
    for (node, number), visit in known.items():
        pending = state.pending.get((node, number))
        steps = state.steps if pending is None else state.steps_in(pending.scope)
        step = steps.get(node)
        visit.node = node
        if step is not None and step.visit == number:
            visit.step = step
        if pending is not None:
            visit.scope = pending.scope
