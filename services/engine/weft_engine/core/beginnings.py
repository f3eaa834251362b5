"""Where a retry goes back to: to before the failure of a node or its beginning, to before the end, to before what was undone since."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from weft_engine.core import entries as e
from weft_engine.core.entries import REWINDS
from weft_engine.core.evolve import Timed
from weft_engine.core.evolve.renaming import followed
from weft_engine.core.state import Place, State
from weft_engine.core.turn import Entering

_TAKEN_BACK: Final = frozenset({e.STEP_CANCELLED, e.STEP_FAILED, e.SCOPE_FAILED})


@dataclass(frozen=True, slots=True)
class Beginning:
    """Where to go on from. to: the position to go back to.  target: the node to enter there; None where all stood as it has to go on."""

    to: int
    target: Entering | None


@dataclass(frozen=True, slots=True)
class Undone:
    """Nodes that had completed before the place one would go back to, and have been undone since, oldest first."""

    nodes: tuple[str, ...]


@dataclass(slots=True)
class _Visit:
    """What the journal tells of a visit, by position: its first entry, its completion, its undoing.

    node, scope: as they were called when it began.  failed: where it failed, unless it had scopes of its own.
    undone_by: the visit of a `compensate` that undid it, None where the execution's failure did.
    """

    first: int
    node: str
    scope: str
    owner: bool
    failed: int | None = None
    completed: int | None = None
    undone: int | None = None
    undone_by: _Visit | None = None


def beginning(entries: Sequence[Timed], state: State, node: str | None) -> Beginning | Undone | None:
    """Where to go back to, for the newest visit of `node`, else of the node the error began at, else for the end.

    entries: the whole journal.  state: after it. A visit that failed is gone back behind its failure only, so that everything beside it
    stands where it stood then; else behind its beginning. Where nodes that had completed by then have been undone since, and no node is
    named, it is behind the beginning of the oldest of those: what follows builds on what they did. A `compensate` that failed is entered
    again, and goes on with what it had not undone.
    Returns: None for a node that was never entered, `Undone` for a node after which too much was undone.
    """
    visits, called = _visits(entries)
    wanted = node if node is not None else (state.error or {}).get("node")
    visit = _newest(called, state, wanted) if wanted is not None else None
    if visit is not None:
        found = Beginning(visit.first if visit.failed is None else visit.failed, Entering(visit.node, visit.scope))
    elif node is not None:
        return None
    else:
        found = Beginning(_before_the_end(entries), None)
    undone = [one for one in visits if _undone_since(one, found.to) and (visit is None or one.undone_by is not visit)]
    if not undone:
        return found
    if node is not None:
        return Undone(tuple(dict.fromkeys(one.node for one in undone)))
    oldest = undone[0]
    return Beginning(oldest.first, Entering(oldest.node, oldest.scope))


def _undone_since(visit: _Visit, to: int) -> bool:
    return visit.undone is not None and visit.completed is not None and visit.completed < to <= visit.undone


def _visits(entries: Sequence[Timed]) -> tuple[list[_Visit], dict[Place, _Visit]]:
    """Every visit in the order in which they began, and those that are known, by what they are called at the end."""
    found: list[_Visit] = []
    known: dict[Place, _Visit] = {}
    before: dict[Place, _Visit] = {}
    for position, (entry, _) in enumerate(entries):
        known, before = followed(known, before, entry)
        if entry.node is None:
            continue
        place = (entry.node, entry.visit)
        visit = known.get(place)
        if visit is None:
            visit = known[place] = _Visit(position, entry.node, entry.scope, owner=entry.kind == e.SCOPE_ENTERED)
            found.append(visit)
        visit.owner = visit.owner or entry.kind == e.SCOPE_ENTERED
        if entry.kind == e.STEP_FAILED and not visit.owner:
            visit.failed = position
        elif entry.kind == e.STEP_COMPLETED:
            visit.completed = position
        elif entry.kind == e.STEP_COMPENSATED and "error" not in entry.data:
            visit.undone, visit.undone_by = position, known.get(tuple(entry.data["by"]))
    return found, known


def _newest(called: dict[Place, _Visit], state: State, node: str) -> _Visit | None:
    """The newest visit of a node by its name of now, else by the name it had before a migration; of those the state knows."""
    present = [(now, visit) for (now, number), visit in called.items() if now in state.steps and state.steps[now].visit == number]
    by_now = (visit for now, visit in present if now == node)
    return next(by_now, None) or next((visit for _, visit in present if visit.node == node), None)


def _before_the_end(entries: Sequence[Timed]) -> int:
    """The position before the transition that ended it took back what was waited for; where that undid first, before it did."""
    end = max(position for position, (entry, _) in enumerate(entries) if entry.kind in e.ENDS)
    for position in range(end - 1, -1, -1):
        kind = entries[position][0].kind
        if kind == e.COMPENSATING:
            end = position
        if kind == e.COMPENSATING or kind in REWINDS:
            break
    while entries[end - 1][1] == entries[end][1] and entries[end - 1][0].kind in _TAKEN_BACK:
        end -= 1
    return end
