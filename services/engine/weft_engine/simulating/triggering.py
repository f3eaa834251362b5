"""Which trigger of a definition takes an event, and what it makes of it: as the events service decides. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from weft_language.compilation import Program, Trigger, glob_matches, holds
from weft_language.expressions import CALENDARS, Calendar, ExpressionError

from weft_engine.core.items import Start
from weft_engine.simulating.schemas import GivenEvent, TriggerLook


@dataclass(frozen=True, slots=True)
class Triggered:
    """What an event would start. start: None where no trigger takes it.  looks: at each trigger on events, in the order of priority."""

    start: Start | None
    looks: list[TriggerLook]


def by_event(
    execution_id: UUID, event: GivenEvent, program: Program, tenant: Mapping[str, Any], calendars: Mapping[str, Calendar], now: datetime
) -> Triggered:
    """The start by the first trigger that takes an event. The others are looked at too: the mesh starts one for each that takes it."""
    sent = {name: value for name, value in event.model_dump(mode="json", exclude={"data"}).items() if value is not None}
    attributes = {"specversion": "1.0", "time": now.isoformat(), **sent}
    info = {"type": "event", "payload": event.data, "event": attributes, "time": attributes["time"], "user": None, "request": None}
    names = {"trigger": info, "tenant": tenant, "now": now, CALENDARS: calendars}
    start: Start | None = None
    looks: list[TriggerLook] = []
    for trigger in sorted((one for one in program.triggers if one.on == "event"), key=lambda one: one.priority):
        reason, detail, input_, key = _looked_at(trigger, event, names)
        tree = None if trigger.when is None or reason in ("event", "disabled", "source") else trigger.when.explain(names).to_dict()
        looks.append(TriggerLook(trigger=trigger.id, matched=reason == "matched", reason=reason, detail=detail, condition=tree))
        if reason == "matched" and start is None:
            told = {**info, "id": trigger.id, "event_id": event.id}
            start = Start(execution_id, program.slug, program.version, input_, told, key)
    return Triggered(start, looks)


def _looked_at(trigger: Trigger, event: GivenEvent, names: Mapping[str, Any]) -> tuple[str, str | None, dict[str, Any], str | None]:
    """(reason, detail, input, key) of one trigger."""
    if not trigger.enabled:
        return "disabled", "the trigger is switched off (`enabled: false`)", {}, None
    if trigger.source is not None and not glob_matches(trigger.source, event.source):
        return "source", f"the trigger is for the source {trigger.source!r}, the event came from {event.source!r}", {}, None
    if not trigger.matches(event.type):
        return "event", f"the trigger is for events {trigger.pattern!r}, this one is {event.type!r}", {}, None
    try:
        if trigger.when is not None and not holds(trigger.when, names):
            return "condition", "its condition is false", {}, None
        value = event.data if trigger.input is None else trigger.input.render(names)
        return "matched", None, value if isinstance(value, dict) else {}, trigger.key_of(names)
    except ExpressionError as error:
        return "error", str(error), {}, None
