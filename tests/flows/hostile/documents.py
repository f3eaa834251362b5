"""What the tenant under attack has and what an attacker sends in the place of it: a fitting one of everything."""

from __future__ import annotations

from typing import Any

PASSWORD = "canary-password-of-nobody"
FORM = {"type": "object", "properties": {"note": {"type": "string"}}}
DEFINITION: dict[str, Any] = {
    "format": "weft/v1",
    "name": "Hostile",
    "slug": "hostile",
    "description": "d",
    "labels": {"team": "x"},
    "input": {"type": "object", "properties": {"amount": {"type": "number"}}},
    "triggers": [{"id": "t", "on": "event", "event": "hostile.*", "when": "trigger.payload.amount > 1"}],
    "nodes": [
        {"id": "count", "type": "set", "with": {"gross": "{{ default(input.amount, 1) * 2 }}"}},
        {"id": "big", "type": "if", "with": {"when": "vars.gross > 1"}},
        {"id": "decide", "type": "task", "with": {"title": "Decide", "outcomes": ["yes", "no"], "form": FORM}},
        {"id": "rest", "type": "state", "with": {"signals": {"go": {"schema": {"type": "object"}}}, "after": {"late": "7d"}}},
    ],
    "edges": [{"from": "count", "to": "big"}, {"from": "big", "to": "decide", "on": "true"}, {"from": "big", "to": "rest", "on": "false"}],
    "output": {"gross": "{{ vars.gross }}"},
}  # fmt: skip
CLOCK: dict[str, Any] = {
    **DEFINITION,
    "slug": "hostile-clock",
    "triggers": [{"id": name, "on": "schedule", "cron": "0 3 1 1 *"} for name in ("first", "second")],
}
APPROVED: dict[str, Any] = {
    "slug": "hostile-rule",
    "name": "n",
    "trigger": {"entity_type": "hostile", "operation": "update", "field_conditions": {"a": {"gte": 1}}, "source": "event"},
    "conditions": [{"condition_type": "time_based", "condition_config": {"from": "09:00", "to": "10:00"}}],
    "actions": [{"action_type": "webhook", "action_config": {"url": "http://127.0.0.1:9/", "body": {"a": "{{ record.a }}"}}}],
    "recipients": [{"recipient_type": "role", "recipient_id": "boss"}],
}
BANK: dict[str, Any] = {
    "name": "hostile-bank",
    "type": "http",
    "settings": {"base_url": "http://127.0.0.1:9", "auth": "bearer", "headers": {"x-a": "b"}},
    "secrets": {"token": "canary-token-of-nobody"},
}
HOOKS: dict[str, Any] = {"name": "hostile-hooks", "type": "webhook", "secrets": {"secret": "canary-secret-of-nobody"}}
SHOP: dict[str, Any] = {
    "name": "hostile-shop",
    "type": "postgres",
    "settings": {"host": "127.0.0.1", "port": 9, "database": "shop", "sslmode": "disable"},
    "secrets": {"username": "shop", "password": "canary-password-of-a-shop"},
}
TEMPLATE: dict[str, Any] = {
    "slug": "hostile",
    "name": "Hostile",
    "parameters": {"type": "object", "required": ["text"], "properties": {"text": {"type": "string"}}},
    "example": {"text": "t"},
    "enhancements": [
        {
            "id": "a",
            "node": "say",
            "title": "t",
            "enhance": {"type": "ai.summarize", "with": {"connection": "brain", "input": "${parameters.text}"}},
        }
    ],
    "definition": {
        "format": "weft/v1",
        "name": "Hostile",
        "nodes": [{"id": "say", "type": "transform", "with": {"expression": "${parameters.text}"}}],
    },
}
WEEK = {"zone": "Europe/Rome", "hours": {"mon": [["09:00", "13:00"]]}, "holidays": ["2026-12-25"]}
EVENT: dict[str, Any] = {
    "specversion": "1.0",
    "id": "e-1",
    "source": "/hostile",
    "type": "hostile.made",
    "subject": "s",
    "data": {"amount": 5},
}

RULE = {
    "name": "n",
    "kind": "failed",
    "workflow": "hostile",
    "failed": {"count": 2, "within": "PT10M"},
    "severity": "info",
    "enabled": False,
}


