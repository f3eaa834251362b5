"""Rules that tests write."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pydantic import TypeAdapter
from weft_language import compile_triggers
from weft_language.compilation import Trigger, consider
from weft_language.expressions import Template, compile_template
from weft_language.model import AnyTrigger
from weft_language.rules import RuleFields, compile_rule

_triggers = TypeAdapter(tuple[AnyTrigger, ...])

NOW = datetime(2026, 11, 27, 10, 30, tzinfo=UTC)
"""A Friday."""
HOOK: dict[str, Any] = {"action_type": "webhook", "action_config": {"url": "https://crm.example/hook"}}
NOTE: dict[str, Any] = {"action_type": "notification", "action_config": {"title": "Order {{ record.id }} is approved"}}
BOSS: dict[str, Any] = {"recipient_type": "role", "recipient_id": "boss"}


def rule(
    *conditions: dict[str, Any], actions: Any = (HOOK,), recipients: Any = (), name: str = "Approved orders", **trigger: Any
) -> RuleFields:
    """A rule on updates of orders. trigger: members of its trigger."""
    watched = {"entity_type": "orders", "operation": "update"} | trigger
    return RuleFields.model_validate(
        {"name": name, "trigger": watched, "conditions": list(conditions), "actions": list(actions), "recipients": list(recipients)}
    )


def condition(kind: str, **config: Any) -> dict[str, Any]:
    """A condition."""
    return {"condition_type": kind, "condition_config": config}


def trigger_of(fields: RuleFields) -> Trigger:
    """The trigger of a rule's workflow, compiled."""
    return next(one for one in compile_triggers(_triggers.validate_python(tuple(compile_rule("approved", fields)["triggers"]))))


def actions_of(fields: RuleFields) -> dict[str, Template]:
    """What the actions of a rule's workflow are given, by node, and the lines that are written before."""
    nodes = compile_rule("approved", fields)["nodes"]
    return {node["id"]: compile_template(node["with"]) for node in nodes if node["id"].startswith(("action_", "lines"))}


def written_before(fields: RuleFields, names: dict[str, Any]) -> dict[str, Any]:
    """The variables when the actions begin. names: what else is read."""
    document = compile_rule("approved", fields)
    lines: dict[str, Any] = next((node["with"] for node in document["nodes"] if node["id"] == "lines"), {})
    return {**compile_template(document.get("vars", {})).render({}), **compile_template(lines).render(names)}


def names(fields: RuleFields, record: Any, old: Any = None, now: datetime = NOW) -> dict[str, Any]:
    """What expressions of a rule's workflow read of a change of a record, or of an event about it."""
    payload = record
    if fields.trigger.source == "record":
        changed = [name for name in record if (old or {}).get(name) != record[name]]
        payload = {"operation": "update", "record": record, "old": old or {}, "new": record, "changed": changed, "key": None}
    event = {"id": "e1", "type": "t", "source": "s", "time": "2026-11-27T10:30:00Z", "subject": "7"}
    read = {
        "trigger": {"type": fields.trigger.source, "payload": payload, "event": event, "user": None},
        "tenant": {"id": "acme"},
        "now": now,
    }
    return {**read, "vars": written_before(fields, read)}


def starts(fields: RuleFields, record: Any, old: Any = None, now: datetime = NOW) -> bool:
    """Whether a change starts the rule's workflow, as whoever matches triggers decides."""
    return consider(trigger_of(fields), "s", names(fields, record, old, now)).matched


def rendered(fields: RuleFields, record: Any, old: Any = None, node: str = "action_1") -> Any:
    """What an action is given."""
    return actions_of(fields)[node].render(names(fields, record, old))
