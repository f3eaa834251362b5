"""The only place that changes state: one small function per kind of entry. Folding a journal with it gives the state at any position."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from weft_engine.core import entries as e
from weft_engine.core.entries import Entry, Row
from weft_engine.core.state import SEEN_SIGNALS, KeptSignal, Pending, State, Step
from weft_engine.machine import StepStatus, move_execution, move_step

Change = Callable[[State, Entry, datetime], None]


def evolve(state: State, entry: Entry, at: datetime) -> None:
    """Apply an entry to a state, in place. Raises: IllegalMove when a lifecycle forbids it, KeyError for a kind not known here."""
    CHANGES[entry.kind](state, entry, at)
    state.position += 1


def fold(execution_id: UUID, rows: Iterable[Row]) -> State | None:
    """The state that a journal tells, None when it is empty. Rows come in the order of their positions."""
    state: State | None = None
    for row in rows:
        for entry in row.entries:
            if state is None:
                state = blank(execution_id, entry)
            evolve(state, entry, row.at)
    return state


def blank(execution_id: UUID, entry: Entry) -> State:
    """The state before an execution's first entry, which names its tenant and workflow."""
    return State(id=execution_id, tenant=entry.data["tenant"], workflow=entry.data["workflow"], version=entry.data.get("version", 0))


def moment(value: Any) -> datetime | None:
    """A time as entries hold it: a datetime when fresh, RFC 3339 text when read back."""
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def _started(state: State, entry: Entry, at: datetime) -> None:
    data = entry.data
    state.status = move_execution(state.status, "start")
    state.started_at = at
    state.input = data.get("input", {})
    state.trigger = data.get("trigger", {})
    state.vars = dict(data.get("vars", {}))
    state.key = data.get("key")
    state.labels = data.get("labels", {})
    state.priority = data.get("priority", 0)
    state.parent = data.get("parent")
    state.traceparent = data.get("traceparent")
    if (limit := data.get("max_duration_s")) is not None:
        state.deadline_at = at + timedelta(seconds=limit)


def _refused(state: State, entry: Entry, at: datetime) -> None:
    state.status = move_execution(state.status, "fail" if entry.kind == e.REJECTED else "cancel")
    state.started_at = state.completed_at = at
    state.error = entry.data.get("error")
    state.trigger = entry.data.get("trigger", {})
    state.key = entry.data.get("key")


def _waiting(state: State, entry: Entry, at: datetime) -> None:
    state.status = move_execution(state.status, "wait")


def _resumed(state: State, entry: Entry, at: datetime) -> None:
    state.status = move_execution(state.status, "wake")


def _ended(move: str) -> Change:
    def end(state: State, entry: Entry, at: datetime) -> None:
        state.status = move_execution(state.status, move)
        state.completed_at = at
        state.output = entry.data.get("output")
        state.error = entry.data.get("error")
        state.pending.clear()
        state.scopes.clear()
        state.kept = ()

    return end


def _scheduled(state: State, entry: Entry, at: datetime) -> None:
    node, data = _node(entry), entry.data
    before = state.steps.get(node)
    again = before is not None and before.visit == entry.visit
    state.steps[node] = Step(
        visit=entry.visit,
        status=move_step(before.status, "reschedule") if before is not None and again else StepStatus.SCHEDULED,
        attempts=entry.attempt,
        started_at=before.started_at if before is not None and again else at,
    )
    was = state.pending.get(node)
    state.scopes[data.get("graph", "")] = node
    state.quiet = 0
    state.pending[node] = Pending(
        node=node, visit=entry.visit, kind="activity", attempt=entry.attempt, since=at,
        due_at=at + timedelta(seconds=data["resend_s"]),
        deadline_at=was.deadline_at if was is not None else moment(data.get("deadline_at")),
        data=data if not again or was is None else was.data,
    )  # fmt: skip


def _resent(state: State, entry: Entry, at: datetime) -> None:
    _renew(state, entry, at + timedelta(seconds=entry.data["resend_s"]))


def _accepted(state: State, entry: Entry, at: datetime) -> None:
    node = _node(entry)
    step = state.steps[node]
    if step.status == StepStatus.SCHEDULED:
        state.steps[node] = _moved(step, "accept")
    _renew(state, entry, at + timedelta(seconds=entry.data["lease_s"]))


def _renew(state: State, entry: Entry, due_at: datetime) -> None:
    was = state.pending[_node(entry)]
    state.pending[was.node] = Pending(
        was.node, was.visit, was.kind, was.attempt, due_at, was.deadline_at, was.since, {**was.data, **entry.data}
    )


def _retrying(state: State, entry: Entry, at: datetime) -> None:
    node = _node(entry)
    was = state.pending[node]
    step = state.steps[node]
    state.steps[node] = Step(step.visit, move_step(step.status, "retry"), None, None, entry.data["error"], step.attempts, step.started_at)
    state.pending[node] = Pending(
        node, was.visit, "retry", was.attempt, moment(entry.data["retry_at"]), was.deadline_at, was.since, was.data
    )


