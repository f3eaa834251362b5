"""Whether an execution can go on by another version: what would stand in its way, node by node. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from weft_language.compilation import ForeachWork, Node, ParallelWork, Program, StateWork, TaskWork
from weft_language.difference import same
from weft_language.validation.outline import outline

from weft_engine.core.mapping import NodeMapping, completed, forgotten, graph_in, renames
from weft_engine.core.nodes.undoing import SUFFIX
from weft_engine.core.state import ROOT, Pending, State
from weft_engine.machine import EXECUTION_ENDS

OK: Final = "ok"
OK_UNCHANGED: Final = "ok_unchanged_position"
BLOCKED: Final = "blocked"


@dataclass(frozen=True)
class Versions:
    """Two versions of a workflow, with the node of the new one for each node of the old one. What is needed often is computed once."""

    old: Program
    new: Program
    mapping: NodeMapping

    @staticmethod
    def pair(old: Program, new: Program, told: NodeMapping | None) -> Versions:
        """Both, with the mapping of every node. told: what somebody decided, None for the proposal. Raises: MappingUnusable."""
        return Versions(old, new, completed(old, new, told))

    @cached_property
    def renamed(self) -> dict[str, str]:
        """Nodes and branches that are called otherwise."""
        return renames(self.mapping)

    @cached_property
    def gone(self) -> list[str]:
        """Nodes that have gone and whose name means another node now; and branches that go."""
        return forgotten(self.mapping, self.new)

    @cached_property
    def asked_otherwise(self) -> frozenset[str]:
        """Nodes of the old version whose `with` differs in the new one."""
        before, after = _written(self.old), _written(self.new)
        return frozenset(
            node for node in self.old.nodes if (becomes := self.mapping[node]) is not None and not same(before[node], after[becomes])
        )

    @cached_property
    def other_forms(self) -> frozenset[str]:
        """Tasks of the old version whose form differs in the new one."""
        before, after = _written(self.old), _written(self.new)
        return frozenset(
            node for node in self.asked_otherwise if not same(before[node].get("form"), after[str(self.mapping[node])].get("form"))
        )


def _written(program: Program) -> dict[str, Mapping[str, Any]]:
    return {node.id: node.with_ for graph in outline(program.definition).graphs for node in graph.nodes}


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that stands in the way, or is worth knowing. node: of the old version, None where it is about the whole."""

    code: str
    node: str | None
    detail: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a state fits. kind: `ok`; `ok_unchanged_position` where nothing that waits is called otherwise; `blocked`."""

    kind: str
    reasons: tuple[Reason, ...] = ()
    warnings: tuple[Reason, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The verdict as JSON values."""
        return {"verdict": self.kind, "reasons": _told(self.reasons), "warnings": _told(self.warnings)}


def _told(reasons: tuple[Reason, ...]) -> list[dict[str, Any]]:
    return [{"code": one.code, "node": one.node, "detail": one.detail} for one in reasons]


def verdict(state: State, versions: Versions) -> Verdict:
    """Whether a state of the old version can go on by the new one."""
    reasons = tuple(dict.fromkeys(_blocking(state, versions)))
    if reasons:
        return Verdict(BLOCKED, reasons)
    moved = any(pending.node.removesuffix(SUFFIX) in versions.renamed for pending in state.pending.values())
    return Verdict(OK if moved else OK_UNCHANGED, (), tuple(dict.fromkeys(_worth_knowing(state, versions))))


def _blocking(state: State, versions: Versions) -> Iterator[Reason]:
    new = versions.new
    if state.started_at is None or state.retrying:
        yield Reason("not_begun", None, "the execution has not begun; it can go on by another version once it has")
        return
    if state.status in EXECUTION_ENDS:
        yield Reason("not_live", None, f"the execution is {state.status}; only one that lives can go on by another version")
        return
    if state.version != versions.old.version:
        yield Reason("other_version", None, f"the execution runs version {state.version}, not {versions.old.version}")
        return
    if state.failing is not None:
        yield Reason("ending", None, "its completed nodes are being undone, and then it ends")
        return
    for key, scope in state.scopes.items():
        graph = graph_in(scope.graph, versions.mapping)
        if graph not in new.scopes and versions.mapping[scope.node] is not None:
            detail = (
                f"{key} is open, and version {new.version} has no {graph or 'branch'} for it; map {scope.graph} to a branch that it has"
            )
            yield Reason("scope_gone", scope.node, detail)
    for pending in state.pending.values():
        if pending.node and "by" not in pending.data:
            yield from _place(state, pending.node, pending.scope, versions, pending)
    for node, visit, key in state.ready:
        if node and not visit and (key == ROOT or key in state.scopes):
            yield from _place(state, node, key, versions, None)
    yield from _signals(state, new)


