"""Retrying: an execution that ended badly goes back to before a node was entered, and on from there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from weft_language.compilation import Program

from weft_engine.core import entries as e
from weft_engine.core.entries import Entry, Row
from weft_engine.core.evolve import Timed, flat, fold, rewound
from weft_engine.core.items import Retry
from weft_engine.core.running import run, settle
from weft_engine.core.signals import Answer, redeliver
from weft_engine.core.state import OWNERS, ROOT, State
from weft_engine.core.turn import Context, Entering, Turn
from weft_engine.machine import EXECUTION_MOVES

_KEPT_IF_OPEN: Final = frozenset({"activity", "retry"})
_KEPT: Final = frozenset({"timer", "signal"})
_TAKEN_BACK: Final = frozenset({e.STEP_CANCELLED, e.STEP_FAILED, e.SCOPE_FAILED})


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
    found = _beginning(entries, state, item.node)
    if found is None:
        reason = f"the node {item.node!r} was never entered; retry from one that was, see the steps of the execution"
        return Retried(Answer(422, "retry_from_unknown", reason))
    to, target = found
    data: dict[str, Any] = {"to": to, "effects": item.effects, **_changes(item, program)}
    draft = rewound(state, entries, Entry(e.RETRIED, data=data))
    if draft.version != program.version:  # it was migrated since, and goes on by the version it has come to
        data["version"] = program.version
    if item.input is None and draft.input != state.input:  # an earlier retry gave another one, which stays the execution's own
        data["input"] = state.input
    if reasons := unfit(draft, program, target):
        detail = f"version {program.version} cannot go on from there: {'; '.join(reasons)}"
        return Retried(Answer(409, "version_unfit", detail))
    keep = [place for place, pending in draft.pending.items() if _stays(pending.kind, place, entries, to)]
    anew = _to_enter(draft, program, target, keep)
    turn = Turn(draft, program, now, context)
    turn.emit(e.RETRIED, **data, keep=[list(place) for place in keep], **_listening(draft, keep))
    redeliver(turn, _signals_since(entries, to))
    turn.ready.extend(anew)
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


def _beginning(entries: Sequence[Timed], state: State, node: str | None) -> tuple[int, Entering | None] | None:
    """(position to go back to, node to enter there), or (before the end, None).

    A visit that failed is gone back behind its failure only, so that everything beside it stands where it stood then; else behind its
    beginning.
    """
    wanted = node if node is not None else (state.error or {}).get("node")
    step = state.steps.get(wanted) if wanted is not None else None
    if step is not None:
        visit = [(place, entry) for place, (entry, _) in enumerate(entries) if entry.node == wanted and entry.visit == step.visit]
        first = visit[0][1]
        failed = [place for place, entry in visit if entry.kind == e.STEP_FAILED and first.kind != e.SCOPE_ENTERED]
        return (failed or [visit[0][0]])[0], Entering(first.node or "", first.scope)
    if node is not None:
        return None
    end = max(position for position, (entry, _) in enumerate(entries) if entry.kind in e.ENDS)
    while entries[end - 1][1] == entries[end][1] and entries[end - 1][0].kind in _TAKEN_BACK:
        end -= 1
    return end, None


def _stays(kind: str, place: tuple[str, int], entries: Sequence[Timed], to: int) -> bool:
    """Whether what was waited for at a position can be waited for again as it was: nobody has answered it since."""
    if kind in _KEPT:
        return True
    answers = (e.STEP_COMPLETED, e.STEP_FAILED)
    return kind in _KEPT_IF_OPEN and not any((one.node, one.visit) == place and one.kind in answers for one, _ in entries[to:])


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
