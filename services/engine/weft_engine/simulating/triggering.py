"""Which trigger of a definition takes an event, and what it makes of it: as the events service decides. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from weft_language.compilation import Program, Trigger, Verdict, consider
from weft_language.expressions import CALENDARS, Calendar

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
        verdict = _verdict(trigger, event, names)
        was_read = verdict.reason in ("matched", "condition", "error")
        tree = trigger.when.explain(names).to_dict() if was_read and trigger.when is not None else None
        looks.append(TriggerLook(trigger=trigger.id, matched=verdict.matched, reason=verdict.reason, detail=verdict.detail, condition=tree))
        if verdict.matched and start is None:
            told = {**info, "id": trigger.id, "event_id": event.id}
            start = Start(execution_id, program.slug, program.version, verdict.input, told, verdict.key)
    return Triggered(start, looks)


def _verdict(trigger: Trigger, event: GivenEvent, names: Mapping[str, Any]) -> Verdict:
    if trigger.enabled and not trigger.matches(event.type):
        return Verdict("event", f"the trigger is for events {trigger.pattern!r}, this one is {event.type!r}")
    return consider(trigger, event.source, names)
