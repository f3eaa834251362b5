"""How an execution as a whole changes: its beginning, its rests and pauses, its end."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from weft_engine.core import entries as e
from weft_engine.core import sla
from weft_engine.core.entries import Entry
from weft_engine.core.evolve.change import Change, moment, nothing
from weft_engine.core.state import Pending, Place, Progress, State
from weft_engine.machine import move_execution

FAILING: Final[Place] = ("", 0)
"""Where the undoing before a bad end stands among what is pending: it belongs to no node."""


def _queued(state: State, entry: Entry, at: datetime) -> None:
    """It waits until it is admitted: what it begins with is here, and its start has only to say that it does."""
    state.begun = entry.data
    state.gates = tuple(gate["name"] for gate in entry.data["gates"])
    _begin(state, entry.data)


def _started(state: State, entry: Entry, at: datetime) -> None:
    data = entry.data if state.begun is None else state.begun
    state.status = move_execution(state.status, "start")
    state.started_at = at
    state.begun = None
    _begin(state, data)
    state.sla = sla.read(entry.data.get("sla"))
    if (limit := data.get("max_duration_s")) is not None:
        state.deadline_at = at + timedelta(seconds=limit)


def _begin(state: State, data: dict[str, Any]) -> None:
    state.input = data.get("input", {})
    state.trigger = data.get("trigger", {})
    state.vars = dict(data.get("vars", {}))
    state.key = data.get("key")
    state.labels = data.get("labels", {})
    state.priority = data.get("priority", 0)
    state.caller = data.get("caller")
    state.traceparent = data.get("traceparent")
    if "passed" in data:
        state.gates = (*state.gates, *(gate for gate in data["passed"] if gate not in state.gates))


def _refused(state: State, entry: Entry, at: datetime) -> None:
    state.status = move_execution(state.status, "fail" if entry.kind == e.REJECTED else "cancel")
    state.started_at = state.completed_at = at
    state.error = entry.data.get("error")
    if state.begun is None:
        state.trigger = entry.data.get("trigger", {})
        state.key = entry.data.get("key")
        state.caller = entry.data.get("caller")
    state.begun = None


def _retry_queued(state: State, entry: Entry, at: datetime) -> None:
    """It is as it ended, and waits to be let in. What happens to it then is decided then."""
    state.status = move_execution(state.status, "queue_retry")
    state.begun = entry.data
    state.gates = tuple(dict.fromkeys((*state.gates, *(gate["name"] for gate in entry.data["gates"]))))
    state.completed_at = state.deadline_at = None
    called_again(state, entry, at)


def called_again(state: State, entry: Entry, at: datetime) -> None:
    """Another visit of its caller waits for its end, where the entry says so."""
    if "asked_by" in entry.data:
        node, visit = entry.data["asked_by"]
        state.asked_by = (node, visit)


def _retry_withdrawn(state: State, entry: Entry, at: datetime) -> None:
    """It has ended as it had before the retry was asked for."""
    state.status = move_execution(state.status, f"withdraw_{entry.data['was']}")
    state.completed_at = moment(entry.data["ended_at"])
    state.kept = state.held = ()
    state.paused = state.begun = None


def _moved(move: str) -> Change:
    def change(state: State, entry: Entry, at: datetime) -> None:
        state.status = move_execution(state.status, move)

    return change


def _ended(move: str) -> Change:
    def end(state: State, entry: Entry, at: datetime) -> None:
        state.status = move_execution(state.status, move)
        state.completed_at = at
        state.output = entry.data.get("output")
        state.error = entry.data.get("error")
        state.pending.clear()
        state.scopes.clear()
        state.undo.clear()
        state.kept = state.ready = state.held = ()
        state.failing = state.paused = state.begun = None

    return end


def _paused(state: State, entry: Entry, at: datetime) -> None:
    """Somebody may pause it who finds it paused with its caller."""
    if state.paused is None:
        state.status = move_execution(state.status, "pause")
    state.paused = {"since": at, **(state.paused or {}), **entry.data}


def _unpaused(state: State, entry: Entry, at: datetime) -> None:
    """Everything that time would have done is put off by the length of the pause, what is counted in working time as the entry says.

    What was held is taken up by the same transition.
    """
    state.status = move_execution(state.status, "resume" if state.begun is None else "queue_again")
    since = moment((state.paused or {}).get("since")) or at
    state.paused, state.held = None, ()
    pause = at - since
    if state.started_at is not None:
        state.rests = (*state.rests, (since, at))
    if "sla" in entry.data:
        state.sla = sla.read(entry.data["sla"])
    for pending in state.pending.values():
        pending.due_at = _later(pending.due_at, pause)
        pending.deadline_at = _later(pending.deadline_at, pause)
        if "after" in pending.data:
            after = [[name, _later(moment(due), pause)] for name, due in pending.data["after"]]
            pending.data = {**pending.data, "after": after}
    for node, visit, due_at in entry.data.get("waits", ()):
        state.pending[node, visit].due_at = moment(due_at)
    state.deadline_at = _later(state.deadline_at, pause)
    state.kept = tuple(_prolonged(kept, pause) for kept in state.kept)


def _later(due: datetime | None, pause: timedelta) -> datetime | None:
    return None if due is None else due + pause


def _prolonged(kept: Any, pause: timedelta) -> Any:
    return type(kept)(kept.signal_id, kept.name, kept.payload, kept.user, kept.expires_at + pause, kept.event)


def _held(state: State, entry: Entry, at: datetime) -> None:
    # Without what the entry tells of its tenant, so that the same item is known again (tests/engine/core/test_pausing.py).
    state.held = (*state.held, {name: entry.data[name] for name in ("type", "item")})


def _yielded(state: State, entry: Entry, at: datetime) -> None:
    state.ready = tuple((node, visit, scope) for node, visit, scope in entry.data["ready"])


def _continued(state: State, entry: Entry, at: datetime) -> None:
    state.ready = ()


def _compensating(state: State, entry: Entry, at: datetime) -> None:
    data = entry.data
    state.failing = {name: data[name] for name in ("error", "kind", "output") if name in data}
    state.deadline_at, state.ready = None, ()
    queue: list[Place] = [(node, visit) for node, visit in data["queue"]]
    state.pending[FAILING] = Pending("", 0, "compensate", since=at, progress=Progress(queue=queue))


def _vars_set(state: State, entry: Entry, at: datetime) -> None:
    state.vars.update(entry.data["vars"])


def _sla_said(status: sla.Status) -> Change:
    def say(state: State, entry: Entry, at: datetime) -> None:
        state.sla = None if state.sla is None else replace(state.sla, status=status)

    return say


EXECUTION_CHANGES: Final[dict[str, Change]] = {
    e.QUEUED: _queued,
    e.STARTED: _started,
    e.RETRY_QUEUED: _retry_queued,
    e.CALLED_AGAIN: called_again,
    e.RETRY_WITHDRAWN: _retry_withdrawn,
    e.VARS_SET: _vars_set,
    e.SKIPPED: _refused,
    e.REJECTED: _refused,
    e.WAITING: _moved("wait"),
    e.RESUMED: _moved("wake"),
    e.PAUSED: _paused,
    e.UNPAUSED: _unpaused,
    e.ITEM_HELD: _held,
    e.YIELDED: _yielded,
    e.CONTINUED: _continued,
    e.COMPENSATING: _compensating,
    e.SLA_WARNED: _sla_said(sla.WARNED),
    e.SLA_BREACHED: _sla_said(sla.BREACHED),
    e.COMPLETED: _ended("complete"),
    e.FAILED: _ended("fail"),
    e.TIMED_OUT: _ended("time_out"),
    e.CANCELLED: _ended("cancel"),
    e.EVENT_PUBLISHED: nothing,
    e.CHILD_CALLED: nothing,
}
