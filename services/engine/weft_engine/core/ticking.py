"""What time alone does: wake-ups, deadlines, leases, next attempts. All of it is in the state, so a late or repeated tick is harmless."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from weft_engine.core import entries as e
from weft_engine.core.entries import Entry
from weft_engine.core.evolve import moment
from weft_engine.core.failures import failure
from weft_engine.core.holding import hold, request_held_up
from weft_engine.core.running import take_up
from weft_engine.core.sla import ON_TRACK
from weft_engine.core.state import Pending
from weft_engine.core.turn import Entering, Turn
from weft_engine.machine import StepStatus


def watch(turn: Turn) -> None:
    """Say of the sla what has come to pass by now, each once. It is said before whatever happens now, so that no end comes before it."""
    level = turn.state.sla
    if level is None or level.next_at is None or level.next_at > turn.now:
        return
    if level.status == ON_TRACK:
        turn.emit(e.SLA_WARNED, due_at=level.due_at)
    if level.due_at <= turn.now:
        turn.emit(e.SLA_BREACHED, due_at=level.due_at)


def tick(turn: Turn, fail_attempt: Callable[[Turn, Pending, dict[str, Any]], None]) -> None:
    """Do everything that is due by now. fail_attempt: what an attempt that was given up does."""
    state, now = turn.state, turn.now
    if state.deadline_at is not None and state.deadline_at <= now:
        error = failure("max_duration", f"the execution did not end within its max_duration, by {state.deadline_at.isoformat()}", None)
        turn.fail_execution(error, e.TIMED_OUT)
        return
    if state.ready:
        take_up(turn)
    for place in list(state.pending):
        pending = state.pending.get(place)
        if pending is None or state.ended:
            continue
        if pending.deadline_at is not None and pending.deadline_at <= now:
            turn.time_out(turn.at(pending))
        elif pending.due_at is not None and pending.due_at <= now:
            _due(turn, pending, fail_attempt)


def _due(turn: Turn, pending: Pending, fail_attempt: Callable[[Turn, Pending, dict[str, Any]], None]) -> None:
    if pending.kind == "timer":
        turn.finish(turn.at(pending), "done", {"woke_at": turn.now.isoformat()})
    elif pending.kind == "signal":
        name = next(str(name) for name, at in pending.data["after"] if (moment(at) or turn.now) <= turn.now)
        turn.finish(turn.at(pending), name, None, **pending.subscribed)
    elif pending.kind == "retry":
        _try_again(turn, pending)
    elif pending.kind == "again":
        error = turn.state.steps_in(pending.scope)[pending.node].error
        turn.emit(e.STEP_FAILED, turn.at(pending), outcome="error", error=error, again=True)
        turn.ready.append(Entering(pending.node, pending.scope))
    elif pending.kind == "activity" and turn.state.steps_in(pending.scope)[pending.node].status == StepStatus.RUNNING:
        message = f"the worker that accepted {pending.node} gave no heartbeat for {pending.data['lease_s']:g} s"
        fail_attempt(turn, pending, failure("lease_expired", message, pending.node, pending.attempt))
    else:
        # Nobody answered: the request may have been lost with a broker's disk, so it goes out again, as the same attempt.
        wait_s = min(2 * float(pending.data["resend_s"]), LONGEST_RESEND_S)
        entry = Entry(e.STEP_RESENT, pending.node, pending.visit, pending.attempt, {"resend_s": wait_s}, pending.scope)
        turn.write(entry)


def _try_again(turn: Turn, pending: Pending) -> None:
    held = request_held_up(turn, pending.data)
    if held is not None:
        hold(turn, pending.node, pending.visit, pending.attempt, pending.scope, held, {})
    else:
        turn.write(Entry(e.STEP_SCHEDULED, pending.node, pending.visit, pending.attempt + 1, pending.data, pending.scope))


LONGEST_RESEND_S: Final = 3_600.0
"""Seconds between two sendings of a request that nobody answers, at most."""
