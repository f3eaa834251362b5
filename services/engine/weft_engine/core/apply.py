"""The engine's decision: what an item does to an execution. Applying the same item twice changes nothing the second time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from zlib import crc32

from weft_language.compilation import Program
from weft_language.expressions import ExpressionError

from weft_engine.core import entries as e
from weft_engine.core import items as i
from weft_engine.core.entries import Entry
from weft_engine.core.nodes import enter
from weft_engine.core.signals import Answer, receive
from weft_engine.core.state import Pending, State
from weft_engine.core.ticking import tick
from weft_engine.core.turn import MAX_JOURNAL, RUNAWAY, Context, Turn, failure
from weft_engine.machine import ExecutionStatus


@dataclass(frozen=True, slots=True)
class Transition:
    """What applying an item gives. entries: empty when nothing changed.  answer: for who asked, when somebody did."""

    state: State
    entries: list[Entry]
    answer: Answer | None = None


def apply(state: State, item: i.Happening, now: datetime, program: Program, context: Context) -> Transition:
    """The next state, and the entries that lead to it. `state` itself is left as it is.

    now: UTC, not before the execution's last transition.  program: the version that the execution runs.
    """
    if state.ended:
        return Transition(state, [], too_late(state, item))
    turn = Turn(state.draft(), program, now, context)
    answer = HAPPEN[type(item)](turn, item)
    if turn.entries:
        run(turn)
        _settle(turn)
    return Transition(turn.state, turn.entries, answer) if turn.entries else Transition(state, [], answer)


def run(turn: Turn) -> None:
    """Enter what is ready until nothing is: everything that needs no outside help happens in one transition."""
    while turn.ready and not turn.state.ended:
        node = turn.program.nodes[turn.ready.popleft()]
        if turn.state.quiet >= RUNAWAY:
            message = f"{RUNAWAY} transitions without a wait, the last at {node.id}: a cycle here never rests"
            turn.fail_execution(failure("runaway", message, node.id, permanent=True))
        elif turn.state.position >= MAX_JOURNAL:
            message = f"{MAX_JOURNAL} entries in the history; start a fresh execution from here on, by publishing an event or a call"
            turn.fail_execution(failure("history_too_long", message, node.id, permanent=True))
        else:
            enter(turn, node)


def _settle(turn: Turn) -> None:
    """Say when an execution comes to rest or wakes; one that only waits for a worker's answer keeps running."""
    state = turn.state
    if state.ended:
        return
    resting = [pending for pending in state.pending.values() if pending.kind in _RESTS]
    busy = any(pending.kind in _BUSY for pending in state.pending.values())
    if resting and not busy and state.status == ExecutionStatus.RUNNING:
        first = min(resting, key=lambda pending: (pending.wake_at is None, pending.wake_at))
        until: dict[str, Any] = {"until": first.wake_at} if first.wake_at is not None else {}
        turn.emit(e.WAITING, first.node, first.visit, kind=first.kind, **until)
    elif busy and state.status == ExecutionStatus.WAITING:
        turn.emit(e.RESUMED)


_RESTS: Final = frozenset({"task", "timer", "signal"})
_BUSY: Final = frozenset({"activity", "retry"})


def _start(turn: Turn, item: i.Start) -> None:
    state, program = turn.state, turn.program
    if state.status != ExecutionStatus.QUEUED:
        return
    begun: dict[str, Any] = {"tenant": state.tenant, "workflow": state.workflow, "version": program.version, "trigger": item.trigger}
    if item.input:
        begun["input"] = item.input
    if item.key is not None:
        begun["key"] = item.key
    labels = {**program.labels, **item.labels}
    if labels:
        begun["labels"] = labels
    begun["priority"] = item.priority if item.priority is not None else program.settings.priority
    if state.traceparent is not None:
        begun["traceparent"] = state.traceparent
    if program.settings.max_duration_s is not None:
        begun["max_duration_s"] = program.settings.max_duration_s
    errors = program.input.errors(item.input)
    if errors:
        details = [{"pointer": f"/input{pointer}", "code": code, "detail": detail} for pointer, code, detail in errors]
        error = failure(
            "input_invalid", f"the input does not fit what {state.workflow} takes", None, permanent=True, details={"errors": details}
        )
        turn.emit(e.REJECTED, error=error, **begun)
        return
    turn.emit(e.STARTED, **begun)
    _initial_vars(turn)
    turn.ready.append(program.scopes[""].start)


