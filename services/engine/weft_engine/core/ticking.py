"""What time alone does: wake-ups, deadlines, leases, next attempts. All of it is in the state, so a late or repeated tick is harmless."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from weft_engine.core import entries as e
from weft_engine.core.evolve import moment
from weft_engine.core.state import Pending
from weft_engine.core.turn import Turn, failure


def tick(turn: Turn, fail_attempt: Callable[[Turn, Pending, dict[str, Any]], None]) -> None:
    """Do everything that is due by now. fail_attempt: what an attempt that was given up does."""
    state, now = turn.state, turn.now
    if state.deadline_at is not None and state.deadline_at <= now:
        error = failure("max_duration", f"the execution did not end within its max_duration, by {state.deadline_at.isoformat()}", None)
        turn.fail_execution(error, e.TIMED_OUT)
        return
    for node_id in list(state.pending):
        pending = state.pending.get(node_id)
        if pending is None or state.ended:
            continue
        if pending.deadline_at is not None and pending.deadline_at <= now:
            turn.time_out(turn.program.nodes[node_id], pending.visit)
        elif pending.due_at is not None and pending.due_at <= now:
            _due(turn, pending, fail_attempt)


def _due(turn: Turn, pending: Pending, fail_attempt: Callable[[Turn, Pending, dict[str, Any]], None]) -> None:
    node = turn.program.nodes[pending.node]
    if pending.kind == "timer":
        turn.finish(node, pending.visit, "done", {"woke_at": turn.now.isoformat()})
    elif pending.kind == "signal":
        name = next(str(name) for name, at in pending.data["after"] if (moment(at) or turn.now) <= turn.now)
        turn.finish(node, pending.visit, name, None)
    elif pending.kind == "retry":
        data = {name: value for name, value in pending.data.items() if name != "graph" or value}
        turn.emit(e.STEP_SCHEDULED, pending.node, pending.visit, pending.attempt + 1, **data)
    elif turn.state.steps[pending.node].status == "running":
        message = f"the worker that accepted {pending.node} gave no heartbeat for {pending.data['lease_s']:g} s"
        fail_attempt(turn, pending, failure("lease_expired", message, pending.node, pending.attempt))
    else:
        # Nobody answered: the request may have been lost with a broker's disk, so it goes out again, as the same attempt.
        wait_s = min(2 * float(pending.data["resend_s"]), LONGEST_RESEND_S)
        turn.emit(e.STEP_RESENT, pending.node, pending.visit, pending.attempt, resend_s=wait_s)


LONGEST_RESEND_S = 3_600.0
"""Seconds between two sendings of a request that no worker answers, at most."""
