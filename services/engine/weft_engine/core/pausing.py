"""Pausing without loss: what comes during a pause is held in order, time stands still, and resuming makes up for both."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

import msgspec
from weft_language.expressions import renew

from weft_engine.core import entries as e
from weft_engine.core import items as i
from weft_engine.core.business import put_off
from weft_engine.core.claims import Claimed
from weft_engine.core.evolve import moment
from weft_engine.core.running import run
from weft_engine.core.signals import REFUSALS as SIGNAL_REFUSALS
from weft_engine.core.signals import Answer, has_come
from weft_engine.core.signals import keep as keep_signal
from weft_engine.core.sla import rested
from weft_engine.core.turn import Turn
from weft_engine.machine import EXECUTION_MOVES

Happen = Callable[[Turn, i.Happening], Answer | None]

_HELD: Final = {
    struct: name
    for name, (_, struct) in i.WORDS.items()
    if struct in (i.Admit, i.Skip, i.Signal, i.DomainEvent, i.CompleteStep, i.FailStep, i.ActivityCompleted, i.ActivityFailed)
}
"""What is held, by the word it came as."""
_LET_THROUGH: Final = (i.Cancel, i.Resume, i.ActivityAccepted, i.ActivityHeartbeat)


def pause(turn: Turn, item: i.Pause) -> Answer:
    """Let an execution rest until it is resumed. Children that it waits for follow, by their own messages."""
    state = turn.state
    if (state.status, "pause") not in EXECUTION_MOVES:
        return Answer(409, "illegal_move", f"execution {state.id} is {state.status} and cannot be paused")
    data = _asked(item)
    children = [pending.data["child_id"] for pending in state.pending.values() if pending.kind == "child"]
    turn.emit(e.PAUSED, **data, **({"children": children} if children else {}))
    return Answer(200)


def _put_off(turn: Turn, since: datetime) -> dict[str, Any]:
    """When the execution, and what is counted in working time, is due now: the length of the pause alone does not tell it."""
    waits: list[list[Any]] = []
    for pending in turn.state.pending.values():
        calendar = turn.context.calendars.get(pending.data["calendar"]) if pending.data.get("calendar") is not None else None
        if calendar is not None and pending.due_at is not None:
            waits.append([pending.node, pending.visit, put_off(pending.due_at, since, turn.now, calendar)])
    told: dict[str, Any] = {"waits": waits} if waits else {}
    if turn.state.sla is not None:
        told["sla"] = rested(turn.state.sla, since, turn.now, turn.context.calendars).told()
    return told


def _asked(item: i.Pause) -> dict[str, Any]:
    return {name: value for name, value in (("by", item.user), ("reason", item.reason)) if value is not None}


def _pause_too(turn: Turn, item: i.Pause) -> Answer:
    """Somebody pauses what was paused with its caller, whose going on does not let it go on then. Anything else is a repeat."""
    if item.user is None or _by_hand(turn):
        return Answer(200, body={"status": "repeated"})
    turn.emit(e.PAUSED, **_asked(item), too=True)
    return Answer(200)


def _by_hand(turn: Turn) -> bool:
    """Whether somebody paused it, and not the pause of its caller alone: that names nobody."""
    return turn.state.paused is not None and "by" in turn.state.paused


def hold(turn: Turn, item: i.Happening, happen: Happen) -> Answer | None:
    """What an item does to a paused execution: some end the pause or renew a lease, the others wait. A repeat is held once."""
    word = _HELD.get(type(item))
    if word is not None:
        return _keep(turn, item, word)
    if isinstance(item, i.Pause):
        return _pause_too(turn, item)
    return happen(turn, item) if isinstance(item, _LET_THROUGH) else None


def _keep(turn: Turn, item: i.Happening, word: str) -> Answer | None:
    state = turn.state
    if isinstance(item, i.Signal):
        if has_come(state, item) or any(held["item"].get("signal_id") == item.signal_id for held in state.held):
            return Answer(202, body={"status": "repeated"})
        if item.name not in turn.program.signals and item.otherwise is None:
            known = ", ".join(sorted(turn.program.signals)) or "none"
            return Answer(404, "signal_unknown", f"no node of {state.workflow} knows a signal {item.name!r}; it knows: {known}")
    held = {"type": word, "item": msgspec.to_builtins(item)}
    if not _is_held(turn, held):
        turn.emit(e.ITEM_HELD, **held)
    return Answer(202, body={"status": "kept"}) if isinstance(item, i.Signal) else None


def _is_held(turn: Turn, item: dict[str, Any]) -> bool:
    held = turn.state.held
    if not turn.state.large:
        return item in held
    return any(turn.context.values.opened(one) == item for one in held if _may_be(one, item))


def _may_be(held: Any, item: Any) -> bool:
    """Whether they are equal as far as can be told without reading what is kept apart."""
    if type(held) is dict and type(item) is dict:
        return held.keys() == item.keys() and all(_may_be(held[name], item[name]) for name in held)
    return type(held) is Claimed or bool(held == item)


def resume(turn: Turn, item: i.Resume, happen: Happen) -> Answer:
    """Go on: deadlines are put off by the length of the pause, then what was held happens in the order in which it came.

    When its caller goes on, what somebody paused stays paused.
    """
    state = turn.state
    if state.paused is None:
        return Answer(409, "illegal_move", f"execution {state.id} is {state.status}, not paused, and cannot be resumed")
    if item.user is None and _by_hand(turn):
        return Answer(200, body={"status": "repeated"})
    held = state.held
    children = [pending.data["child_id"] for pending in state.pending.values() if pending.kind == "child"]
    by: dict[str, Any] = {"by": item.user} if item.user is not None else {}
    if state.begun is not None:
        by["queued"] = True
    since = moment(state.paused["since"]) or turn.now
    turn.emit(e.UNPAUSED, since=state.paused["since"], **by, **({"children": children} if children else {}), **_put_off(turn, since))
    for one in held:
        if not state.ended:
            renew()
            heard = i.convert(one["type"], turn.context.values.opened(one["item"]))
            answer = happen(turn, heard)
            if isinstance(heard, i.Signal) and answer is not None and answer.code in SIGNAL_REFUSALS:
                keep_signal(turn, heard)  # its sender was told that it is kept, and hears nothing more
            run(turn)
    return Answer(200)
