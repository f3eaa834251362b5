"""What time alone does: wake-ups, deadlines, leases, next attempts. All of it is in the state, so a late or repeated tick is harmless."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from operator import itemgetter
from typing import Any, Final

from weft_language.expressions import renew

from weft_engine.core import enhancing
from weft_engine.core import entries as e
from weft_engine.core.entries import Entry
from weft_engine.core.evolve import moment
from weft_engine.core.failures import failure
from weft_engine.core.holding import hold, request_held_up
from weft_engine.core.nodes import begin_own
from weft_engine.core.running import go_on, is_long, look, take_up
from weft_engine.core.sla import ON_TRACK
from weft_engine.core.state import Pending, Place
from weft_engine.core.turn import Entering, Turn
from weft_engine.machine import StepStatus

FailAttempt = Callable[[Turn, Pending, dict[str, Any]], None]


def watch(turn: Turn) -> None:
    """Say of the sla what has come to pass by now, each once. It is said before whatever happens now, so that no end comes before it."""
    level = turn.state.sla
    if level is None or level.next_at is None or level.next_at > turn.now:
        return
    if level.status == ON_TRACK:
        turn.emit(e.SLA_WARNED, due_at=level.due_at)
    if level.due_at <= turn.now:
        turn.emit(e.SLA_BREACHED, due_at=level.due_at)


def tick(turn: Turn, fail_attempt: FailAttempt) -> None:
    """Do everything that is due by now. fail_attempt: what an attempt that was given up does.

    An engine that was away finds much at once. What has ended meanwhile has ended in the order of its times; only then something begins,
    so that nothing is asked for within a timeout that is over.
    """
    if turn.state.ready:
        take_up(turn)
        look(turn)
    if _end(turn, fail_attempt):
        _begin(turn)
    go_on(turn)


def _end(turn: Turn, fail_attempt: FailAttempt) -> bool:
    """End what is over, the soonest first. Returns: whether that is all; the rest is left to the next tick where it is too much for one."""
    state, now = turn.state, turn.now
    over: list[tuple[datetime, Place | None, bool]] = []
    if state.deadline_at is not None and state.deadline_at <= now:
        over.append((state.deadline_at, None, True))
    for pending in state.pending.values():
        if pending.deadline_at is not None and pending.deadline_at <= now:
            over.append((pending.deadline_at, pending.place, True))
        if pending.due_at is not None and pending.due_at <= now and _ends(turn, pending):
            over.append((pending.due_at, pending.place, False))
    over.sort(key=itemgetter(0))
    for number, (_, place, limit) in enumerate(over):
        if state.ended or (number and is_long(turn)):
            return False
        renew()
        if place is None and state.deadline_at is None:
            continue  # it had failed before, and undoes what was done: that has no end by time
        if place is None:
            error = failure("max_duration", f"the execution did not end within its max_duration, by {over[number][0].isoformat()}", None)
            turn.fail_execution(error, e.TIMED_OUT)
            return False
        waits = state.pending.get(place)
        if waits is not None and not limit and waits.due_at is not None and waits.due_at <= now:
            _over(turn, waits, fail_attempt)
        elif waits is not None and limit and waits.deadline_at is not None and waits.deadline_at <= now:
            # Not where the work ended in time, and a model is waited for that may make something of its output.
            turn.time_out(turn.at(waits))
        look(turn)
    return not state.ended


def _ends(turn: Turn, pending: Pending) -> bool:
    """Whether what is due ends something, and does not begin it."""
    if pending.kind == enhancing.KIND:
        return bool(pending.data["apply"] == "output")
    return pending.kind in ("timer", "signal") or _is_leased(turn, pending)


def _is_leased(turn: Turn, pending: Pending) -> bool:
    """Whether a worker has accepted it, whose lease is over when it is due."""
    return pending.kind == "activity" and turn.state.steps_in(pending.scope)[pending.node].status == StepStatus.RUNNING


def _over(turn: Turn, pending: Pending, fail_attempt: FailAttempt) -> None:
    if pending.kind == "timer":
        turn.finish(turn.at(pending), "done", {"woke_at": turn.now.isoformat()})
    elif pending.kind == enhancing.KIND:
        enhancing.late(turn, pending, begin_own)
    elif pending.kind == "signal":
        name = next(str(name) for name, at in pending.data["after"] if (moment(at) or turn.now) <= turn.now)
        turn.finish(turn.at(pending), name, None, **pending.subscribed)
    else:
        message = f"the worker that accepted {pending.node} gave no heartbeat for {pending.data['lease_s']:g} s"
        fail_attempt(turn, pending, failure("lease_expired", message, pending.node, pending.attempt))


def _begin(turn: Turn) -> None:
    """Try again what it is time to try again, and ask again for what nobody has answered, the soonest first."""
    due = [(one.due_at, one.place) for one in turn.state.pending.values() if one.due_at is not None and one.due_at <= turn.now]
    for _, place in sorted(due, key=itemgetter(0)):
        pending = turn.state.pending.get(place)
        if pending is None or pending.due_at is None or pending.due_at > turn.now:
            continue
        if is_long(turn):
            return
        if pending.kind == enhancing.KIND:
            enhancing.late(turn, pending, begin_own)
            look(turn)
        elif pending.kind == "retry":
            _try_again(turn, pending)
        elif pending.kind == "again":
            error = turn.state.steps_in(pending.scope)[pending.node].error
            turn.emit(e.STEP_FAILED, turn.at(pending), outcome="error", error=error, again=True)
            turn.aside.append(Entering(pending.node, pending.scope))
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
