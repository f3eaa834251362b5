"""Why an execution is where it is: each condition on its way, with what its parts evaluated to then."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from weft_language.compilation import IfWork, LoopWork, Node, Program, SwitchWork, candidates
from weft_language.expressions import Expression

from weft_engine.core import entries as e
from weft_engine.core.entries import Entry
from weft_engine.core.evolve import Timed, unfold
from weft_engine.core.names import names_of, scoped, signal_names
from weft_engine.core.state import ROOT, State

About = tuple[int, datetime, str, int, str]
"""Position, time, node, visit and scope of a choice."""


@dataclass(slots=True)
class Considered:
    """One condition that was read. to: the node or outcome it would lead to.  condition: `{expression, value, error, children}`.

    taken: whether that way was gone.
    """

    to: str
    condition: dict[str, Any] | None
    taken: bool


@dataclass(slots=True)
class Choice:
    """One place on the way where a condition decided.

    kind: `if`, `switch`, `loop` (whether it goes round again) or `edge` (which way on from an outcome).
    """

    position: int
    at: datetime
    node: str
    visit: int
    scope: str
    kind: str
    outcome: str | None
    considered: list[Considered] = field(default_factory=list)


def versions(entries: Sequence[Timed]) -> set[int]:
    """The versions that an execution has run: it began with one, and may have been retried with others or migrated to them."""
    return {entry.data["version"] for entry, _ in entries if entry.kind in _CHOOSING and "version" in entry.data}


_CHOOSING = frozenset({e.STARTED, e.QUEUED, e.RETRIED, e.MIGRATED})


def choices(execution_id: UUID, entries: Sequence[Timed], programs: Mapping[int, Program], tenant: Mapping[str, Any]) -> list[Choice]:
    """Every choice in order, each by the version that made it.

    programs: by version.  tenant: as expressions read it now; what it was at the time is not kept.
    """
    found: list[Choice] = []
    users: dict[str, Any] = {}
    for position, (state, entry, at) in enumerate(unfold(execution_id, entries)):
        if entry.kind == e.SIGNAL_DELIVERED and entry.node is not None:
            users[entry.node] = entry.data.get("user")
        program = programs.get(state.version)
        node = program.nodes.get(entry.node or "") if program is not None else None
        if program is None or node is None or entry.kind not in _DECIDING or "again" in entry.data:
            continue
        names = _names(state, entry, tenant, at, program)
        about: About = (position, at, node.id, entry.visit, entry.scope)
        if entry.kind in (e.SCOPE_COMPLETED, e.SCOPE_ENTERED):
            found.extend(Choice(*about, "loop", None, considered) for considered in _rounds(node, entry, names))
            continue
        outcome = str(entry.data.get("outcome", "done" if entry.kind == e.STEP_COMPLETED else "error"))
        found.extend(_of_node(node, outcome, names, about))
        if node.type == "state":
            names = {**names, "signal": signal_names(entry.data.get("output"), users.get(node.id))}
        found.extend(_of_edges(node, outcome, names, about))
    return found


_DECIDING = frozenset({e.STEP_COMPLETED, e.STEP_FAILED, e.SCOPE_COMPLETED, e.SCOPE_ENTERED})


def _names(state: State, entry: Entry, tenant: Mapping[str, Any], at: datetime, program: Program) -> dict[str, Any]:
    names = names_of(state, tenant, at, program.nodes)
    return names if entry.scope == ROOT or entry.scope not in state.scopes else scoped(names, state, entry.scope, program.nodes)


def _of_node(node: Node, outcome: str, names: Mapping[str, Any], about: About) -> Iterator[Choice]:
    if isinstance(node.work, IfWork):
        yield Choice(*about, "if", outcome, [Considered(outcome, explained(node.work.condition, names), taken=True)])
    elif isinstance(node.work, SwitchWork):
        considered = []
        for case in node.work.cases:
            considered.append(Considered(case.outcome, explained(case.when, names), taken=False))
            if considered[-1].condition and considered[-1].condition["value"] is True:
                considered[-1].taken = True
                break
        yield Choice(*about, "switch", outcome, considered)


def _of_edges(node: Node, outcome: str, names: Mapping[str, Any], about: About) -> Iterator[Choice]:
    edges = candidates(node, outcome)
    if not any(edge.when is not None for edge in edges):
        return
    considered = []
    for edge in edges:
        tree = None if edge.when is None else explained(edge.when, names)
        taken = tree is None or tree["value"] is True
        considered.append(Considered(edge.to, tree, taken))
        if taken:
            break
    yield Choice(*about, "edge", outcome, considered)


def _rounds(node: Node, entry: Entry, names: Mapping[str, Any]) -> Iterator[list[Considered]]:
    """What a loop read before a round or after one."""
    work = node.work
    if not isinstance(work, LoopWork):
        return
    ended = int(entry.data.get("label", 0))
    if work.until is not None and ended:
        tree = explained(work.until, {**names, "iteration": ended})
        yield [Considered("done", tree, tree["value"] is True)]
    elif work.while_ is not None:
        tree = explained(work.while_, {**names, "iteration": ended + 1})
        yield [Considered(f"round {ended + 1}", tree, tree["value"] is True)]


def explained(condition: Expression, names: Mapping[str, Any]) -> dict[str, Any]:
    """The tree of a condition, `{expression, value, error, children}`."""
    return condition.explain(names).to_dict()
