"""What people are shown of an execution: made from its journal alone, pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from weft_language.compilation import Node, Program
from weft_language.expressions import Calendar

from weft_engine import standing
from weft_engine.core import entries as e
from weft_engine.core.entries import Entry, Row
from weft_engine.core.evolve import flat, fold, unfold
from weft_engine.core.explaining import Choice, way
from weft_engine.core.history import visits
from weft_engine.core.identity import event_named, key_of
from weft_engine.core.ledger import effects
from weft_engine.core.nodes.undoing import SUFFIX
from weft_engine.core.selecting import ANY, Only
from weft_engine.core.sentences import MOST, Called, because, due_of
from weft_engine.core.state import OWNERS, Pending, State
from weft_engine.core.waited import waited_for
from weft_engine.machine import allowed_actions
from weft_engine.schemas import (
    ChoiceView,
    ConsideredView,
    EffectView,
    EntryView,
    ExecutionView,
    ExplanationView,
    GateView,
    LeftOutView,
    OpenScopeView,
    SlaView,
    StateView,
    StepView,
    TriggerView,
    WaitingView,
)


def execution_view(execution_id: UUID, workflow: str, version: int, status: str, rows: Iterable[Row]) -> ExecutionView:
    """An execution as the API shows it. status: shown while it has no journal yet."""
    journal = list(rows)
    state = fold(execution_id, journal) or State(execution_id, "", workflow, version, status=status)
    ended = state.completed_at
    duration_ms = round((ended - state.started_at).total_seconds() * 1000) if ended and state.started_at else None
    user = state.trigger.get("user")
    return ExecutionView(
        id=execution_id,
        workflow=state.workflow,
        version=state.version,
        status=state.status,
        key=state.key,
        labels=state.labels,
        input=state.input,
        output=state.output,
        error=error_view(state.error),
        trigger=TriggerView(
            type=state.trigger.get("type", "manual"),
            id=state.trigger.get("id"),
            event_id=event_named(state.trigger),
            user=user.get("id") if isinstance(user, dict) else None,
        ),
        vars=state.vars,
        started_at=state.started_at,
        completed_at=ended,
        duration_ms=duration_ms,
        parent=UUID(state.parent) if state.parent else None,
        children=children_of(journal),
        waiting_for=[waiting_view(pending, state) for pending in state.pending.values() if pending.kind not in OWNERS],
        sla=_sla_view(state),
        allowed_actions=[move for move in allowed_actions(state.status) if move != "retry" or _began(journal)],
    )


def _sla_view(state: State) -> SlaView | None:
    level = state.sla
    if level is None:
        return None
    return SlaView(due_at=level.due_at, warn_at=level.warn_at, status=level.status, calendar=level.by.calendar, problem=level.problem)


def _began(journal: Iterable[Row]) -> bool:
    return any(entry.kind == e.STARTED for row in journal for entry in row.entries)


def error_view(error: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """An error with all of its members, those that were never said null."""
    return None if error is None else {**dict.fromkeys(("code", "message", "node", "attempt", "permanent", "details")), **error}


def children_of(rows: Iterable[Row]) -> list[UUID]:
    """The executions that an execution has called, oldest first, each once."""
    called = (entry.data["child_id"] for row in rows for entry in row.entries if entry.kind in _CALLS and "workflow" in entry.data)
    return [UUID(child) for child in dict.fromkeys(called)]


_CALLS: Final = frozenset({e.STEP_WAITING, e.CHILD_CALLED})


def waiting_view(pending: Pending, state: State) -> WaitingView:
    """What an execution waits for, until when and for whom. A task that nothing ends is waited for until it is due."""
    whom = {"for": waited_for(pending)}
    if pending.gate is not None:
        return WaitingView(node=pending.node, kind="suspended", until=pending.wake_at, **whom)
    until = pending.deadline_at if pending.kind in ("activity", "child") else pending.wake_at or due_of(pending, state)
    return WaitingView(node=pending.node, kind=pending.kind, until=until, **whom)


def step_views(execution_id: UUID, rows: Iterable[Row], program: Program | None) -> list[StepView]:
    """Every visit of every node, in the order in which they began."""
    nodes = program.nodes if program is not None else {}
    return [
        StepView(
            node=visit.node,
            visit=visit.step.visit,
            scope=visit.scope,
            type=_type_of(visit.node, nodes),
            status=visit.step.status,
            outcome=visit.step.outcome,
            input=visit.input,
            output=visit.step.output,
            error=error_view(visit.step.error),
            attempts=visit.step.attempts,
            started_at=visit.step.started_at,
            completed_at=visit.step.completed_at,
            enhancement=visit.step.enhancement,
        )
        for visit in visits(execution_id, flat(rows))
    ]


def _type_of(node: str, nodes: Mapping[str, Node]) -> str:
    if node.endswith(SUFFIX):
        undone = nodes.get(node.removesuffix(SUFFIX))
        return "compensate" if undone is None or undone.undo is None else getattr(undone.undo, "type", "activity")
    return nodes[node].type if node in nodes else ""


def entry_view(position: int, row: Row, entry: Entry) -> EntryView:
    """One entry of the history."""
    return EntryView(
        position=position,
        at=row.at,
        kind=entry.kind,
        node=entry.node,
        visit=entry.visit or None,
        attempt=entry.attempt or None,
        scope=entry.scope,
        data=entry.data,
    )


def state_view(execution_id: UUID, rows: Iterable[Row], at: int | None) -> StateView | None:
    """The state after the entry at a position of the journal, after the last one for None; None when there is no such entry."""
    entries = flat(rows)
    wanted = len(entries) - 1 if at is None else at
    found: tuple[State, Any] | None = None
    for state, _, moment in unfold(execution_id, entries[: wanted + 1]):
        found = (state, moment)
    if found is None or wanted >= len(entries):
        return None
    state, moment = found
    return _state_view(state, moment, wanted, len(entries) - 1)


def unbegun(state: State, now: datetime) -> StateView:
    """The state of an execution that has no journal yet."""
    return _state_view(state, now, None, None)


def _state_view(state: State, moment: datetime, at: int | None, last: int | None) -> StateView:
    return StateView(
        execution_id=state.id,
        at=at,
        last=last,
        time=moment,
        status=state.status,
        version=state.version,
        input=state.input,
        vars=state.vars,
        steps=[_newest(node, state) for node in state.steps],
        scopes=[OpenScopeView(scope=one.key, node=one.node, visit=one.visit, names=one.names) for one in state.scopes.values()],
        waiting_for=[waiting_view(pending, state) for pending in state.pending.values() if pending.kind not in OWNERS],
        kept_signals=[kept.name for kept in state.kept],
        output=state.output,
        error=error_view(state.error),
    )


def _newest(node: str, state: State) -> StepView:
    step = state.steps[node]
    return StepView(
        node=node, visit=step.visit, scope="", type="", status=step.status, outcome=step.outcome, input=None, output=step.output,
        error=error_view(step.error), attempts=step.attempts, started_at=step.started_at, completed_at=step.completed_at,
        enhancement=step.enhancement,
    )  # fmt: skip


def effect_views(execution_id: UUID, rows: Iterable[Row]) -> list[EffectView]:
    """Every effect on the outside, in the order of asking."""
    return [
        EffectView(
            key=key_of(execution_id, effect.node, effect.visit),
            position=effect.position,
            node=effect.node,
            visit=effect.visit,
            scope=effect.scope,
            kind=effect.kind,
            name=effect.name,
            request_hash=effect.request,
            requested_at=effect.at,
            attempts=effect.attempts,
            status=effect.status,
            outcome=effect.outcome,
            receipt_hash=effect.receipt,
            receipt_at=effect.receipt_at,
            error=error_view(effect.error),
            reused_from=effect.reused_from,
            undone_at=effect.undone_at,
        )
        for effect in effects(flat(rows))
    ]


def explanation_view(
    execution_id: UUID,
    rows: Iterable[Row],
    programs: Mapping[int, Program],
    tenant: Mapping[str, Any],
    calendars: Mapping[str, Calendar],
    gates: Sequence[GateView] = (),
    held_up: Mapping[str, str] | None = None,
    only: Only = ANY,
    missing: Collection[Called] = (),
) -> ExplanationView:
    """Where an execution is, what it waits for, and the conditions on the way there: every one of an ordinary execution.

    programs: by version.  gates: it waits at.  held_up: suspensions by their gate, in words.  only: whose conditions are asked for.
    missing: what it calls that was not published.
    """
    entries = flat(rows)
    found = way(execution_id, entries, programs, tenant, calendars, only)
    state = found.state
    told = [] if state is None else because(state, entries, programs.get(state.version), held_up or {}, missing)
    begun = state is not None and state.begun is None
    waits = [] if state is None else [waiting_view(one, state) for one in state.pending.values() if one.kind not in OWNERS]
    return ExplanationView(
        execution_id=execution_id,
        status="queued" if state is None else state.status,
        waiting_for=waits[:MOST],
        queued_for=list(gates),
        because=told + ([] if begun and waits else [standing.because(gate, held_up or {}) for gate in gates if gate.full]),
        error=None if state is None else error_view(state.error),
        choices=[choice_view(choice) for choice in found.choices],
        left_out=[LeftOutView(node=one.node, visits=one.visits, outcomes=one.outcomes) for one in found.left_out],
    )


def choice_view(choice: Choice) -> ChoiceView:
    """A place on the way where conditions decided."""
    return ChoiceView(
        position=choice.position,
        at=choice.at,
        node=choice.node,
        visit=choice.visit,
        scope=choice.scope,
        kind=choice.kind,
        outcome=choice.outcome,
        considered=[ConsideredView(to=one.to, condition=one.condition, taken=one.taken) for one in choice.considered],
        event_id=choice.event_id,
    )
