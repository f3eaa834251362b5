"""Nodes that rest: until a time, until a signal or an event."""

from __future__ import annotations

from datetime import timedelta
from operator import itemgetter
from typing import Any

from weft_language.compilation import StateWork, WaitWork

from weft_engine.core import entries as e
from weft_engine.core.business import waking
from weft_engine.core.listening import waits
from weft_engine.core.signals import take_kept
from weft_engine.core.turn import At, Turn


def wait(turn: Turn, at: At, work: WaitWork) -> None:
    """Rest for a duration or until a time, in a business calendar where one is named."""
    wake_at, calendar = waking(work, turn.names(at.scope), turn.now)
    if wake_at <= turn.now:
        turn.finish(at, "done", {"woke_at": turn.now.isoformat()})
    else:
        by: dict[str, Any] = {} if calendar is None else {"calendar": calendar}
        turn.emit(e.STEP_WAITING, at, kind="timer", due_at=wake_at, **by, **limit(turn, at))


def state(turn: Turn, at: At, work: StateWork) -> None:
    """Rest until a signal, an event or time leaves it. A signal that came before is taken at once; an event that did is asked for."""
    names = turn.names(at.scope)
    after: list[list[Any]] = [[name, turn.now + timedelta(seconds=delay.seconds(names))] for name, delay in work.after]
    after.sort(key=itemgetter(1))
    due: dict[str, Any] = {"due_at": after[0][1]} if after else {}
    waited: dict[str, Any] = {"signals": sorted(work.signals), **waits(work, names), "after": after, **due, **limit(turn, at)}
    turn.emit(e.STEP_WAITING, at, kind="signal", **waited)
    take_kept(turn, at, work)


def limit(turn: Turn, at: At) -> dict[str, Any]:
    """When the visit outlives the node's `timeout`, as entries hold it; nothing where it has none."""
    deadline = turn.deadline(at.node, at.scope)
    return {} if deadline is None else {"deadline_at": deadline}


def limit_held_up(turn: Turn, at: At) -> dict[str, Any]:
    """The same of a visit that is held up at a gate: its time begins when it is let in, unless it tries again one whose time has begun."""
    before = turn.state.steps_in(at.scope).get(at.node.id)
    return limit(turn, at) if before is not None and before.again else {}


def limit_of_enhanced(turn: Turn, at: At) -> dict[str, Any]:
    """The same of a visit whose own work is held up after its enhancement."""
    until = turn.state.steps_in(at.scope)[at.node.id].until
    return {} if until is None else {"deadline_at": until}
