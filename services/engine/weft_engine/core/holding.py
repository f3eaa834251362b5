"""Holding up: what a suspension keeps from being entered or asked, and letting it go on.

A node waits to be entered. Of one that was entered already, the next attempt waits, or its own work after its enhancement, and of a
compensation the undoing that is next.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from weft_language.compilation import Node

from weft_engine.core import entries as e
from weft_engine.core.entries import Entry
from weft_engine.core.state import Pending
from weft_engine.core.turn import Entering, Turn


class Held(NamedTuple):
    """What is held up, as `Context.suspended` calls it, and the gate at which that waits."""

    by: str
    gate: str

    @property
    def told(self) -> dict[str, str]:
        """As entries hold it."""
        return {"gate": self.gate, "held_by": self.by}


def held_up(turn: Turn, node: Node) -> Held | None:
    """What keeps a node from being entered, None where nothing does."""
    if not turn.context.suspended:
        return None
    return _closed(turn, f"node_type:{node.type}") or _closed(turn, f"connection:{getattr(node.work, 'connection', None)}")


def request_held_up(turn: Turn, request: Mapping[str, Any]) -> Held | None:
    """What keeps a worker from being asked, None where nothing does. request: as `request_of` gives it."""
    connection = request.get("connection") if turn.context.suspended else None
    return None if connection is None else _closed(turn, f"connection:{connection}")


def _closed(turn: Turn, by: str) -> Held | None:
    gate = turn.context.suspended.get(by)
    return None if gate is None or gate in turn.state.let_in else Held(by, gate)


def hold(turn: Turn, node: str, visit: int, attempt: int, scope: str, held: Held, request: Mapping[str, Any]) -> None:
    """Let the attempt after this one wait at a gate. request: what a first one will ask; a further one asks as before."""
    turn.write(Entry(e.STEP_HELD, node, visit, attempt, {**request, **held.told}, scope))


def let_go(turn: Turn, gates: Collection[str]) -> None:
    """Enter or ask what waits at these gates; at any, where none are named. Who is let in is not held up by the same suspension again."""
    for pending in list(turn.state.pending.values()):
        if pending.gate is not None and (not gates or pending.gate in gates):
            _go_on(turn, pending, pending.gate)


def _go_on(turn: Turn, pending: Pending, gate: str) -> None:
    if pending.kind != "suspended":
        held = request_held_up(turn, pending.data)
        if held is not None and held.gate != gate:  # another suspension of what it goes by has come meanwhile
            hold(turn, pending.node, pending.visit, pending.attempt, pending.scope, held, {})
            return
        turn.write(Entry(e.STEP_SCHEDULED, pending.node, pending.visit, pending.attempt + 1, pending.data, pending.scope))
    elif was_enhanced(turn, pending):
        turn.ready.append(pending.place)
    else:
        turn.emit(e.STEP_CANCELLED, turn.at(pending), gate=gate)
        turn.ready.append(Entering(pending.node, pending.scope))


def was_enhanced(turn: Turn, pending: Pending) -> bool:
    """Whether what is held up is a visit's own work after its enhancement: the same visit goes on then, and no model is asked twice."""
    return turn.state.steps_in(pending.scope)[pending.node].enhancement is not None