def _rests(state: State, entry: Entry, at: datetime) -> None:
    node, data = _node(entry), entry.data
    state.steps[node] = Step(visit=entry.visit, status=StepStatus.WAITING, attempts=1, started_at=at)
    state.scopes[data.get("graph", "")] = node
    state.quiet = 0
    state.pending[node] = Pending(
        node=node, visit=entry.visit, kind=data["kind"], since=at, due_at=moment(data.get("due_at")),
        deadline_at=moment(data.get("deadline_at")), data=data,
    )  # fmt: skip


def _entered(state: State, entry: Entry, at: datetime) -> None:
    node, data = _node(entry), entry.data
    state.steps[node] = Step(visit=entry.visit, status=StepStatus.RUNNING, attempts=entry.attempt, started_at=at)
    state.scopes[data.get("graph", "")] = node
    state.pending[node] = Pending(
        node=node, visit=entry.visit, kind="scope", attempt=entry.attempt, since=at,
        deadline_at=moment(data.get("deadline_at")), data=data,
    )  # fmt: skip


def _vars_set(state: State, entry: Entry, at: datetime) -> None:
    state.vars.update(entry.data["vars"])


def _completed(state: State, entry: Entry, at: datetime) -> None:
    node, data = _node(entry), entry.data
    before = state.steps.get(node)
    running = before is not None and before.visit == entry.visit
    state.steps[node] = Step(
        visit=entry.visit,
        status=move_step(before.status, "complete") if before is not None and running else StepStatus.COMPLETED,
        outcome=data.get("outcome", "done"),
        output=data.get("output"),
        attempts=before.attempts if before is not None and running else 1,
        started_at=before.started_at if before is not None and running else at,
        completed_at=at,
    )
    if "vars" in data:
        state.vars.update(data["vars"])
    state.pending.pop(node, None)
    state.quiet += 1
    _close(state, node)


def _step_failed(state: State, entry: Entry, at: datetime) -> None:
    node, data = _node(entry), entry.data
    before = state.steps.get(node)
    running = before is not None and before.visit == entry.visit
    state.steps[node] = Step(
        visit=entry.visit,
        status=move_step(before.status, "fail") if before is not None and running else StepStatus.FAILED,
        outcome=data.get("outcome", "error"),
        error=data["error"],
        attempts=before.attempts if before is not None and running else 1,
        started_at=before.started_at if before is not None and running else at,
        completed_at=at,
    )
    state.pending.pop(node, None)
    state.quiet += 1
    _close(state, node)


def _step_cancelled(state: State, entry: Entry, at: datetime) -> None:
    node = _node(entry)
    step = state.steps[node]
    state.steps[node] = Step(step.visit, move_step(step.status, "cancel"), None, None, None, step.attempts, step.started_at, at)
    state.pending.pop(node, None)
    _close(state, node)


def _close(state: State, node: str) -> None:
    """A scope node that ends takes the position inside it along; its graph has its own id."""
    state.scopes.pop(node, None)


def _kept(state: State, entry: Entry, at: datetime) -> None:
    data = entry.data
    kept = KeptSignal(data["signal_id"], data["name"], data.get("payload"), data.get("user"), moment(data["expires_at"]) or at)
    state.kept = (*state.kept, kept)
    _remember(state, kept.signal_id)


def _delivered(state: State, entry: Entry, at: datetime) -> None:
    signal_id = entry.data["signal_id"]
    state.kept = tuple(kept for kept in state.kept if kept.signal_id != signal_id)
    _remember(state, signal_id)


def _expired(state: State, entry: Entry, at: datetime) -> None:
    state.kept = tuple(kept for kept in state.kept if kept.signal_id != entry.data["signal_id"])


def _remember(state: State, signal_id: str) -> None:
    if signal_id not in state.seen:
        state.seen = (*state.seen, signal_id)[-SEEN_SIGNALS:]


def _nothing(state: State, entry: Entry, at: datetime) -> None:
    """The entry is history and a message; it changes no state."""


def _moved(step: Step, move: str) -> Step:
    return Step(
        step.visit, move_step(step.status, move), step.outcome, step.output, step.error, step.attempts,
        step.started_at, step.completed_at,
    )  # fmt: skip


def _node(entry: Entry) -> str:
    if entry.node is None:
        raise KeyError(f"a {entry.kind} entry names no node")
    return entry.node


CHANGES: Final[dict[str, Change]] = {
    e.STARTED: _started,
    e.VARS_SET: _vars_set,
    e.SKIPPED: _refused,
    e.REJECTED: _refused,
    e.WAITING: _waiting,
    e.RESUMED: _resumed,
    e.COMPLETED: _ended("complete"),
    e.FAILED: _ended("fail"),
    e.TIMED_OUT: _ended("time_out"),
    e.CANCELLED: _ended("cancel"),
    e.STEP_SCHEDULED: _scheduled,
    e.STEP_RESENT: _resent,
    e.STEP_ACCEPTED: _accepted,
    e.STEP_RETRYING: _retrying,
    e.STEP_WAITING: _rests,
    e.STEP_COMPLETED: _completed,
    e.STEP_FAILED: _step_failed,
    e.STEP_CANCELLED: _step_cancelled,
    e.SCOPE_ENTERED: _entered,
    e.SIGNAL_KEPT: _kept,
    e.SIGNAL_DELIVERED: _delivered,
    e.SIGNAL_EXPIRED: _expired,
    e.EVENT_PUBLISHED: _nothing,
}
