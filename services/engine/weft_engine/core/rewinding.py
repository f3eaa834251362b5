"""Retrying: an execution that ended badly goes back to before a node was entered, and on from there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from weft_language.compilation import Program
from weft_language.expressions import ExpressionError

from weft_engine.core import entries as e
from weft_engine.core.beginnings import Beginning, Undone, beginning
from weft_engine.core.context import Context
from weft_engine.core.entries import Entry, Row
from weft_engine.core.evolve import Timed, flat, fold, rewound
from weft_engine.core.items import Admit, Retry
from weft_engine.core.queued import asked_before, gates_again, let_in_answer, line_up, withdraw
from weft_engine.core.recalling import asked_by, recalled
from weft_engine.core.running import run, settle
from weft_engine.core.signals import Answer, redeliver
from weft_engine.core.sla import renewed
from weft_engine.core.starting import begin
from weft_engine.core.state import OWNERS, ROOT, Pending, State
from weft_engine.core.turn import Entering, Turn
from weft_engine.machine import EXECUTION_MOVES

_KEPT_IF_OPEN: Final = frozenset({"activity", "retry"})
_KEPT: Final = frozenset({"timer", "signal"})


@dataclass(frozen=True, slots=True)
class Retried:
    """What a retry gives: the new state with the entries that led to it, or only the answer that says why not.

    answer: None where nobody is told now.
    """

    answer: Answer | None
    state: State | None = None
    entries: Sequence[Entry] = ()


def retry(execution_id: UUID, rows: Iterable[Row], item: Retry | Admit, now: datetime, program: Program, context: Context) -> Retried:
    """Go back to before the newest visit of a node, and on from there; or wait to be let in, where it has gates to pass.

    rows: the whole journal.  item: what is asked for, or that what was asked for before is let in.  program: the version to go on with.
    Without `item.node` it is the node the error began at, else the moment before the end. What was decided before stands; visits get new
    numbers; outside work is done again only where its request has changed, or when `item.effects` is `redo`. Work that was still open is
    waited for as it was.
    """
    journal = list(rows)
    entries = flat(journal)
    state = fold(execution_id, journal)
    if isinstance(item, Retry):
        if state is not None and item.caller is not None and not state.ended:
            return _called_while_it_lives(state, item, now, program, context)
        if state is None or (state.status, "retry") not in EXECUTION_MOVES:
            return Retried(Answer(409, "illegal_move", f"execution {execution_id} {_standing(state)}"))
        return _go_back(state, entries, item, now, program, context)
    if state is None or not state.retrying:
        return Retried(None)
    done = _go_back(state, entries, asked_before(state, context.values), now, program, context, let_in=True)
    if done.state is not None:
        return done
    # It could have been retried when it was asked for; one that would wait for ever would be worse than one that has failed.
    turn = Turn(state, program, now, context)
    withdraw(turn, reason=None if done.answer is None else done.answer.detail, refused=True)
    return Retried(None, turn.state, turn.entries)


def _called_while_it_lives(state: State, item: Retry, now: datetime, program: Program, context: Context) -> Retried:
    """Its caller waits for a child that somebody has retried already. One that still waits in line is given up, and retried for its caller:

    that holds a place among those that live, and the two would wait for each other for ever.
    """
    turn = Turn(state, program, now, context)
    if state.retrying:
        withdraw(turn, reason="its caller goes on, and has it retried")
    else:
        turn.emit(e.CALLED_AGAIN, **asked_by(item))
    return Retried(None, turn.state, turn.entries)


def _standing(state: State | None) -> str:
    if state is not None and state.retrying:
        return "waits to be let in for a retry already; cancel it to ask for another"
    return f"is {'unknown' if state is None else state.status}; only one that failed or timed out can be retried"


def _go_back(
    state: State, entries: Sequence[Timed], item: Retry, now: datetime, program: Program, context: Context, *, let_in: bool = False
) -> Retried:
    """The same with the journal folded. let_in: whether it is through its gates."""
    execution_id = state.id
    if not any(entry.kind == e.STARTED for entry, _ in entries):
        reason = f"execution {execution_id} was refused before it began: {(state.error or {}).get('message')}; start another instead"
        return Retried(Answer(409, "never_begun", reason))
    if item.input is not None and (errors := program.input.errors(item.input)):
        details = [{"pointer": f"/input{pointer}", "code": code, "detail": detail} for pointer, code, detail in errors]
        return Retried(Answer(422, "input_invalid", f"the input does not fit what {state.workflow} takes", {"errors": details}))
    found = beginning(entries, state, item.node)
    if not isinstance(found, Beginning):
        return Retried(_no_beginning(found, item))
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
    if not let_in and (waits := _lined_up(state, item, now, program, context)) is not None:
        return waits
    level = renewed(draft.sla, program.sla, draft.started_at, draft.rests, context.calendars, now)
    if level is not None or draft.sla is not None:  # said anew: the end took it for over
        data["sla"] = None if level is None else level.told()
    keep = [place for place, pending in draft.pending.items() if _stays(pending, entries[found.to :])]
    anew = _to_enter(draft, program, target, keep)
    turn = Turn(draft, program, now, context)
    turn.recalled = recalled(draft, entries[found.to :], item)
    data |= {"let_in": True} if let_in else asked_by(item)
    turn.emit(e.RETRIED, **data, keep=[list(place) for place in keep], **_listening(draft, keep))
    redeliver(turn, _signals_since(entries, found.to))
    turn.ready.extend(anew)
    if not turn.state.pending and not turn.ready:
        _at_the_edge(turn)
    run(turn)
    settle(turn)
    return Retried(let_in_answer(state) if let_in else Answer(200), turn.state, turn.entries)


def _lined_up(state: State, item: Retry, now: datetime, program: Program, context: Context) -> Retried | None:
    """It waits at its gates, or is refused where they cannot be told; None where it has none."""
    try:
        gates = gates_again(state, item, program, now, context)
    except ExpressionError as error:
        return Retried(Answer(422, error.code, f"the key of settings.concurrency: {error.message}"))
    if not gates:
        return None
    turn, answer = line_up(state, item, now, program, context, gates)
    return Retried(answer, turn.state, turn.entries)


def _no_beginning(found: Undone | None, item: Retry) -> Answer:
    """Why it cannot go back to the node that was named."""
    if found is None:
        reason = f"the node {item.node!r} was never entered; retry from one that was, see the steps of the execution"
        return Answer(422, "retry_from_unknown", reason)
    names = ", ".join(found.nodes)
    reason = f"what {names} did was undone since, and {item.node} would go on as if it stood; retry from {found.nodes[0]} or before it"
    return Answer(409, "undone_since", f"{reason}, or name no node", {"undone": list(found.nodes)})


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


def _stays(pending: Pending, since: Sequence[Timed]) -> bool:
    """Whether what was waited for at a position can be waited for again as it was. since: the entries after it.

    Nobody may have answered it; a time that has come and a signal that was delivered come again. An undoing is asked for anew, by the
    same key, by the visit of the compensation that is entered anew.
    """
    if pending.kind not in _KEPT | _KEPT_IF_OPEN or "by" in pending.data:
        return False
    answers = {e.STEP_FAILED} if pending.kind in _KEPT else {e.STEP_COMPLETED, e.STEP_FAILED}
    return not any((one.node, one.visit) == pending.place and one.kind in answers for one, _ in since)


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
