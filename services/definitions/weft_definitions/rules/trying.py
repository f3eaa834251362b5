"""Trying a rule: the event that a sample is, and what the engine's simulation says in the words of the rule. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from weft_contracts.cloudevents import CloudEventError
from weft_contracts.cloudevents.structured import from_document
from weft_language.rules import Look, Planned, RuleFields, event_type, looks, planned
from weft_runtime.errors import Detail, Invalid

from weft_definitions.rules.schemas import ActionLook, ConditionLook, TrialBody, TrialView

SOURCE: Final = "test"
RECORDS: Final = "weft/records/"
"""What the sources of changes of rows begin with."""
_TO: Final = {"notification": "to", "email": "to", "webhook": "url"}


def event_of(body: TrialBody, rule: RuleFields, at: datetime) -> dict[str, Any]:
    """The event that a sample is, as the log would have it. Raises: Invalid, with a pointer to what is wrong."""
    given = [name for name in ("event", "record") if getattr(body, name) is not None]
    if len(given) != 1:
        message = "give either `event` or `record`" if given else "give `event`, or the `record` that changed"
        raise Invalid(message, details=[Detail("/event", "one_of", message)])
    if body.event is not None:
        wrong = [name for name in ("old", "operation") if getattr(body, name) is not None]
        if wrong:
            raise Invalid("an event tells that itself", details=[Detail(f"/{wrong[0]}", "one_of", "leave it out, or give `record`")])
        made = _assumed(rule, at) | {name: value for name, value in body.event.items() if value is not None}
    else:
        made = _assumed(rule, at) | {"data": _data(body, rule)}
        if body.operation is not None:
            made["type"] = event_type(rule.trigger.model_copy(update={"operation": body.operation}))
    try:
        from_document(made)
    except CloudEventError as error:
        details = [Detail(f"/event{problem.pointer}", problem.code, problem.detail) for problem in error.problems]
        raise Invalid("`event` is no CloudEvent; `errors` says what is wrong", details=details) from error
    return made


def _assumed(rule: RuleFields, at: datetime) -> dict[str, Any]:
    """What an event is taken to say where it does not."""
    source = RECORDS + SOURCE if rule.trigger.source == "record" else SOURCE
    return {
        "specversion": "1.0",
        "id": "sample",
        "source": source,
        "type": event_type(rule.trigger),
        "time": at.isoformat().replace("+00:00", "Z"),
    }


def _data(body: TrialBody, rule: RuleFields) -> dict[str, Any]:
    record = body.record or {}
    if rule.trigger.source == "event":
        return record
    operation = body.operation or rule.trigger.operation
    old = None if operation == "create" else record if operation == "delete" else body.old or {}
    new = None if operation == "delete" else record
    names = dict.fromkeys((*(old or {}), *(new or {})))
    changed = [name for name in names if (old or {}).get(name) != (new or {}).get(name)]
    return {
        "table": rule.trigger.entity_type,
        "operation": operation,
        "key": {"id": record["id"]} if "id" in record else None,
        "record": record,
        "old": old,
        "new": new,
        "changed": changed,
        "left_out": [],
        "transaction": "0",
    }


def looked_at(rule: RuleFields, event: Mapping[str, Any], at: datetime, tenant: str) -> list[Look]:
    """What the event makes of each condition, on its own."""
    trigger = {
        "type": rule.trigger.source,
        "payload": event.get("data"),
        "event": dict(event),
        "time": event["time"],
        "user": None,
        "request": None,
    }
    return looks(rule, {"trigger": trigger, "now": at, "tenant": {"id": tenant}})


def told(
    slug: str, version: int, rule: RuleFields, event: dict[str, Any], found: Sequence[Look], simulation: Mapping[str, Any]
) -> TrialView:
    """What is said of a trial. simulation: as `POST /workflows/simulate` shows it."""
    look = next(iter(simulation["triggers"]), {"matched": False, "reason": "event", "detail": None})
    matched = bool(look["matched"])
    conditions = [_condition(rule, one) for one in found]
    actions = [_action(one, simulation) for one in planned(rule)]
    return TrialView(
        rule=slug,
        workflow_version=version,
        matched=matched,
        reason=look["reason"],
        why=[] if matched else _why(look, conditions, rule, event),
        status=simulation["status"],
        conditions=conditions,
        actions=actions,
        event=event,
        findings=[one for one in simulation["findings"] if one["severity"] != "info"],
    )


def _why(look: Mapping[str, Any], conditions: Sequence[ConditionLook], rule: RuleFields, event: Mapping[str, Any]) -> list[str]:
    if look["reason"] not in ("condition", "error"):
        wanted = event_type(rule.trigger)
        return [str(look["detail"]) if look["detail"] else f"the rule is for {wanted}, and this is {event['type']} of {event['source']}"]
    failed = [one for one in conditions if one.held is not True]
    return [
        f"{one.pointer} cannot be evaluated: {one.error}" if one.error else f"{one.pointer} ({one.type}) does not hold" for one in failed
    ] or [str(look["detail"])]


def _condition(rule: RuleFields, look: Look) -> ConditionLook:
    parts = look.pointer.split("/")
    kind = rule.conditions[int(parts[2])].condition_type if parts[1] == "conditions" else "field_conditions"
    return ConditionLook(pointer=look.pointer, type=kind, held=look.held, error=look.error, condition=look.condition)


def _action(one: Planned, simulation: Mapping[str, Any]) -> ActionLook:
    effect = next((found for found in simulation["effects"] if found["node"] == one.node), None)
    step = next((found for found in simulation["steps"] if found["node"] == one.node), None)
    given = None if effect is None else effect["with"]
    return ActionLook(
        pointer=f"/actions/{one.place}",
        action_type=one.action.action_type,
        order=one.action.order,
        node=one.node,
        done=effect is not None,
        to=given.get(_TO[one.action.action_type]) if isinstance(given, dict) else None,
        error=None if step is None or effect is not None else step["error"],
        **{"with": given},
    )
