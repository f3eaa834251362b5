"""From a rule to the workflow definition that it means. Pure, and the same for the same rule.

The workflow has one trigger, whose conditions are all of the rule's, and a node for each action, one after the other. An action that
fails keeps the others from nothing; the execution fails in the end, and says which.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from weft_language.model.definition import FORMAT
from weft_language.rules.actions import MAX_SUBJECT, MAX_TITLE, EmailAction, NotificationAction, Recipient, WebhookAction
from weft_language.rules.conditions import FieldValueCondition, RoleBasedCondition, TimeBasedCondition, role_based, time_based
from weft_language.rules.model import RuleFields
from weft_language.rules.quoting import literal, path
from weft_language.rules.trigger import event_type, field_conditions
from weft_language.rules.wording import Wording

LABEL: Final = "rule"
"""The label that the workflow of a rule has: the rule's slug."""
TRIGGER: Final = "rule"
"""The id of its trigger."""
LINES: Final = "lines"
"""The node before the actions that writes their lines, where anything is put into them: in the actions they are bounded as written."""
_CALLED: Final = r'r"^[^\x00-\x1f\x7f]{1,320}$"'
"""What somebody can be called by, as a pattern in CEL: what is not, names nobody."""
_NODE: Final = re.compile(r"/nodes/(\d+)(?:/with(/.*)?)?")


@dataclass(frozen=True, slots=True)
class Planned:
    """An action and the node that does it. place: in the rule's list."""

    node: str
    place: int
    action: NotificationAction | EmailAction | WebhookAction


def planned(rule: RuleFields) -> tuple[Planned, ...]:
    """The actions in the order in which they are done."""
    ordered = sorted(enumerate(rule.actions), key=lambda pair: (pair[1].order, pair[0]))
    return tuple(Planned(f"action_{number}", place, action) for number, (place, action) in enumerate(ordered, 1))


def compile_rule(slug: str, rule: RuleFields) -> dict[str, Any]:
    """The definition that a rule means, a plain document of the language."""
    steps, wording = planned(rule), Wording(slug, rule.name, rule.trigger)
    lines: dict[str, str] = {}
    nodes = [{"id": one.node, "type": _TYPES[one.action.action_type], "with": _with(one, rule, wording, lines)} for one in steps]
    first = [{"id": LINES, "type": "set", "with": lines}] if lines else []
    ends, edges = _ends(steps)
    document: dict[str, Any] = {
        "format": FORMAT,
        "slug": slug,
        "name": rule.name,
        "description": rule.description,
        "labels": {LABEL: slug},
        "triggers": [_trigger(rule)],
        "nodes": [*first, *nodes, *ends],
        "output": {"actions": {one.node: f"{{{{ step.{one.node}.outcome }}}}" for one in steps}},
    }
    if edges:
        document["edges"] = [*({"from": LINES, "to": steps[0].node} for _ in first), *edges]
    users = [literal(one.recipient_id) for one in rule.recipients if one.recipient_type == "user"]
    if users and _attributes(rule):
        document["vars"] = {"users": users}
    return document


def place_in_rule(pointer: str, rule: RuleFields) -> str:
    """Where in a rule stands what a pointer into its definition points at, as exactly as can be said; "" for the whole rule."""
    found = _NODE.match(pointer)
    if found is None:
        return pointer if pointer in ("/name", "/description", "/slug") else "/trigger" if pointer.startswith("/triggers") else ""
    steps = planned(rule)
    has_lines = any(node["id"] == LINES for node in compile_rule("x", rule)["nodes"])
    number = int(found[1]) - has_lines
    if not 0 <= number < len(steps):
        return "/actions"
    return f"/actions/{steps[number].place}/action_config{found[2] or ''}"


def parts_of(rule: RuleFields) -> list[tuple[str, dict[str, Any] | str]]:
    """Each condition of a rule by its pointer, in order: conditions as data, or CEL."""
    trigger = rule.trigger
    parts: list[tuple[str, dict[str, Any] | str]] = [
        (f"/trigger/field_conditions/{_token(name)}", field_conditions(trigger, name, wanted))
        for name, wanted in trigger.field_conditions.items()
    ]
    for place, one in enumerate(rule.conditions):
        pointer = f"/conditions/{place}"
        match one:
            case FieldValueCondition(condition_config=config):
                parts.append((pointer, field_conditions(trigger, config.field, config.wanted)))
            case TimeBasedCondition(condition_config=config):
                parts.append((pointer, time_based(config)))
            case RoleBasedCondition(condition_config=config):
                parts.append((pointer, role_based(config, trigger)))
    return parts


def _trigger(rule: RuleFields) -> dict[str, Any]:
    watched, parts = rule.trigger, parts_of(rule)
    if watched.source == "record":
        made: dict[str, Any] = {"id": TRIGGER, "on": "record", "table": watched.entity_type, "operation": watched.operation}
    else:
        made = {"id": TRIGGER, "on": "event", "event": event_type(watched)}
    data = [part for _, part in parts if not isinstance(part, str)]
    code = [part for _, part in parts if isinstance(part, str)]
    if code:
        made["when"] = " && ".join(f"({part})" for part in code)
    if data:
        made["conditions"] = {"all": data}
    return made | {"priority": watched.priority}


