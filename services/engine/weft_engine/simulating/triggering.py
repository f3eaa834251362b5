"""Which trigger of a definition takes an event, and what it makes of it: as the events service decides. Pure."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from weft_contracts.cloudevents import CloudEvent
from weft_language.compilation import Program, Trigger, Verdict, consider, unfit
from weft_language.expressions import CALENDARS, Calendar

from weft_engine.core.items import Start
from weft_engine.simulating.schemas import TriggerLook

RECORDS: Final = "weft/records/"
"""What the sources of changes of rows begin with: they are for triggers on `record` alone, and those for nothing else."""


@dataclass(frozen=True, slots=True)
class Triggered:
    """What an event would start. start: None where no trigger takes it.  looks: at each trigger of its kind, in the order of priority."""

    start: Start | None
    looks: list[TriggerLook]


def by_event(
    execution_id: UUID, event: CloudEvent, program: Program, tenant: Mapping[str, Any], calendars: Mapping[str, Calendar], now: datetime
) -> Triggered:
    """The start by the first trigger that takes an event. The others are looked at too: the mesh starts one for each that takes it."""
    attributes = (event if event.time is not None else replace(event, time=now)).attributes()
    payload = b64encode(event.data).decode() if isinstance(event.data, bytes) else event.data
    kind = "record" if event.source.startswith(RECORDS) else "event"
    info = {"type": kind, "payload": payload, "event": attributes, "time": attributes["time"], "user": None, "request": None}
    names = {"trigger": info, "tenant": tenant, "now": now, CALENDARS: calendars}
    start: Start | None = None
    looks: list[TriggerLook] = []
    for trigger in sorted((one for one in program.triggers if one.on == kind), key=lambda one: one.priority):
        verdict = _verdict(trigger, event, payload, names)
        was_read = verdict.reason in ("matched", "condition", "error")
        tree = trigger.when.explain(names).to_dict() if was_read and trigger.when is not None else None
        looks.append(TriggerLook(trigger=trigger.id, matched=verdict.matched, reason=verdict.reason, detail=verdict.detail, condition=tree))
        if verdict.matched and start is None:
            told = {**info, "id": trigger.id, "event_id": event.id}
            start = Start(execution_id, program.slug, program.version, verdict.input, told, verdict.key)
    return Triggered(start, looks)


def _verdict(trigger: Trigger, event: CloudEvent, payload: Any, names: Mapping[str, Any]) -> Verdict:
    if not trigger.enabled:
        return consider(trigger, event.source, names)
    if trigger.rows is not None:
        told = payload if isinstance(payload, dict) else {}
        if told.get("table") != trigger.rows.table:
            return Verdict(
                "event", f"the trigger is for the table {trigger.rows.table!r}, the change is of {str(told.get('table'))[:100]!r}"
            )
        changed = told.get("changed")
        names_changed = [one for one in changed if isinstance(one, str)] if isinstance(changed, list) else []
        return unfit(trigger.rows, str(told.get("operation"))[:100], names_changed) or consider(trigger, event.source, names)
    if not trigger.matches(event.type):
        return Verdict("event", f"the trigger is for events {trigger.pattern!r}, this one is {event.type!r}")
    return consider(trigger, event.source, names)