def _place(state: State, node: str, scope: str, versions: Versions, pending: Pending | None) -> Iterator[Reason]:
    """Whether a node that waits, or is to be entered next, has its place."""
    version = versions.new.version
    becomes = versions.mapping.get(node)
    if becomes is None:
        yield Reason("node_gone", node, f"the execution stands at {node}, which version {version} does not have; map it to another node")
        return
    there = versions.new.nodes[becomes]
    known = ROOT if scope == ROOT else graph_in(state.scopes[scope].graph, versions.mapping)
    if known is not None and there.graph != known:
        detail = f"{becomes} stands in {there.graph or 'the root graph'} in version {version}, the execution in {known or 'the root graph'}"
        yield Reason("other_graph", node, detail)
    type_ = versions.old.nodes[node].type
    if type_ != there.type:
        yield Reason("type_changed", node, f"{node} is of type {type_}, and {becomes} of type {there.type} in version {version}")
    elif pending is not None and pending.kind not in ("suspended", "enhancing"):  # what is held up begins when it is let in
        yield from _goes_on(pending, there, versions)


def _goes_on(pending: Pending, there: Node, versions: Versions) -> Iterator[Reason]:
    node, work, progress = pending.node, there.work, pending.progress
    version = versions.new.version
    if isinstance(work, StateWork):
        for signal in pending.data["signals"]:
            if signal not in work.signals:
                yield Reason("signal_unknown", node, f"{there.id} no longer knows the signal {signal}, which {node} waits for")
        listens = {(wait["name"], wait["pattern"]) for wait in pending.data.get("events", ())}
        if listens != {(name, wait.pattern) for name, wait in work.events.items()}:
            detail = f"{node} waits for other domain events than {there.id} would; keep them, or migrate once it has ended"
            yield Reason("events_changed", node, detail)
    elif isinstance(work, ParallelWork):
        ended = [label for label in progress.results if f"{node}/{label}" not in versions.gone]
        begun = len(ended) + len(progress.open)
        if progress.error is None and begun < work.needed:
            detail = f"{there.id} needs {work.needed} branches in version {version} and only {begun} have begun: it would never end"
            yield Reason("branches_missing", node, detail)
    elif isinstance(work, ForeachWork) and work.as_ != pending.data["as"]:
        detail = f"{there.id} calls its item {work.as_} in version {version}; the open iterations know it as {pending.data['as']}"
        yield Reason("item_renamed", node, detail)


def _signals(state: State, new: Program) -> Iterator[Reason]:
    """Signals that came before a node waited for them must still have one that will."""
    kept = [one.name for one in state.kept]
    kept += [held["item"]["name"] for held in state.held if held["type"] == "execution.signal"]
    known = new.signals.union(*(node.work.events for node in new.nodes.values() if isinstance(node.work, StateWork)))
    for name in dict.fromkeys(kept):
        if name not in known:
            yield Reason("signal_unknown", None, f"the signal {name} is kept, and no node of version {new.version} knows it")


def _worth_knowing(state: State, versions: Versions) -> Iterator[Reason]:
    old = versions.old
    for pending in state.pending.values():
        becomes = versions.mapping.get(pending.node)
        if becomes is None:
            continue
        before, after = old.nodes[pending.node].work, versions.new.nodes[becomes].work
        if isinstance(before, TaskWork) and isinstance(after, TaskWork):
            if before.outcomes != after.outcomes:
                detail = f"the open task offers {', '.join(before.outcomes)}; {becomes} knows {', '.join(after.outcomes)}"
                yield Reason("outcomes_changed", pending.node, detail)
            if pending.node in versions.other_forms:
                yield Reason("form_changed", pending.node, f"the open task keeps the form of version {old.version}")
        elif pending.kind in ("activity", "retry", "child") and pending.node in versions.asked_otherwise:
            yield Reason("under_way", pending.node, f"{pending.node} was asked as version {old.version} says, and is not asked again")
    for undo in state.undo:
        if versions.mapping.get(undo.node) is None:
            detail = f"{undo.node} can still be undone, but by no compensation that names the scope it stood in"
            yield Reason("undo_unscoped", undo.node, detail)
