"""Domain events: what a `state` waits for, said so that an event can be looked up, and an event brought to the visit that waits for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from weft_language.compilation import EventWait, StateWork

from weft_engine.core import entries as e
from weft_engine.core.items import DomainEvent
from weft_engine.core.signals import awaits, deliver
from weft_engine.core.state import Pending
from weft_engine.core.turn import Turn

REFUSED_MOST: Final = 20
"""Events whose refusal is told of one visit: a journal has an end, and those who send events do not know of it."""


def waits(work: StateWork, names: Mapping[str, Any]) -> dict[str, Any]:
    """The events that a visit waits for, as its entry holds them; nothing where it waits for none.

    names: of its scope as it is entered: what an event is correlated by is settled now.
    """
    if not work.events:
        return {}
    return {"events": [_wait(name, wait, names) for name, wait in work.events.items()]}


def _wait(name: str, wait: EventWait, names: Mapping[str, Any]) -> dict[str, Any]:
    key = wait.key(names)
    looked_up = {} if wait.correlation is None or key is None else {"path": wait.correlation.path, "value": key}
    return {"name": name, "pattern": wait.pattern, **looked_up}


def hear(turn: Turn, item: DomainEvent) -> None:
    """Bring an event to the first visit that waits for it and whose guards take it.

    Where guards refuse it everywhere, that is told in the journal: its sender is not asked to wait for an answer, unlike a signal's.
    """
    state = turn.state
    # What began it is no answer to it: the look back for events that came early reaches to the beginning.
    if item.event_id in state.seen or item.event_id == state.trigger.get("event_id"):
        return
    attributes = {name: value for name, value in item.event.items() if name != "data"}
    payload = item.event.get("data")
    event = {**attributes, "data": payload}
    refused: list[tuple[Pending, str | None]] = []
    for pending in state.pending.values():
        if pending.kind != "signal" or not awaits(turn, pending, item.name, event):
            continue
        refusal = deliver(turn, turn.at(pending), item.event_id, item.name, payload, None, event=attributes)
        if refusal is None:
            return
        refused.append((pending, refusal.detail))
    for pending, reason in refused:
        known = pending.data.get("refused", ())
        if item.event_id not in known and len(known) < REFUSED_MOST:
            told = {"signal_id": item.event_id, "name": item.name, "payload": payload, "event": attributes, "reason": reason}
            turn.emit(e.SIGNAL_REFUSED, turn.at(pending), **told)
