"""Why an execution is where it is: each condition on its way, with what its parts evaluated to then."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from weft_language.compilation import IfWork, LoopWork, Node, Program, SwitchWork, candidates
from weft_language.expressions import STEPS as EXPRESSION_STEPS
from weft_language.expressions import Calendar, Effort, Expression

from weft_engine.core import entries as e
from weft_engine.core.entries import Entry
from weft_engine.core.evolve import Timed, unfold
from weft_engine.core.names import NONE, names_of, scoped, signal_names
from weft_engine.core.seeing import tenant_of
from weft_engine.core.selecting import ANY, LeftOut, Only, outcome_of, selected
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

    kind: `if`, `switch`, `loop` (whether it goes round again), `edge` (which way on from an outcome) or `refused` (by every guard of a
    `state`). event_id: of the domain event that was refused; outcome: the name it would have left by.
    """

    position: int
    at: datetime
    node: str
    visit: int
    scope: str
    kind: str
    outcome: str | None
    considered: list[Considered] = field(default_factory=list)
    event_id: str | None = None


def versions(entries: Sequence[Timed]) -> set[int]:
    """The versions that an execution has run: it began with one, and may have been retried with others or migrated to them."""
    return {entry.data["version"] for entry, _ in entries if entry.kind in _CHOOSING and "version" in entry.data}


_CHOOSING = frozenset({e.STARTED, e.QUEUED, e.RETRIED, e.MIGRATED})


@dataclass(slots=True)
class Way:
    """How an execution came to where it is. state: there, None without a journal.  left_out: choices that are not among `choices`."""

    state: State | None
    choices: list[Choice]
    left_out: list[LeftOut]


STEPS: Final = 10 * EXPRESSION_STEPS
"""What all conditions together may take to be evaluated once more, about half a second: what one leaves, the others may take."""
VALUES: Final = 50_000
"""Values that are shown of all conditions together, some megabytes at most."""


def way(
    execution_id: UUID,
    entries: Sequence[Timed],
    programs: Mapping[int, Program],
    tenant: Mapping[str, Any],
    calendars: Mapping[str, Calendar] = NONE,
    only: Only = ANY,
) -> Way:
    """The choices in order, each by the version that made it; of a long way those that are `selected`.

    programs: by version.  tenant: as expressions read it now, for where it is not written down what it was.  calendars: as they are
    now; what they were at the time is not kept.
    """
    wanted = selected(entries, programs.values(), only)
    found: list[Choice] = []
    users: dict[str, Any] = {}
    state: State | None = None
    effort = Effort(STEPS, VALUES, len(wanted.positions))
    for position, (state, entry, at) in enumerate(unfold(execution_id, entries)):
        if entry.kind == e.SIGNAL_DELIVERED and entry.node is not None:
            users[entry.node] = entry.data.get("user")
        program = programs.get(state.version) if position in wanted.positions else None
        node = program.nodes.get(entry.node or "") if program is not None else None
        if program is None or node is None:
            continue
        effort.next()
        names = _names(state, entry, tenant_of(state.tenant, state.tenant_seen) or tenant, calendars, at, program)
        found.extend(_choices(node, entry, names, (position, at, node.id, entry.visit, entry.scope), users.get(node.id), effort))
    return Way(state, found, wanted.left_out)


def _choices(
    node: Node, entry: Entry, names: Mapping[str, Any], about: About, user: Mapping[str, Any] | None, effort: Effort
) -> Iterator[Choice]:
    """What was chosen where an entry was written. user: who sent the signal that ended the visit."""
    if entry.kind in (e.SCOPE_COMPLETED, e.SCOPE_ENTERED):
        for considered in _rounds(node, entry, names, effort):
            yield Choice(*about, "loop", None, considered)
        return
    if entry.kind == e.SIGNAL_REFUSED:
        names = {**names, "signal": signal_names(entry.data.get("payload"), None)}
        for choice in _of_edges(node, entry.data["name"], names, about, effort):
            yield replace(choice, kind="refused", event_id=entry.data["signal_id"])
        return
    outcome = outcome_of(entry)
    if not entry.data.get("enhancement", {}).get("applied"):  # where a model chose, no condition did
        yield from _of_node(node, outcome, names, about, effort)
    if node.type == "state":
        names = {**names, "signal": signal_names(entry.data.get("output"), user)}
    yield from _of_edges(node, outcome, names, about, effort)


def _names(
    state: State, entry: Entry, tenant: Mapping[str, Any], calendars: Mapping[str, Calendar], at: datetime, program: Program
) -> dict[str, Any]:
    names = names_of(state, tenant, at, program.nodes, calendars=calendars)
    return names if entry.scope == ROOT or entry.scope not in state.scopes else scoped(names, state, entry.scope, program.nodes)


def _of_node(node: Node, outcome: str, names: Mapping[str, Any], about: About, effort: Effort) -> Iterator[Choice]:
    if isinstance(node.work, IfWork):
        yield Choice(*about, "if", outcome, [Considered(outcome, explained(node.work.condition, names, effort), taken=True)])
    elif isinstance(node.work, SwitchWork):
        considered = []
        for case in node.work.cases:
            considered.append(Considered(case.outcome, explained(case.when, names, effort), taken=False))
            if considered[-1].condition and considered[-1].condition["value"] is True:
                considered[-1].taken = True
                break
        yield Choice(*about, "switch", outcome, considered)


def _of_edges(node: Node, outcome: str, names: Mapping[str, Any], about: About, effort: Effort) -> Iterator[Choice]:
    edges = candidates(node, outcome)
    if not any(edge.when is not None for edge in edges):
        return
    considered = []
    for edge in edges:
        tree = None if edge.when is None else explained(edge.when, names, effort)
        taken = tree is None or tree["value"] is True
        considered.append(Considered(edge.to, tree, taken))
        if taken:
            break
    yield Choice(*about, "edge", outcome, considered)


def _rounds(node: Node, entry: Entry, names: Mapping[str, Any], effort: Effort) -> Iterator[list[Considered]]:
    """What a loop read before a round or after one."""
    work = node.work
    if not isinstance(work, LoopWork):
        return
    ended = int(entry.data.get("label", 0))
    if work.until is not None and ended:
        tree = explained(work.until, {**names, "iteration": ended}, effort)
        yield [Considered("done", tree, tree["value"] is True)]
    elif work.while_ is not None:
        tree = explained(work.while_, {**names, "iteration": ended + 1}, effort)
        yield [Considered(f"round {ended + 1}", tree, tree["value"] is True)]


def explained(condition: Expression, names: Mapping[str, Any], effort: Effort) -> dict[str, Any]:
    """The tree of a condition, `{expression, value, error, children}`."""
    return condition.explain(names, effort).to_dict(effort)
