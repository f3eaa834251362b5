"""How scopes change: a node enters with scopes of its own, opens them, and each ends well or badly."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from weft_engine.core import entries as e
from weft_engine.core.claims import item_of
from weft_engine.core.entries import Entry
from weft_engine.core.evolve.change import Change, moment, node_of
from weft_engine.core.evolve.steps import begin
from weft_engine.core.state import Label, Pending, Progress, Scope, State, scope_key
from weft_engine.machine import StepStatus


def _entered(state: State, entry: Entry, at: datetime) -> None:
    node, data = node_of(entry), entry.data
    begin(state, entry, at, StepStatus.RUNNING)
    progress = Progress(items=data.get("items", []), queue=[(undone, visit) for undone, visit in data.get("queue", ())])
    pending = Pending(
        node, entry.visit, data["kind"], entry.scope, since=at, deadline_at=moment(data.get("deadline_at")), data=data, progress=progress
    )
    state.pending[pending.place] = pending
    if pending.kind == "group":
        _open(state, pending, None, node)


def _opened(state: State, entry: Entry, at: datetime) -> None:
    pending = state.pending[node_of(entry), entry.visit]
    label: str | int = entry.data["label"]
    graph = f"{pending.node}/{label}" if isinstance(label, str) else pending.node
    names: dict[str, Any] = {}
    if pending.kind == "foreach" and isinstance(label, int):
        names = {pending.data["as"]: item_of(pending.progress.items, label), "index": label}
        state.quiet = 0  # How often a foreach goes round is bounded by its items: that is no cycle.
    elif pending.kind == "loop":
        names = {"iteration": label}
    _open(state, pending, label, graph, names, steps={})


def _open(
    state: State, pending: Pending, label: Label, graph: str, names: dict[str, Any] | None = None, steps: dict[str, Any] | None = None
) -> None:
    key = scope_key(pending.node, pending.visit, label)
    state.scopes[key] = Scope(key, pending.node, pending.visit, label, graph, pending.scope, names or {}, steps)
    pending.progress.opened += 1
    pending.progress.open.append(key)


def _closed(state: State, entry: Entry, at: datetime) -> None:
    progress = _close(state, entry)
    label: str | int = entry.data["label"]
    if state.pending[node_of(entry), entry.visit].kind == "loop":
        progress.results.clear()
    progress.results[label] = entry.data.get("output")


def _broken(state: State, entry: Entry, at: datetime) -> None:
    progress = _close(state, entry)
    progress.failed.append(entry.data["label"])
    if progress.error is None:
        progress.error, progress.before = entry.data["error"], len(progress.results)


def _close(state: State, entry: Entry) -> Progress:
    progress = state.pending[node_of(entry), entry.visit].progress
    key = scope_key(node_of(entry), entry.visit, entry.data["label"])
    del state.scopes[key]
    progress.open.remove(key)
    return progress


SCOPE_CHANGES: Final[dict[str, Change]] = {
    e.SCOPE_ENTERED: _entered,
    e.SCOPE_OPENED: _opened,
    e.SCOPE_COMPLETED: _closed,
    e.SCOPE_FAILED: _broken,
}