def _initial_vars(turn: Turn) -> None:
    if not turn.program.vars:
        return
    try:
        values = {name: template.render(turn.names) for name, template in turn.program.vars.items()}
    except ExpressionError as error:
        turn.fail_execution(failure(error.code, f"the initial vars: {error.message}", None, permanent=True))
        return
    turn.emit(e.VARS_SET, vars=values)


def _cancel(turn: Turn, item: i.Cancel) -> Answer:
    turn.cancel_pending()
    turn.emit(e.CANCELLED, reason=item.reason, by=item.user)
    return Answer(200)


def _signal(turn: Turn, item: i.Signal) -> Answer:
    return receive(turn, item)


def _complete_step(turn: Turn, item: i.CompleteStep) -> None:
    pending = turn.state.pending.get(item.node)
    if pending is not None and pending.visit == item.visit and pending.kind == "task":
        turn.finish(turn.program.nodes[item.node], item.visit, item.outcome, item.output)


def _fail_step(turn: Turn, item: i.FailStep) -> None:
    pending = turn.state.pending.get(item.node)
    if pending is not None and pending.visit == item.visit and pending.kind == "task":
        turn.fail(turn.program.nodes[item.node], item.visit, {**item.error, "node": item.node})


def _activity_completed(turn: Turn, item: i.ActivityCompleted) -> None:
    if _open(turn, item) is not None:
        turn.finish(turn.program.nodes[item.node], item.visit, item.outcome, item.output)


def _activity_failed(turn: Turn, item: i.ActivityFailed) -> None:
    pending = _open(turn, item)
    if pending is not None:
        fail_attempt(turn, pending, {**item.error, "node": item.node, "attempt": item.attempt})


def fail_attempt(turn: Turn, pending: Pending, error: dict[str, Any]) -> None:
    """An attempt failed: try again by the node's policy, else end the visit with the error."""
    node = turn.program.nodes[pending.node]
    step = turn.state.steps[pending.node]
    elapsed = (turn.now - step.started_at).total_seconds() if step.started_at is not None else 0.0
    delay = None
    if node.retry.covers(str(error.get("code", "")), permanent=bool(error.get("permanent"))):
        delay = node.retry.delay(pending.attempt, _spread(turn.state, pending), elapsed)
    if delay is None:
        turn.fail(node, pending.visit, error)
    else:
        turn.emit(e.STEP_RETRYING, node.id, pending.visit, pending.attempt, error=error, retry_at=turn.now + timedelta(seconds=delay))


def _spread(state: State, pending: Pending) -> float:
    """A number in [0, 1) for the jitter: the same for the same attempt, so a replay waits as long."""
    return crc32(f"{state.id}:{pending.node}:{pending.visit}:{pending.attempt}".encode()) / 2**32


def _accepted(turn: Turn, item: i.ActivityAccepted | i.ActivityHeartbeat) -> None:
    if _open(turn, item) is not None:
        turn.emit(e.STEP_ACCEPTED, item.node, item.visit, item.attempt, lease_s=turn.context.lease_s)


def _open(turn: Turn, item: i.ActivityCompleted | i.ActivityFailed | i.ActivityAccepted | i.ActivityHeartbeat) -> Pending | None:
    pending = turn.state.pending.get(item.node)
    if pending is None or pending.kind != "activity" or (pending.visit, pending.attempt) != (item.visit, item.attempt):
        return None
    return pending


def _tick(turn: Turn, item: i.Tick) -> None:
    tick(turn, fail_attempt)


def too_late(state: State, item: i.Happening) -> Answer | None:
    """What an execution that has ended answers; items that nobody waits an answer for change nothing and get none."""
    if isinstance(item, (i.Cancel, i.Signal)):
        verb = "cancelled" if isinstance(item, i.Cancel) else "signalled"
        return Answer(409, "execution_ended", f"execution {state.id} is {state.status} and cannot be {verb} any more")
    return None


HAPPEN: Final[dict[type[Any], Callable[[Turn, Any], Answer | None]]] = {
    i.Start: _start,
    i.Cancel: _cancel,
    i.Signal: _signal,
    i.CompleteStep: _complete_step,
    i.FailStep: _fail_step,
    i.ActivityCompleted: _activity_completed,
    i.ActivityFailed: _activity_failed,
    i.ActivityAccepted: _accepted,
    i.ActivityHeartbeat: _accepted,
    i.Tick: _tick,
}
