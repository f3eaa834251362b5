"""Domain events: what a `state` waits for, said so that an event can be looked up, and an event brought to the visit that waits for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from weft_language.compilation import EventWait, StateWork

from weft_engine.core.items import DomainEvent
from weft_engine.core.signals import awaits, deliver
from weft_engine.core.turn import Turn


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
    """Bring an event to the first visit that waits for it and whose guards take it; when there is none it changes nothing."""
    state = turn.state
    # What began it is no answer to it: the look back for events that came early reaches to the beginning.
    if item.event_id in state.seen or item.event_id == state.trigger.get("event_id"):
        return
    attributes = {name: value for name, value in item.event.items() if name != "data"}
    payload = item.event.get("data")
    event = {**attributes, "data": payload}
    for pending in state.pending.values():
        if pending.kind != "signal" or not awaits(turn, pending, item.name, event):
            continue
        if deliver(turn, turn.at(pending), item.event_id, item.name, payload, None, event=attributes) is None:
            return