_TYPES: Final = {"notification": "notification.send", "email": "email.send", "webhook": "http.request"}


def _with(one: Planned, rule: RuleFields, wording: Wording, lines: dict[str, str]) -> dict[str, Any]:
    """What an action is given. lines: those that the node before has to write are added."""

    def line(field: str, text: str, template: str) -> str:
        if not wording.is_filled(text):
            return template
        lines[f"{one.node}_{field}"] = template
        return f"{{{{ vars.{one.node}_{field} }}}}"

    match one.action:
        case NotificationAction(action_config=told):
            event = told.event or f"rule.{wording.slug.replace('-', '_')}"[:100]
            made: dict[str, Any] = {
                "to": _to(rule),
                "title": line("title", told.title, wording.line(told.title, MAX_TITLE, rule.name)),
                "event": event,
            }
            if told.text:
                made["text"] = wording.text(told.text)
            if told.link is not None:
                made["link"] = line("link", told.link, wording.address(told.link))
            return made
        case EmailAction(action_config=mail):
            to = [line(f"to_{place}", address, wording.line(address, 320)) for place, address in enumerate(mail.addresses)]
            subject = line("subject", mail.subject, wording.line(mail.subject, MAX_SUBJECT))
            to = to or [_address(each, rule) for each in rule.addressed]
            return {"connection": mail.connection, "to": to, "subject": subject, "text": wording.text(mail.text)}
        case WebhookAction(action_config=call):
            asked: dict[str, Any] = {"url": literal(call.url), "method": call.method, "body": _body(call.body, rule, wording)}
            if call.headers:
                asked["headers"] = literal(call.headers)
            return asked if call.connection is None else {"connection": call.connection, **asked}


def _body(body: Any, rule: RuleFields, wording: Wording) -> Any:
    """What a webhook is sent: what its author wrote, else what happened."""
    if body is not None:
        return wording.value(body)
    told = {"rule": literal(wording.slug), "entity_type": literal(rule.trigger.entity_type), "operation": rule.trigger.operation}
    told |= {"event_id": "{{ trigger.event.id }}", "time": "{{ trigger.event.time }}", "record": f"{{{{ {rule.trigger.row} }}}}"}
    if rule.trigger.source == "record":
        told |= {name: f"{{{{ default(trigger.payload.{name}, null) }}}}" for name in ("key", "old", "changed")}
    return told


def _to(rule: RuleFields) -> dict[str, Any]:
    named = {
        kind: [literal(one.recipient_id) for one in rule.recipients if one.recipient_type == kind] for kind in ("user", "role", "group")
    }
    attributes = _attributes(rule)
    if attributes:
        # A field may hold one of them, a list, or nothing.
        lists = [
            f"[default({path(rule.trigger.row, field)}, [])].map(it, type(it) == list ? it : [it])[0]"
            f".filter(it, it != null).map(it, text(it)).filter(it, it.matches({_CALLED}))"
            for field in attributes
        ]
        users: Any = f"{{{{ {' + '.join([*(['vars.users'] if named['user'] else []), *lists])} }}}}"
    else:
        users = named["user"]
    return {name: value for name, value in (("users", users), ("roles", named["role"]), ("groups", named["group"])) if value}


def _address(recipient: Recipient, rule: RuleFields) -> str:
    if recipient.recipient_type == "user":
        return str(literal(recipient.recipient_id))
    return f'{{{{ text(default({path(rule.trigger.row, recipient.recipient_id)}, "")) }}}}'


def _attributes(rule: RuleFields) -> list[str]:
    return [one.recipient_id for one in rule.recipients if one.recipient_type == "attribute"]


def _ends(steps: tuple[Planned, ...]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The nodes behind several actions, and all edges: the next is done whatever became of one, and what failed is told in the end."""
    if len(steps) == 1:
        return [], []
    failed = [f'step.{one.node}.outcome == "error"' for one in steps]
    told = [f'({test} ? " {one.node} ({one.action.action_type})" : "")' for test, one in zip(failed, steps, strict=True)]
    ends = [
        {"id": "any_failed", "type": "if", "with": {"when": " || ".join(failed)}},
        {
            "id": "failed",
            "type": "fail",
            "with": {"code": "action_failed", "message": f"these actions failed:{{{{ {' + '.join(told)} }}}}"},
        },
    ]
    following = [one.node for one in steps[1:]] + ["any_failed"]
    edges = [{"from": one.node, "to": to, "on": outcome} for one, to in zip(steps, following, strict=True) for outcome in ("done", "error")]
    return ends, [*edges, {"from": "any_failed", "to": "failed", "on": "true"}]


def _token(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
