"""Retrying: an execution that ended badly goes back to before a node was entered, and on from there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from weft_language.compilation import Program

from weft_engine.core import entries as e
from weft_engine.core.beginnings import Undone, beginning
from weft_engine.core.entries import Entry, Row
from weft_engine.core.evolve import Timed, flat, fold, rewound
from weft_engine.core.items import Retry
from weft_engine.core.running import run, settle
from weft_engine.core.signals import Answer, redeliver
from weft_engine.core.sla import renewed
from weft_engine.core.starting import begin
from weft_engine.core.state import OWNERS, ROOT, State
from weft_engine.core.turn import Context, Entering, Turn
from weft_engine.machine import EXECUTION_MOVES

_KEPT_IF_OPEN: Final = frozenset({"activity", "retry"})
_KEPT: Final = frozenset({"timer", "signal"})


@dataclass(frozen=True, slots=True)
class Retried:
    """What a retry gives: the new state with the entries that led to it, or only the answer that says why not."""

    answer: Answer
    state: State | None = None
    entries: Sequence[Entry] = ()


def retry(execution_id: UUID, rows: Iterable[Row], item: Retry, now: datetime, program: Program, context: Context) -> Retried:
    """Go back to before the newest visit of a node, and on from there.

    rows: the whole journal.  program: the version to go on with.  Without `item.node` it is the node the error began at, else the moment
    before the end. What was decided before stands; visits get new numbers; outside work is done again only where its request has changed,
    or when `item.effects` is `redo`. Work that was still open is waited for as it was.
    """
    journal = list(rows)
    entries = flat(journal)
    state = fold(execution_id, journal)
    if state is None or (state.status, "retry") not in EXECUTION_MOVES:
        status = "unknown" if state is None else state.status
        return Retried(
            Answer(409, "illegal_move", f"execution {execution_id} is {status}; only one that failed or timed out can be retried")
        )
    if not any(entry.kind == e.STARTED for entry, _ in entries):
        reason = f"execution {execution_id} was refused before it began: {(state.error or {}).get('message')}; start another instead"
        return Retried(Answer(409, "never_begun", reason))
    if item.input is not None and (errors := program.input.errors(item.input)):
        details = [{"pointer": f"/input{pointer}", "code": code, "detail": detail} for pointer, code, detail in errors]
        return Retried(Answer(422, "input_invalid", f"the input does not fit what {state.workflow} takes", {"errors": details}))
    found = beginning(entries, state, item.node)
    if found is None:
        reason = f"the node {item.node!r} was never entered; retry from one that was, see the steps of the execution"
        return Retried(Answer(422, "retry_from_unknown", reason))
    if isinstance(found, Undone):
        names = ", ".join(found.nodes)
        reason = f"what {names} did was undone since, and {item.node} would go on as if it stood; retry from {found.nodes[0]} or before it"
        return Retried(Answer(409, "undone_since", f"{reason}, or name no node", {"undone": list(found.nodes)}))
    data: dict[str, Any] = {"to": found.to, "effects": item.effects, **_changes(item, program)}
    draft = rewound(state, entries, Entry(e.RETRIED, data=data))
    target = found.target or _not_entered(draft, program, (state.error or {}).get("node"))
    if draft.version != program.version:  # it was migrated since, and goes on by the version it has come to
        data["version"] = program.version
    if item.input is None and draft.input != state.input:  # an earlier retry gave another one, which stays the execution's own
        data["input"] = state.input
    if reasons := unfit(draft, program, target) + _called_otherwise(draft, program, entries[found.to :]):
        detail = f"version {program.version} cannot go on from there: {'; '.join(reasons)}"
        if draft.version != program.version:
            detail += f". Version {draft.version} ran there: retry with it, or from a node that was entered later"
        return Retried(Answer(409, "version_unfit", detail))
    level = renewed(draft.sla, program.sla, draft.started_at, draft.rests, context.calendars, now)
    if level is not None or draft.sla is not None:  # said anew: the end took it for over
        data["sla"] = None if level is None else level.told()
    keep = [place for place, pending in draft.pending.items() if _stays(pending.kind, place, entries[found.to :])]
    anew = _to_enter(draft, program, target, keep)
    turn = Turn(draft, program, now, context)
    turn.emit(e.RETRIED, **data, keep=[list(place) for place in keep], **_listening(draft, keep))
    redeliver(turn, _signals_since(entries, found.to))
    turn.ready.extend(anew)
    if not turn.state.pending and not turn.ready:
        _at_the_edge(turn)
    run(turn)
    settle(turn)
    return Retried(Answer(200), turn.state, turn.entries)


def _listening(state: State, kept: Sequence[tuple[str, int]]) -> dict[str, Any]:
    """The waits for domain events that go on, by the names they are known by: they were given up at the end that is gone back behind."""
    waits = [pending for place, pending in state.pending.items() if place in kept and "events" in pending.data]
    found = [(pending.data.get("asked_as", pending.place), pending.data["events"]) for pending in waits]
    return {"listening": [{"node": node, "visit": visit, "events": events} for (node, visit), events in found]} if found else {}


def _changes(item: Retry, program: Program) -> dict[str, Any]:
    changes: dict[str, Any] = {"by": item.user} if item.user is not None else {}
    if item.node is not None:
        changes["from"] = item.node
    if item.input is not None:
        changes["input"] = item.input
    if item.workflow_version is not None:
        changes["version"] = program.version
    if program.settings.max_duration_s is not None:
        changes["max_duration_s"] = program.settings.max_duration_s
    return changes


def _at_the_edge(turn: Turn) -> None:
    """What failed was no node: what the execution begins with, or what it gives."""
    if turn.state.steps:
        turn.complete(None)
    else:
        begin(turn)


def _stays(kind: str, place: tuple[str, int], since: Sequence[Timed]) -> bool:
    """Whether what was waited for at a position can be waited for again as it was. since: the entries after it.

    Nobody may have answered it; a time that has come and a signal that was delivered come again.
    """
    answers = {e.STEP_FAILED} if kind in _KEPT else {e.STEP_COMPLETED, e.STEP_FAILED}
    return kind in _KEPT | _KEPT_IF_OPEN and not any((one.node, one.visit) == place and one.kind in answers for one, _ in since)


def _not_entered(state: State, program: Program, node: str | None) -> Entering | None:
    """The node that an execution failed at before it was entered, in the scope that was about to enter it."""
    known = None if node is None else program.nodes.get(node)
    if known is None:
        return None
    graphs = {ROOT: ROOT, **{key: scope.graph for key, scope in state.scopes.items()}}
    placed = {pending.scope for pending in state.pending.values()}
    return next((Entering(known.id, key) for key, graph in graphs.items() if graph == known.graph and key not in placed), None)


def _to_enter(state: State, program: Program, target: Entering | None, kept: Sequence[tuple[str, int]]) -> list[Entering]:
    """The target, then the leaves that are not kept, then scopes in which nothing had begun."""
    anew = [] if target is None else [target]
    placed = {ROOT if target is None else target.scope}
    for place, pending in state.pending.items():
        placed.add(pending.scope)
        leaf = pending.kind not in OWNERS or pending.kind == "compensate"
        entering = Entering(pending.node, pending.scope)
        if leaf and place not in kept and "by" not in pending.data and pending.node and entering != target:
            anew.append(entering)
    begun = [Entering(program.scopes[scope.graph].start, key) for key, scope in state.scopes.items() if key not in placed]
    return [*anew, *begun]


def unfit(state: State, program: Program, target: Entering | None = None) -> list[str]:
    """Why a program cannot go on from a state, a clause each: every open scope and everything that waits needs its place there."""
    graphs = {ROOT: ROOT, **{key: scope.graph for key, scope in state.scopes.items()}}
    reasons = [f"{key} is open and has no graph there" for key, graph in graphs.items() if graph not in program.scopes]
    places = [(pending.node, pending.scope) for pending in state.pending.values() if pending.node and "by" not in pending.data]
    if target is not None:
        places.append((target.node, target.scope))
    for node, scope in dict.fromkeys(places):
        known = program.nodes.get(node)
        if known is None:
            reasons.append(f"there is no node {node}")
        elif known.graph != graphs[scope]:
            reasons.append(f"{node} stands in another graph")
    return reasons


def _called_otherwise(state: State, program: Program, since: Sequence[Timed]) -> list[str]:
    """Visits that a program would not find, because a migration gone back behind called their nodes otherwise, a clause each."""
    if state.version == program.version:
        return []
    mapping = {old: new for entry, _ in since if entry.kind == e.MIGRATED for old, new in entry.data.get("mapping", {}).items()}
    visited = {*state.steps, *(node for scope in state.scopes.values() for node in scope.steps or ())}
    return [f"{old} is called {new} there" for old, new in mapping.items() if old in visited]


def _signals_since(entries: Sequence[Timed], to: int) -> list[dict[str, Any]]:
    """Signals and delivered events from a position on, as they came, oldest first: the nodes they were for are waited for again."""
    kept = {entry.data["signal_id"]: entry.data for entry, _ in entries if entry.kind == e.SIGNAL_KEPT}
    found: dict[str, dict[str, Any]] = {}
    for position, (entry, _) in enumerate(entries):
        if position < to:
            continue
        if entry.kind == e.SIGNAL_KEPT:
            found[entry.data["signal_id"]] = dict(entry.data)
        elif entry.kind == e.SIGNAL_DELIVERED:
            signal_id = entry.data["signal_id"]
            # What it carried is the output of the visit that it ended, in the entry after.
            payload = kept[signal_id].get("payload") if signal_id in kept else entries[position + 1][0].data.get("output")
            found[signal_id] = {"signal_id": signal_id, "name": entry.data["name"], "payload": payload, "user": entry.data.get("user")}
            if "event" in entry.data:
                found[signal_id]["event"] = entry.data["event"]
    return list(found.values())
