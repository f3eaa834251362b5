"""Holding up: what a suspension keeps from being entered or asked, and letting it go on.

A node waits to be entered. Of one that was entered already, the next attempt waits, and of a compensation the undoing that is next.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from weft_language.compilation import Node

from weft_engine.core import entries as e
from weft_engine.core.entries import Entry
from weft_engine.core.state import Pending
from weft_engine.core.turn import Entering, Turn


def gate_of(turn: Turn, node: Node) -> str | None:
    """The gate at which a node waits to be entered, None where it may be."""
    if not turn.context.suspended:
        return None
    return _closed(turn, f"node_type:{node.type}") or _closed(turn, f"connection:{getattr(node.work, 'connection', None)}")


def gate_of_request(turn: Turn, request: Mapping[str, Any]) -> str | None:
    """The gate at which what a worker is to be asked waits, None where it may be asked. request: as `request_of` gives it."""
    connection = request.get("connection") if turn.context.suspended else None
    return None if connection is None else _closed(turn, f"connection:{connection}")


def _closed(turn: Turn, what: str) -> str | None:
    gate = turn.context.suspended.get(what)
    return None if gate is None or gate in turn.state.let_in else gate


def hold(turn: Turn, node: str, visit: int, attempt: int, scope: str, gate: str, request: Mapping[str, Any]) -> None:
    """Let the attempt after this one wait at a gate. request: what a first one will ask; a further one asks as before."""
    turn.write(Entry(e.STEP_HELD, node, visit, attempt, {**request, "gate": gate}, scope))


def let_go(turn: Turn, gates: Collection[str]) -> None:
    """Enter or ask what waits at these gates; at any, where none are named. Who is let in is not held up by the same suspension again."""
    for pending in list(turn.state.pending.values()):
        if pending.gate is not None and (not gates or pending.gate in gates):
            _go_on(turn, pending, pending.gate)


def _go_on(turn: Turn, pending: Pending, gate: str) -> None:
    if pending.kind == "suspended":
        turn.emit(e.STEP_CANCELLED, turn.at(pending), gate=gate)
        turn.ready.append(Entering(pending.node, pending.scope))
    else:
        turn.write(Entry(e.STEP_SCHEDULED, pending.node, pending.visit, pending.attempt + 1, pending.data, pending.scope))
