"""Signals: delivered to the node that waits for them, refused by its guards, or kept until a node waits for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from weft_language.compilation import Edge, StateWork, candidates, follow
from weft_language.expressions import ExpressionError

from weft_engine.core import entries as e
from weft_engine.core.items import Signal
from weft_engine.core.names import signal_names
from weft_engine.core.state import KeptSignal, Pending, State
from weft_engine.core.turn import At, Turn


@dataclass(frozen=True, slots=True)
class Answer:
    """What who asked is told. status: the HTTP status it means.  code, detail: of the problem, or None.  body: more members.

    to: the address of one who asked before, where it is not who asks now.
    """

    status: int
    code: str | None = None
    detail: str | None = None
    body: Mapping[str, Any] = field(default_factory=dict)
    to: UUID | None = None


REFUSALS: Final = frozenset({"signal_refused", "signal_payload_invalid"})
"""Codes of a signal that a node waits for and does not take."""


def receive(turn: Turn, signal: Signal) -> Answer:
    """Bring a signal to an execution that has not ended."""
    state = turn.state
    if has_come(state, signal):
        return Answer(202, body={"status": "repeated"})
    brought = signal.otherwise is not None
    if signal.name not in turn.program.signals and not brought:
        known = ", ".join(sorted(turn.program.signals)) or "none"
        return Answer(404, "signal_unknown", f"no node of {state.workflow} knows a signal {signal.name!r}; it knows: {known}")
    refusals: list[Answer] = []
    for pending in state.pending.values():
        if pending.kind == "signal" and signal.name in pending.data["signals"]:
            refusal = deliver(turn, turn.at(pending), signal.signal_id, signal.name, signal.payload, signal.user)
            if refusal is None:
                return Answer(202, body={"status": "delivered"})
            refusals.append(refusal)
    if refusals and not brought:
        return refusals[0]
    return keep(turn, signal)


def keep(turn: Turn, signal: Signal) -> Answer:
    """Keep a signal until a node takes it, or its time is over."""
    brought = {} if signal.otherwise is None else {"brought": True}
    expires_at = turn.now + timedelta(seconds=turn.program.settings.signal_ttl_s)
    kept = {"signal_id": signal.signal_id, "name": signal.name, "payload": signal.payload, "user": signal.user, **brought}
    turn.emit(e.SIGNAL_KEPT, **kept, expires_at=expires_at)
    return Answer(202, body={"status": "kept"})


def has_come(state: State, signal: Signal) -> bool:
    """Whether a signal came to an execution before. An event that began it is no signal to it as well."""
    begun_by = signal.otherwise is not None and signal.signal_id == state.trigger.get("event_id")
    return begun_by or signal.signal_id in state.seen


def redeliver(turn: Turn, signals: Sequence[Mapping[str, Any]]) -> None:
    """Keep signals of a time that a retry went back behind, and hand them to what waits for them now."""
    expires_at = turn.now + timedelta(seconds=turn.program.settings.signal_ttl_s)
    known = {kept.signal_id for kept in turn.state.kept}
    for signal in signals:
        if signal["signal_id"] not in known:
            turn.emit(e.SIGNAL_KEPT, **{**signal, "expires_at": expires_at})
    for place in list(turn.state.pending):
        pending = turn.state.pending.get(place)
        if pending is not None and pending.kind == "signal":
            at = turn.at(pending)
            if isinstance(at.node.work, StateWork):
                take_kept(turn, at, at.node.work)


def take_kept(turn: Turn, at: At, work: StateWork) -> None:
    """Deliver to a `state` that was just entered the first kept signal that it takes; one that its guards refuse stays kept."""
    for kept in turn.state.kept:
        if kept.expires_at <= turn.now:
            turn.emit(e.SIGNAL_EXPIRED, signal_id=kept.signal_id, name=kept.name)
        elif _is_for(turn, at, work, kept):
            more = {} if kept.event is None else {"event": kept.event}
            if deliver(turn, at, kept.signal_id, kept.name, turn.context.values.open(kept.payload), kept.user, **more) is None:
                return


def _is_for(turn: Turn, at: At, work: StateWork, kept: KeptSignal) -> bool:
    """Whether a state waits for what was kept; its guards are still to be asked."""
    if kept.event is None:
        return kept.name in work.signals
    event = {**kept.event, "data": turn.context.values.open(kept.payload)}
    return kept.name in work.events and awaits(turn, turn.state.pending[at.place], kept.name, event)


def awaits(turn: Turn, pending: Pending, name: str, event: Mapping[str, Any]) -> bool:
    """Whether a visit waits for this very event by that name. event: its attributes and `data`."""
    work = turn.program.nodes[pending.node].work
    wait = next((one for one in pending.data.get("events", ()) if one["name"] == name), None)
    if wait is None or not isinstance(work, StateWork) or name not in work.events:
        return False
    return work.events[name].takes(event, turn.names(pending.scope), wait.get("value"))


def deliver(
    turn: Turn, at: At, signal_id: str, name: str, payload: Any, user: Mapping[str, Any] | None, **more: Any
) -> Answer | None:  # fmt: skip
    """Hand a signal to a `state` that waits for it. more: members of the entry. Returns: None when it was taken, else why not."""
    node = at.node
    check = node.work.signals.get(name) if isinstance(node.work, StateWork) else None
    if check is not None and (errors := check.errors(payload)):
        details = [{"pointer": f"/payload{pointer}", "code": code, "detail": detail} for pointer, code, detail in errors]
        return Answer(422, "signal_payload_invalid", f"the payload does not fit the signal {name!r}", {"errors": details})
    names = {**turn.names(at.scope), "signal": signal_names(payload, user)}
    edges = candidates(node, name)
    try:
        edge = follow(node, name, names)
    except ExpressionError as error:
        return Answer(409, "signal_refused", f"{node.id} cannot decide on {name!r}: {error.message}")
    if edges and not isinstance(edge, Edge):
        guards = " or ".join(guard.when.text for guard in edges if guard.when is not None)
        return Answer(409, "signal_refused", f"{node.id} takes {name!r} only when {guards}", {"node": node.id, "guards": guards})
    turn.emit(e.SIGNAL_DELIVERED, at, signal_id=signal_id, name=name, user=user, **more)
    taken = {"event_id": signal_id} if "event" in more else {}
    turn.finish(at, name, payload, names, **turn.state.pending[at.place].subscribed, **taken)
    return None
