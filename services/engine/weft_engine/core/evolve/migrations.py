"""Going on by another version: everything in a state that names a node is renamed, and what waits keeps the name it was asked by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from weft_engine.core import entries as e
from weft_engine.core import sla, walking
from weft_engine.core.entries import Entry
from weft_engine.core.evolve.change import Change, moment
from weft_engine.core.evolve.renaming import Rename, renamed, renamer
from weft_engine.core.state import OWNERS, Pending, Scope, State, Step, Undo

ASKED: Final = frozenset({"activity", "retry", "task", "child", "enhancing"})
"""Kinds of pending that somebody outside answers by the name of their node. Waits for domain events are known there by it, too."""


def _migrated(state: State, entry: Entry, at: datetime) -> None:
    """Numbers that were given under a name that now means another node are not given again: the outside knows its work by them."""
    data = entry.data
    mapping, gone = data.get("mapping", {}), frozenset(data.get("gone", ()))
    state.version = data["version"]
    if mapping or gone:
        _rename(state, renamer(entry), frozenset(mapping) | gone, gone)
        state.ledger = renamed(state.ledger, entry)
    state.vars.update(data.get("vars", {}))
    if "sla" in data:
        state.sla = sla.read(data["sla"])
    if "deadline_at" in data:
        state.deadline_at = moment(data["deadline_at"])
    for node, visit, changes in data.get("waits", ()):
        _rest_as(state.pending[node, visit], changes)


def _rename(state: State, rename: Rename, left: frozenset[str], gone: frozenset[str]) -> None:
    floors = dict(state.floors)
    for node, step in state.steps.items():
        if node.partition(".")[0] in left:
            floors[node] = max(step.visit, floors.get(node, 0))
        if node in gone:
            walking.count(state.walked, node, step)
    state.floors = floors
    state.steps = _steps(state.steps, rename, gone)
    state.scopes = {one.key: one for one in (_scope(scope, rename, gone) for scope in state.scopes.values())}
    state.pending = {one.place: one for one in (_pending(pending, rename, gone) for pending in state.pending.values())}
    state.undo = [_undo(undo, rename) for undo in state.undo]
    state.ready = tuple((rename.node(node), visit, rename.key(scope)) for node, visit, scope in state.ready)


def _undo(undo: Undo, rename: Rename) -> Undo:
    """Its effect keeps its key, too: another node that had the new name before may have been undone under it."""
    node = rename.node(undo.node)
    if node == undo.node:
        return undo
    asked_as = undo.request.get("asked_as", [f"{undo.node}.compensate", undo.visit])
    return Undo(node, undo.visit, {**undo.request, "asked_as": asked_as})


def _steps(steps: Mapping[str, Step], rename: Rename, gone: frozenset[str]) -> dict[str, Step]:
    return {rename.node(node): step for node, step in steps.items() if node not in gone}


def _scope(scope: Scope, rename: Rename, gone: frozenset[str]) -> Scope:
    node = rename.node(scope.node)
    label = rename.branch(scope.node, scope.label) if isinstance(scope.label, str) else scope.label
    return replace(
        scope,
        key=rename.key(scope.key),
        node=node,
        label=label,
        graph=f"{node}/{label}" if isinstance(label, str) else node,
        outer=rename.key(scope.outer),
        steps=None if scope.steps is None else _steps(scope.steps, rename, gone),
    )


def _pending(pending: Pending, rename: Rename, gone: frozenset[str]) -> Pending:
    node, data, progress = rename.node(pending.node), pending.data, pending.progress
    if node != pending.node and (pending.kind in ASKED or "events" in data):
        data = {**data, "asked_as": data.get("asked_as", [pending.node, pending.visit])}
    if "by" in data:
        owner, visit = data["by"]
        data = {**data, "by": [rename.node(owner), visit]}
    if pending.kind in OWNERS:
        keys = [rename.key(key) for key in progress.open]
        progress = replace(progress, open=keys, queue=[(rename.node(undone), visit) for undone, visit in progress.queue])
    if pending.kind == "parallel":
        owner = pending.node
        ended = {label: output for label, output in progress.results.items() if f"{owner}/{label}" not in gone}
        ended = {rename.branch(owner, str(label)): output for label, output in ended.items()}
        progress = replace(progress, results=ended, failed=[rename.branch(owner, str(label)) for label in progress.failed])
    return replace(pending, node=node, scope=rename.key(pending.scope), data=data, progress=progress)


def _rest_as(pending: Pending, changes: Mapping[str, Any]) -> None:
    """What a node of the new version waits for otherwise. A time that is null is none."""
    if "due_at" in changes:
        pending.due_at = moment(changes["due_at"])
    if "deadline_at" in changes:
        pending.deadline_at = moment(changes["deadline_at"])
    more = {name: changes[name] for name in ("signals", "after", "calendar") if name in changes}
    if more:
        pending.data = {**pending.data, **more}


MIGRATION_CHANGES: Final[dict[str, Change]] = {e.MIGRATED: _migrated}
