"""Which choices of a long way are explained: all of an ordinary execution, of another the first and the newest of each node.

To evaluate a condition once more costs, and how often an execution chose is bounded by its journal alone: more often than anybody reads.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from weft_language.compilation import IfWork, LoopWork, Node, Program, SwitchWork
from weft_language.expressions import Expression

from weft_engine.core import entries as e
from weft_engine.core.entries import Entry
from weft_engine.core.evolve import Timed
from weft_engine.core.state import scope_key

CHOICES: Final = 1_000
"""What is explained of one execution, counted in choices by short conditions; one by long ones counts for more."""
CHARS: Final = 256
"""Length of the conditions of a choice that counts as one."""
DECIDING: Final = frozenset({e.STEP_COMPLETED, e.STEP_FAILED, e.SCOPE_COMPLETED, e.SCOPE_ENTERED, e.SIGNAL_REFUSED})
"""Entries at which conditions may have been read."""


@dataclass(frozen=True, slots=True)
class Only:
    """What is asked for. node: choices of it alone.  scope: choices in it alone, by its key. None is any."""

    node: str | None = None
    scope: str | None = None

    def takes(self, entry: Entry) -> bool:
        """Whether an entry is among it: by the scope it stands in, or that it ended."""
        if self.node is not None and entry.node != self.node:
            return False
        return self.scope is None or self.scope in (entry.scope, _ended_by(entry))


ANY: Final = Only()


@dataclass(slots=True)
class LeftOut:
    """Visits of a node whose choices are not explained; the rounds of a loop count as such. outcomes: how many by what they came to."""

    node: str
    visits: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Selected:
    """positions: of the entries to explain.  left_out: the others, by node."""

    positions: frozenset[int]
    left_out: list[LeftOut]


def selected(entries: Sequence[Timed], programs: Iterable[Program], only: Only) -> Selected:
    """What of a journal is explained. programs: the versions that it ran."""
    weights = _weights(programs)
    places: dict[str, list[int]] = {}
    for position, (entry, _) in enumerate(entries):
        if entry.kind in DECIDING and entry.node is not None and entry.node in weights and "again" not in entry.data and only.takes(entry):
            places.setdefault(entry.node, []).append(position)
    most = max(map(len, places.values()), default=0)

    def cost(each: int) -> int:
        return sum(min(len(found), each) * weights[node] for node, found in places.items())

    each = max(1, bisect_right(range(1, most + 1), CHOICES, key=cost))
    chosen: set[int] = set()
    left_out: list[LeftOut] = []
    for node, found in places.items():
        first = 0 if len(found) <= each else each // 4
        chosen.update(found[:first])
        chosen.update(found[first - each :] if len(found) > each else found)
        if len(found) > each:
            left_out.append(_left_out(node, [entries[position][0] for position in found[first : first - each]]))
    return Selected(frozenset(chosen), left_out)


def _left_out(node: str, entries: Sequence[Entry]) -> LeftOut:
    told = LeftOut(node, len(entries))
    for entry in entries:
        if entry.kind in (e.STEP_COMPLETED, e.STEP_FAILED):
            told.outcomes[outcome_of(entry)] += 1
    return told


def outcome_of(entry: Entry) -> str:
    """What a visit came to, by the entry that ended it."""
    return str(entry.data.get("outcome", "done" if entry.kind == e.STEP_COMPLETED else "error"))


def _ended_by(entry: Entry) -> str | None:
    label = entry.data.get("label")
    return None if label is None or entry.node is None else scope_key(entry.node, entry.visit, label)


def _weights(programs: Iterable[Program]) -> Mapping[str, int]:
    """What a choice of each node counts for that has conditions in some version."""
    chars: dict[str, int] = {}
    for program in programs:
        for node in program.nodes.values():
            if conditions := list(_conditions(node)):
                chars[node.id] = max(chars.get(node.id, 0), sum(len(condition.text) for condition in conditions))
    return {node: 1 + length // CHARS for node, length in chars.items()}


def _conditions(node: Node) -> Iterable[Expression]:
    work = node.work
    if isinstance(work, IfWork):
        yield work.condition
    elif isinstance(work, SwitchWork):
        yield from (case.when for case in work.cases)
    elif isinstance(work, LoopWork):
        yield from (condition for condition in (work.while_, work.until) if condition is not None)
    for edges in node.edges.values():
        yield from (edge.when for edge in edges if edge.when is not None)
