"""The engine's decision: what an item does to an execution. Applying the same item twice changes nothing the second time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from weft_language.compilation import Program
from weft_language.expressions import TOGETHER_STEPS, Meter

from weft_engine.core import enhancing
from weft_engine.core import entries as e
from weft_engine.core import items as i
from weft_engine.core.again import awake_s, spread
from weft_engine.core.context import Context
from weft_engine.core.entries import Entry
from weft_engine.core.failures import not_before_s, told
from weft_engine.core.listening import hear
from weft_engine.core.nodes import begin_own
from weft_engine.core.nodes.undoing import answered, undoing_node
from weft_engine.core.pausing import hold, pause, resume
from weft_engine.core.queued import withdraw
from weft_engine.core.recalling import is_lost
from weft_engine.core.running import run, settle
from weft_engine.core.signals import Answer, receive
from weft_engine.core.starting import admit, skip, start
from weft_engine.core.state import Pending, State
from weft_engine.core.ticking import tick, watch
from weft_engine.core.turn import Entering, Turn


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
    transition = advance(state.draft(), item, now, program, context)
    return transition if transition.entries else Transition(state, [], transition.answer)


def advance(state: State, item: i.Happening, now: datetime, program: Program, context: Context) -> Transition:
    """As `apply`, but in place: the fast way for who can forget the state and fold it anew when the entries cannot be kept.

    Where this raises, the state may be changed in part and must be thrown away.
    """
    if state.ended:
        return Transition(state, [], too_late(state, item))
    turn = Turn(state, program, now, context)
    if state.sla is not None and state.paused is None and state.begun is None:
        watch(turn)
    with Meter(TOGETHER_STEPS):
        answer = hold(turn, item, happen) if state.paused is not None else happen(turn, item)
    if turn.entries or turn.ready:
        run(turn)
        settle(turn)
    return Transition(state, turn.entries, answer)


def happen(turn: Turn, item: i.Happening) -> Answer | None:
    """Let an item happen to an execution that is not paused; what it makes ready is still to be run."""
    return HAPPEN[type(item)](turn, item)


def _cancel(turn: Turn, item: i.Cancel) -> Answer:
    if turn.state.retrying:
        withdraw(turn, by=item.user, reason=item.reason)
        return Answer(200)
    turn.cancel_pending()
    turn.emit(e.CANCELLED, reason=item.reason, by=item.user)
    return Answer(200)


def _resume(turn: Turn, item: i.Resume) -> Answer | None:
    return resume(turn, item, happen)


def _complete_step(turn: Turn, item: i.CompleteStep) -> None:
    pending = turn.state.awaited(item.node, item.visit)
    if pending is not None and pending.kind in _ELSEWHERE:
        turn.finish(turn.at(pending), item.outcome, item.output)


def _fail_step(turn: Turn, item: i.FailStep) -> None:
    pending = turn.state.awaited(item.node, item.visit)
    if pending is not None and pending.kind in _ELSEWHERE:
        at, error = turn.at(pending), told(item.error, pending.node)
        if is_lost(pending, item.error):
            turn.emit(e.STEP_FAILED, at, outcome="error", error=error, again=True)
            turn.ready.append(Entering(at.node.id, at.scope))
            return
        # A task's ladder may end it as the node's own `timeout` does.
        late = pending.kind == "task" and error.get("code") == "timeout" and at.node.edges.get("timeout")
        turn.fail(at, error, "timeout" if late else "error")


_ELSEWHERE: Final = frozenset({"task", "child"})
"""Kinds of waiting that a `step.complete` or `step.fail` ends."""


def _activity_completed(turn: Turn, item: i.ActivityCompleted) -> None:
    if (waits := _enhancing(turn, item)) is not None:
        enhancing.answered(turn, waits, item.output, begin_own)
        return
    pending = _open(turn, item)
    if pending is None:
        return
    if "by" in pending.data:
        answered(turn, pending, None, item.output)
    else:
        turn.finish(turn.at(pending), item.outcome, item.output)


def _activity_failed(turn: Turn, item: i.ActivityFailed) -> None:
    if (waits := _enhancing(turn, item)) is not None:
        enhancing.failed(turn, waits, item.error, begin_own)
        return
    pending = _open(turn, item)
    if pending is not None:
        fail_attempt(turn, pending, told(item.error, pending.node, item.attempt))


def fail_attempt(turn: Turn, pending: Pending, error: dict[str, Any]) -> None:
    """An attempt failed: try again by the node's policy, else end the visit with the error."""
    undoing = "by" in pending.data
    node = undoing_node(pending) if undoing else turn.program.nodes[pending.node]
    step = turn.state.steps_in(pending.scope)[pending.node]
    elapsed = awake_s(turn.state, step.since, turn.now) if step.since is not None else 0.0
    delay = None
    if node.retry.covers(str(error.get("code", "")), permanent=bool(error.get("permanent"))):
        delay = node.retry.delay(pending.attempt, spread(turn.state, *pending.place, pending.attempt), elapsed, not_before_s(error))
    if delay is not None:
        data = {"error": error, "retry_at": turn.now + timedelta(seconds=delay)}
        turn.write(Entry(e.STEP_RETRYING, pending.node, pending.visit, pending.attempt, data, pending.scope))
    elif undoing:
        answered(turn, pending, error)
    else:
        turn.fail(turn.at(pending), error)


def _accepted(turn: Turn, item: i.ActivityAccepted | i.ActivityHeartbeat) -> None:
    pending = _open(turn, item)
    if pending is not None:
        entry = Entry(e.STEP_ACCEPTED, pending.node, pending.visit, item.attempt, {"lease_s": turn.context.lease_s}, pending.scope)
        turn.write(entry)


def _open(turn: Turn, item: i.ActivityCompleted | i.ActivityFailed | i.ActivityAccepted | i.ActivityHeartbeat) -> Pending | None:
    pending = turn.state.awaited(item.node, item.visit)
    return pending if pending is not None and pending.kind == "activity" and pending.attempt == item.attempt else None


def _enhancing(turn: Turn, item: i.ActivityCompleted | i.ActivityFailed) -> Pending | None:
    pending = turn.state.awaited(item.node, item.visit)
    return pending if pending is not None and pending.kind == enhancing.KIND else None


def _tick(turn: Turn, item: i.Tick) -> None:
    tick(turn, fail_attempt)


def too_late(state: State, item: i.Happening) -> Answer | None:
    """What an execution that has ended answers; items that nobody waits an answer for change nothing and get none."""
    done = _DONE.get(type(item))
    if done is None:
        return None
    return Answer(409, "execution_ended", f"execution {state.id} is {state.status} and cannot be {done} any more")


_DONE: Final[dict[type[Any], str]] = {
    i.Cancel: "cancelled",
    i.Pause: "paused",
    i.Resume: "resumed",
    i.Signal: "signalled",
    i.Migrate: "migrated",
    i.UndoMigration: "migrated back",
}

HAPPEN: Final[dict[type[Any], Callable[[Turn, Any], Answer | None]]] = {
    i.Start: start,
    i.Admit: admit,
    i.Skip: skip,
    i.Cancel: _cancel,
    i.Pause: pause,
    i.Resume: _resume,
    i.Signal: receive,
    i.DomainEvent: hear,
    i.CompleteStep: _complete_step,
    i.FailStep: _fail_step,
    i.ActivityCompleted: _activity_completed,
    i.ActivityFailed: _activity_failed,
    i.ActivityAccepted: _accepted,
    i.ActivityHeartbeat: _accepted,
    i.Tick: _tick,
}
