"""Running a transition to its fix-point: everything that needs no outside help happens in one."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from weft_language.expressions import STEPS, TOGETHER_STEPS, Meter

from weft_engine.core import entries as e
from weft_engine.core.failures import failure
from weft_engine.core.nodes import enter, let_in
from weft_engine.core.nodes.scopes import scope_ended
from weft_engine.core.nodes.undoing import undo_next
from weft_engine.core.state import OWNERS, ROOT, Pending, Place
from weft_engine.core.turn import MAX_JOURNAL, RUNAWAY, Entering, Turn
from weft_engine.core.waited import shortly_waited_for
from weft_engine.machine import ExecutionStatus

MAX_TRANSITION: Final = 2_000
"""Entries of one transition, about. What is ready then goes on in the next, so that no execution keeps its neighbours waiting."""
MAX_STEPS: Final = STEPS // 5
"""Of evaluation in one transition, about, likewise."""

RESTS: Final = frozenset({"task", "timer", "signal", "child", "suspended"})
BUSY: Final = frozenset({"activity", "retry", "again", "enhancing"})


def run(turn: Turn) -> None:
    """Do what is ready until nothing is, or until the transition is long enough."""
    state = turn.state
    with Meter(TOGETHER_STEPS) as meter:
        while turn.ready and not state.ended:
            if is_long(turn) or turn.steps + meter.spent >= MAX_STEPS:
                _yield(turn)
                break
            meter.renew()
            following = turn.ready.popleft()
            if isinstance(following, Entering):
                _enter(turn, following)
            else:
                _go_on(turn, following)
    turn.steps += meter.spent


def is_long(turn: Turn) -> bool:
    """Whether a transition has as many entries as one may have."""
    return len(turn.entries) >= MAX_TRANSITION


def look(turn: Turn) -> None:
    """Let owners see which of their scopes have ended; what that makes ready is put aside, so that nothing is begun yet."""
    while turn.ready:
        following = turn.ready.popleft()
        pending = None if isinstance(following, Entering) else turn.state.pending.get(following)
        if pending is None or pending.kind in ("compensate", "suspended"):
            turn.aside.append(following)
        else:
            _go_on(turn, pending.place)


def go_on(turn: Turn) -> None:
    """Have what was put aside ready again."""
    turn.ready.extend(turn.aside)
    turn.aside.clear()


def _yield(turn: Turn) -> None:
    """Leave what is ready to the next transition. What an earlier one left and nobody has taken up yet stays before it."""
    left = [[one.node, 0, one.scope] if isinstance(one, Entering) else [*one, ""] for one in turn.ready]
    turn.emit(e.YIELDED, ready=[*map(list, turn.state.ready), *left])
    turn.ready.clear()


def take_up(turn: Turn) -> None:
    """Go on with what the last transition left ready, as far as its scopes are still open."""
    ready = turn.state.ready
    turn.emit(e.CONTINUED)
    for node, visit, scope in ready:
        if visit or not node:
            turn.ready.append((node, visit))
        elif scope == ROOT or scope in turn.state.scopes:
            turn.ready.append(Entering(node, scope))


def _enter(turn: Turn, entering: Entering) -> None:
    state = turn.state
    if state.quiet >= RUNAWAY:
        message = f"{RUNAWAY} transitions without a wait, the last at {entering.node}: a cycle here never rests"
        turn.fail_execution(failure("runaway", message, entering.node, permanent=True))
    elif state.position >= MAX_JOURNAL:
        message = f"{MAX_JOURNAL} entries in the history; start a fresh execution from here on, by publishing an event or a call"
        turn.fail_execution(failure("history_too_long", message, entering.node, permanent=True))
    else:
        enter(turn, entering)


def _go_on(turn: Turn, place: Place) -> None:
    """Something that belongs to an owner has ended; the owner may have ended meanwhile, too, or wait to be tried again.

    What was held up after its enhancement, and is let in, goes on with its own work.
    """
    pending = turn.state.pending.get(place)
    if pending is not None and pending.kind == "suspended":
        let_in(turn, pending)
    if pending is None or pending.kind not in OWNERS:
        return
    if pending.kind == "compensate":
        undo_next(turn, pending)
    else:
        scope_ended(turn, pending)


def settle(turn: Turn) -> None:
    """Say when an execution comes to rest or wakes; one that only waits for a worker's answer keeps running."""
    state = turn.state
    if state.status not in _AWAKE:
        return
    resting: list[Pending] = []
    busy = bool(state.ready)
    for pending in state.pending.values():
        if pending.kind in BUSY and pending.gate is None:
            busy = True
            break
        if pending.kind in RESTS or pending.gate is not None:
            resting.append(pending)
    if busy:
        if state.status == ExecutionStatus.WAITING:
            turn.emit(e.RESUMED)
    elif resting and state.status == ExecutionStatus.RUNNING:
        first = min(resting, key=_soonest)
        until: dict[str, Any] = {"until": first.wake_at} if first.wake_at is not None and first.kind != "child" else {}
        kind = first.kind if first.gate is None else "suspended"
        whom = shortly_waited_for(first)
        told = {"kind": kind, **until, **({} if whom is None else {"for": whom})}
        turn.write(e.Entry(e.WAITING, first.node, first.visit, data=told, scope=first.scope))


_AWAKE: Final = frozenset({ExecutionStatus.RUNNING, ExecutionStatus.WAITING})


def _soonest(pending: Pending) -> tuple[bool, datetime | None]:
    return pending.wake_at is None, pending.wake_at