def bodies(tenant: str) -> dict[str, Any]:
    """A fitting body for each route that asks for one whose parts have to fit each other, by verb and path."""
    base = "/api/v1/workflows"
    definitions = {f"POST {base}": DEFINITION, f"PUT {base}/{{slug}}": DEFINITION, f"POST {base}/validate": DEFINITION}
    definitions |= {
        f"POST {base}/import": {**DEFINITION, "slug": "hostile-imported"},
        "POST /api/v1/templates": {**TEMPLATE, "slug": "hostile-new"},
        "PUT /api/v1/templates/{slug}": {name: value for name, value in TEMPLATE.items() if name != "slug"},
        "POST /api/v1/templates/{slug}/instantiate": {"parameters": {"text": "t"}, "slug": "hostile-made", "existing": "version"},
    }
    return definitions | {
        "POST /api/v1/rules": {**APPROVED, "slug": "hostile-made"},
        "PUT /api/v1/rules/{slug}": {name: value for name, value in APPROVED.items() if name != "slug"},
        "POST /api/v1/rules/{slug}/test": {"record": {"a": 1}, "old": {"a": 0}},
        f"POST {base}/{{slug}}/backtest": {"version": 1, "from": "2026-01-01T00:00:00Z"},
        "POST /api/v1/events": EVENT,
        f"POST {base}/{{slug}}/trigger": {"input": {"amount": 3}, "key": "k", "labels": {"a": "b"}},
        f"POST {base}/{{slug}}/migrations": {"from": 1, "to": 2, "mapping": {"count": "count"}},
        "POST /api/v1/executions/bulk": {
            "verb": "pause",
            "filter": {"workflow": "hostile", "status": ["waiting"], "label": {"a": "b"}},
            "preview": True,
        },
        "POST /api/v1/alerts/rules": RULE,
        "POST /api/v1/budgets": {"workflow": "hostile", "limit": 1000, "alerts_at": [0.5], "saving": {"from": 0.5, "tier": "free"}},
        "PUT /api/v1/alerts/rules/{rule_id}": RULE,
        "PUT /api/v1/calendars/{name}": WEEK,
        "PUT /api/v1/notifications/preferences": {
            "channels": {"task.assigned": ["in_app"]},
            "zone": "Europe/Rome",
            "quiet_hours": {"from": "22:00", "to": "07:00"},
            "digest": {"every": "daily", "at": "08:00"},
        },
        "POST /api/v1/connections": {**BANK, "name": "hostile-new", "description": "d"},
        "PUT /api/v1/connections/{connection_id}": {"settings": BANK["settings"], "secrets": BANK["secrets"]},
        "POST /api/v1/sources": {
            "name": "hostile-new",
            "kind": "postgres",
            "connection": "hostile-shop",
            "tables": ["a.b", {"table": "c d", "name": "c"}],
        },
        "PUT /api/v1/sources/{source_id}": {"connection": "hostile-shop", "tables": ["orders"], "wake": "poll"},
        "PUT /api/v1/schemas/{table}/events": {"fields": ["a"], "conditions": {"left": "a", "op": "changed"}, "workflows": ["hostile"]},
        "POST /api/v1/schedules/{schedule_id}/backfill": {"from": "2025-12-31T00:00:00Z", "to": "2026-01-02T00:00:00Z", "dry_run": True},
        "POST /api/v1/suspensions": {"kind": "workflow", "name": "hostile-off", "reason": "r"},
        "POST /api/v1/tenants": {"id": f"{tenant}-c", "name": "n", "settings": {"quotas": {"live_executions": 5}, "other": [1]}},
        "PUT /api/v1/tenants/{tenant_id}": {
            "name": "n",
            "tier": "premium",
            "settings": {"quotas": {"starts_per_s": 1000}, "other": {"a": [1]}},
        },
        "POST /api/v1/user-tasks/{task_id}/complete": {"outcome": "yes", "form": {"note": "n"}, "version": 1},
        "POST /api/v1/user-tasks/bulk": {
            "verb": "comment",
            "filter": {"view": "all", "status": ["open"], "workflow": "hostile"},
            "options": {"text": "t"},
        },
        "POST /api/v1/executions/{execution_id}/signals/{name}": {"payload": {"a": 1}, "signal_id": "s"},
        "POST /api/v1/auth/login": {"email": f"nobody@{tenant}.example", "password": PASSWORD},
        "POST /api/v1/api-keys": {"name": "n", "roles": ["viewer"], "expires_in_days": 1},
        "POST /api/v1/groups": {"name": "hostile-new", "description": "d"},
        "PUT /api/v1/groups/{group_id}": {"name": "hostile-dusk", "description": "d"},
        "POST /api/v1/live/tickets": {"topics": ["tasks"]},
        "POST /api/v1/users": {"email": f"new@{tenant}.example", "name": "n", "roles": ["viewer"], "groups": ["g"]},
    }
