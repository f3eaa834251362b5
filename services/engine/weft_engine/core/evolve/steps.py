"""How a visit of a node changes: asked for, accepted, tried again, resting, ended, undone."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from weft_engine.core import entries as e
from weft_engine.core import walking
from weft_engine.core.entries import Entry
from weft_engine.core.evolve.change import Change, moment, node_of
from weft_engine.core.reuse import take
from weft_engine.core.state import ROOT, Pending, State, Step, Undo
from weft_engine.machine import StepStatus, move_step


def begin(state: State, entry: Entry, at: datetime, status: str, attempts: int = 1) -> Step:
    """The record of a visit that begins. It becomes the newest of its node, and the one that its scope knows."""
    node, steps = node_of(entry), state.steps_in(entry.scope)
    before = steps.get(node)
    if before is not None and before.visit == entry.visit and before.enhancement is not None and before.completed_at is None:
        before.status, before.attempts = status, max(before.attempts, attempts)
        return before
    step = Step(entry.visit, status, attempts=attempts, started_at=at, since=at)
    tried_again = before is not None and before.again
    if before is not None and tried_again:
        step.attempts, step.since, step.waited_s = before.attempts + 1, before.since, before.waited_s
        if entry.kind in _ENHANCING:
            step.until = before.until
    steps[node] = step
    newest = before if steps is state.steps else state.steps.get(node)
    if newest is None or newest.visit <= entry.visit:
        state.steps[node] = step
        if newest is not None and not newest.again:
            walking.count(state.walked, node, newest)
    if not tried_again and (entry.scope == ROOT or state.in_sequence(entry.scope)):
        state.way = walking.onward(state.way, node)
    return step


def _open_step(state: State, entry: Entry) -> Step | None:
    """The record of the visit an entry is about, None when this entry is its first."""
    step = state.steps_in(entry.scope).get(node_of(entry))
    return step if step is not None and step.visit == entry.visit else None


def _scheduled(state: State, entry: Entry, at: datetime) -> None:
    node, data = node_of(entry), entry.data
    step = _open_step(state, entry)
    was = state.pending.get((node, entry.visit))
    if step is None or was is None:
        begin(state, entry, at, StepStatus.SCHEDULED, entry.attempt)
        deadline_at = moment(data.get("deadline_at"))
    else:
        step.status, step.attempts, step.error = move_step(step.status, "reschedule"), entry.attempt, None
        walking.waited(step, was, at)
        deadline_at, data = was.deadline_at, {name: value for name, value in was.data.items() if name not in _OF_A_GATE}
    _let_in(state, entry)
    state.quiet = 0
    due_at = at + timedelta(seconds=data["resend_s"])
    state.pending[node, entry.visit] = Pending(node, entry.visit, "activity", entry.scope, entry.attempt, due_at, deadline_at, at, data)


def _resent(state: State, entry: Entry, at: datetime) -> None:
    _renew(state, entry, at + timedelta(seconds=entry.data["resend_s"]))


def _accepted(state: State, entry: Entry, at: datetime) -> None:
    step = _open_step(state, entry)
    if step is not None and step.status == StepStatus.SCHEDULED:
        step.status = move_step(step.status, "accept")
    _renew(state, entry, at + timedelta(seconds=entry.data["lease_s"]))


def _renew(state: State, entry: Entry, due_at: datetime) -> None:
    pending = state.pending[node_of(entry), entry.visit]
    pending.due_at = due_at
    pending.data = {**pending.data, **entry.data}


def _retrying(state: State, entry: Entry, at: datetime) -> None:
    pending = state.pending[node_of(entry), entry.visit]
    step = _open_step(state, entry)
    if step is not None:
        step.status, step.error = move_step(step.status, "retry"), entry.data["error"]
        walking.waited(step, pending, at)
    state.quiet = 0
    pending.kind, pending.due_at, pending.since = "retry" if pending.kind == "activity" else "again", moment(entry.data["retry_at"]), at
    _close_scopes(state, pending)


def _held(state: State, entry: Entry, at: datetime) -> None:
    """The next attempt waits at a gate; of an undoing it may be the first."""
    data, gate = entry.data, entry.data["gate"]
    was = state.pending.get((node_of(entry), entry.visit))
    if was is None:
        begin(state, entry, at, StepStatus.RETRYING, entry.attempt)
        was = Pending(node_of(entry), entry.visit, "retry", entry.scope, entry.attempt, data=data)
    step = _open_step(state, entry)
    if step is not None:
        walking.waited(step, was, at)
    state.quiet = 0
    _at_gate(state, gate)
    state.pending[was.place] = replace(was, due_at=None, since=at, data={**was.data, "gate": gate})


def _at_gate(state: State, gate: str) -> None:
    if gate not in state.gates:
        state.gates = (*state.gates, gate)


def _let_in(state: State, entry: Entry) -> None:
    gate = entry.data.get("gate")
    if gate is not None and gate not in state.let_in:
        state.let_in = (*state.let_in, gate)


def _rests(state: State, entry: Entry, at: datetime) -> None:
    node, data = node_of(entry), entry.data
    begin(state, entry, at, StepStatus.WAITING)
    state.quiet = 0
    if data["kind"] == "suspended":
        _at_gate(state, data["gate"])
    state.pending[node, entry.visit] = Pending(
        node, entry.visit, data["kind"], entry.scope, 1, moment(data.get("due_at")), moment(data.get("deadline_at")), at, data
    )


def _enhancing(state: State, entry: Entry, at: datetime) -> None:
    """Before its work the visit begins with this; after it, nothing is left of what it waited for."""
    node, data = node_of(entry), entry.data
    step = _open_step(state, entry) or begin(state, entry, at, StepStatus.WAITING)
    state.quiet = 0
    was = state.pending.pop((node, entry.visit), None)
    if was is not None:
        walking.waited(step, was, at)
        _close_scopes(state, was)
    due_at, deadline_at = moment(data["due_at"]), moment(data.get("deadline_at"))
    state.pending[node, entry.visit] = Pending(node, entry.visit, "enhancing", entry.scope, 1, due_at, deadline_at, at, data)


def _enhanced(state: State, entry: Entry, at: datetime) -> None:
    """What becomes of it is known, and the visit goes on with its own work; so it does when that was held up and is let in."""
    step = _open_step(state, entry)
    if step is None:
        step = begin(state, entry, at, StepStatus.WAITING)
    step.enhancement = entry.data["enhancement"]
    if step.attempts <= 1:  # its `retry` is for its own work, which begins now
        step.since = at
    step.until = _until(state, entry) or step.until
    state.pending.pop((node_of(entry), entry.visit), None)
    _let_in(state, entry)


def _completed(state: State, entry: Entry, at: datetime) -> None:
    data = entry.data
    step = _end(state, entry, at, "complete", StepStatus.COMPLETED, outcome=data.get("outcome", "done"), output=data.get("output"))
    if "enhancement" in data:
        step.enhancement = data["enhancement"]
    if "vars" in data:
        state.vars.update(data["vars"])
    if "ledger" in data:
        take(state.ledger, (node_of(entry), state.path(entry.scope)), data["ledger"])
    _overtaken(state, entry, step)


def _undo_recorded(state: State, entry: Entry, at: datetime) -> None:
    state.undo.append(Undo(node_of(entry), entry.visit, entry.data["request"]))


def _failed(state: State, entry: Entry, at: datetime) -> None:
    until = _until(state, entry)
    step = _end(state, entry, at, "fail", StepStatus.FAILED, outcome=entry.data.get("outcome", "error"), error=entry.data["error"])
    if entry.data.get("again"):
        step.again, step.until = True, until
    _overtaken(state, entry, step)


def _cancelled(state: State, entry: Entry, at: datetime) -> None:
    until = _until(state, entry)
    step = _end(state, entry, at, "cancel", StepStatus.CANCELLED, quiet=0)
    if entry.data.get("gate") is not None and step.attempts > 1:
        # The visit that follows is the attempt that this one was held up in.
        step.again, step.attempts, step.until = True, step.attempts - 1, until
    step.told = entry.data.get("gate") is not None  # it was only held up: the visit that follows is told of
    _overtaken(state, entry, step)
    _let_in(state, entry)


def _overtaken(state: State, entry: Entry, step: Step) -> None:
    """Count a visit that ends when the node has a newer one already, in another iteration."""
    node = node_of(entry)
    if state.steps.get(node) is not step and not step.again:
        walking.count(state.walked, node, step)


def _until(state: State, entry: Entry) -> datetime | None:
    """When the `timeout` of what waits is over, put off by its pauses."""
    pending = state.pending.get((node_of(entry), entry.visit))
    return None if pending is None else pending.deadline_at


def _end(
    state: State, entry: Entry, at: datetime, move: str, status: str, *,
    outcome: str | None = None, output: Any = None, error: dict[str, Any] | None = None, quiet: int = 1,
) -> Step:  # fmt: skip
    step = _open_step(state, entry)
    if step is None:
        step = begin(state, entry, at, status)
    else:
        step.status = move_step(step.status, move)
    step.outcome, step.output, step.error, step.completed_at = outcome, output, error, at
    state.quiet += quiet
    pending = state.pending.pop((node_of(entry), entry.visit), None)
    if pending is not None:
        if pending.kind != "activity":
            walking.waited(step, pending, at)
        _close_scopes(state, pending)
    return step


def _close_scopes(state: State, pending: Pending) -> None:
    for key in pending.progress.open:
        del state.scopes[key]
    if pending.progress.open:
        pending.progress.open = []


def _compensated(state: State, entry: Entry, at: datetime) -> None:
    node, error = node_of(entry), entry.data.get("error")
    owner, visit = entry.data["by"]
    progress = state.pending[owner, visit].progress
    for pending in state.pending.values():
        if pending.kind == "compensate":
            pending.progress.queue = [place for place in pending.progress.queue if place != (node, entry.visit)]
    if error is None:
        progress.results[len(progress.results)] = node
    else:
        progress.failed.append(node)
        progress.error = progress.error or error
    state.undo = [undo for undo in state.undo if (undo.node, undo.visit) != (node, entry.visit)]
    step = state.steps.get(node)
    if step is not None and step.visit == entry.visit and error is None:
        step.status = move_step(step.status, "compensate")


_OF_A_GATE: Final = frozenset({"gate", "held_by"})
_ENHANCING: Final = frozenset({e.STEP_ENHANCING, e.STEP_ENHANCED})


STEP_CHANGES: Final[dict[str, Change]] = {
    e.STEP_SCHEDULED: _scheduled,
    e.STEP_RESENT: _resent,
    e.STEP_ACCEPTED: _accepted,
    e.STEP_RETRYING: _retrying,
    e.STEP_HELD: _held,
    e.STEP_WAITING: _rests,
    e.STEP_ENHANCING: _enhancing,
    e.STEP_ENHANCED: _enhanced,
    e.STEP_COMPLETED: _completed,
    e.STEP_FAILED: _failed,
    e.STEP_CANCELLED: _cancelled,
    e.STEP_COMPENSATED: _compensated,
    e.UNDO_RECORDED: _undo_recorded,
}
