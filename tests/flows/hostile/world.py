"""A tenant with one of everything, so that every route has something to find."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import aio_pika
import httpx2
from weft_runtime.clock import new_id
from weft_runtime.testing import until

from tests.support.meshes import publish, published

ROOMS = ("definitions", "engine", "events", "tasks", "analytics", "gateway")
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
_CANARIES = (SHOP["secrets"]["password"], *BANK["secrets"].values(), *HOOKS["secrets"].values())
EVENT: dict[str, Any] = {
    "specversion": "1.0",
    "id": "e-1",
    "source": "/hostile",
    "type": "hostile.made",
    "subject": "s",
    "data": {"amount": 5},
}


@dataclass(frozen=True)
class World:
    """Whom an attacker has, and what there is.

    keys: API keys of the tenant by the permission they are for, "" for any other.  other_key: of another tenant's administrator.
    known, bodies: as in `Attacker`.  secrets: what no log may hold.
    """

    tenant: str
    keys: Mapping[str, str]
    other_key: str
    known: Mapping[str, Sequence[str]]
    bodies: Mapping[str, Any]
    secrets: Sequence[str]


def made(operator: httpx2.Client, broker_url: str) -> World:
    """The tenant, filled. operator: a client of the installation's operator."""
    tenant = f"hostile-{new_id().hex[-12:]}"
    secrets: list[str] = []
    (admin, key), (_, other_key) = (_tenant(operator, name, secrets) for name in (tenant, f"other-{new_id().hex[-12:]}"))
    operating = operator.post("/api-keys", json={"name": tenant, "roles": ["admin", "operator"], "expires_in_days": 1}).json()["key"]
    secrets.append(operating)
    with closing(admin):
        publish(admin, DEFINITION)
        for number in range(2):
            assert admin.put("/workflows/hostile", json={**DEFINITION, "description": f"d{number}"}).status_code == 200
            until(partial(published, admin, "hostile"), "a version being with everybody who runs it")
        for slug in ("hostile-draft", "hostile-off"):
            assert admin.post("/workflows", json={**DEFINITION, "slug": slug}).status_code == 201
        publish(admin, CLOCK)
        schedules = until(lambda: _ids(admin, "/schedules", 2), "schedules")
        calendars = ("hostile-week", "hostile-night")
        for calendar in calendars:
            for zone in ("UTC", "Asia/Tokyo"):
                assert admin.put(f"/calendars/{calendar}", json={**WEEK, "zone": zone}).status_code < 300
        connections = [admin.post("/connections", json=body).json()["id"] for body in (BANK, HOOKS, SHOP)]
        templates = [f"hostile-{number}" for number in range(3)]
        assert all(admin.post("/templates", json={**TEMPLATE, "slug": slug}).status_code == 201 for slug in templates)
        tables = ("orders", "lines", "parts")
        watched = [{"name": f"hostile-{table}", "kind": "postgres", "connection": SHOP["name"], "tables": [table]} for table in tables]
        sources = [admin.post("/sources", json=body).json()["id"] for body in watched]
        assert all(admin.put(f"/schemas/{table}/events", json={"fields": ["a"]}).status_code == 201 for table in tables)
        events = [f"e-{number}" for number in range(4)]
        batch = [{**EVENT, "id": id_} for id_ in events]
        headers = {"Content-Type": "application/cloudevents-batch+json"}
        assert admin.post("/events", content=json.dumps(batch), headers=headers).status_code == 202
        started = [
            admin.post("/workflows/hostile/trigger", json={"input": {"amount": number}}).json()["execution_id"] for number in range(6)
        ]
        tasks = until(lambda: _ids(admin, "/user-tasks?view=all", 4), "tasks")
        asyncio.run(_poison(broker_url, tenant))
        parked = {room: until(partial(_ids, admin, _parked(room), 1), f"{room} parking") for room in ROOMS}
        bulk = [admin.post("/executions/bulk", json={"verb": "pause", "filter": {"key": "nobody"}}).json()["id"] for _ in range(2)]
        moving = [admin.post("/workflows/hostile/migrations", json={"from": 1, "to": 2}).json()["id"] for _ in range(2)]
        held = [
            admin.post("/suspensions", json={"kind": "workflow", "name": slug}).json()["id"] for slug in ("hostile-off", "hostile-draft")
        ]
        victims = [
            admin.post("/users", json={"email": f"{n}@{tenant}.example", "name": "V", "password": PASSWORD}).json()["id"] for n in range(2)
        ]
        groups = [admin.post("/groups", json={"name": f"hostile-{name}"}).json()["id"] for name in ("day", "night")]
        old_keys = [admin.post("/api-keys", json={"name": "victim"}).json()["id"] for _ in range(2)]
    known = {
        "slug": ("hostile", "hostile", "hostile-draft", "hostile-off"),
        "number": ("1", "2"),
        "from": ("1",),
        "to": ("2",),
        "execution_id": started,
        "task_id": tasks,
        "event_id": events,
        "name": ("go", "set"),
        "job_id": bulk,
        "migration_id": moving,
        "suspension_id": held,
        "user_id": victims,
        "group_id": groups,
        "key_id": old_keys,
        "tenant_id": (tenant,),
        "schedule_id": schedules,
        "/calendars/{name}": calendars,
        "connection_id": connections,
        "source_id": sources,
        "table": tables,
        "/templates/{slug}": templates,
        **{f"{_parked(room)}/{{parked_id}}": ids for room, ids in parked.items()},
    }
    keys = {"": key, "tenants.manage": operating}
    return World(tenant, keys, other_key, known, _bodies(tenant), (PASSWORD, *_CANARIES, key, operating, *secrets))


RULE = {
    "name": "n",
    "kind": "failed",
    "workflow": "hostile",
    "failed": {"count": 2, "within": "PT10M"},
    "severity": "info",
    "enabled": False,
}


def _bodies(tenant: str) -> dict[str, Any]:
    base = "/api/v1/workflows"
    definitions = {f"POST {base}": DEFINITION, f"PUT {base}/{{slug}}": DEFINITION, f"POST {base}/validate": DEFINITION}
    definitions |= {
        f"POST {base}/import": {**DEFINITION, "slug": "hostile-imported"},
        "POST /api/v1/templates": {**TEMPLATE, "slug": "hostile-new"},
        "PUT /api/v1/templates/{slug}": {name: value for name, value in TEMPLATE.items() if name != "slug"},
        "POST /api/v1/templates/{slug}/instantiate": {"parameters": {"text": "t"}, "slug": "hostile-made", "existing": "version"},
    }
    return definitions | {
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


def _tenant(operator: httpx2.Client, name: str, secrets: list[str]) -> tuple[httpx2.Client, str]:
    """A new tenant: a client of its administrator, and an API key of theirs that may what they may."""
    email = f"admin@{name}.example"
    body = {"id": name, "name": name, "admin": {"email": email, "name": "A", "password": PASSWORD}}
    assert operator.post("/tenants", json=body).status_code == 201
    client = httpx2.Client(base_url=operator.base_url, trust_env=False, timeout=40)
    tokens = client.post("/auth/login", json={"email": email, "password": PASSWORD}).json()
    client.headers["Authorization"] = f"Bearer {tokens['access_token']}"
    answer = client.post("/api-keys", json={"name": "attacker", "roles": ["admin"], "expires_in_days": 1})
    assert answer.status_code == 201, answer.text
    secrets += [tokens["access_token"], tokens["refresh_token"]]
    return client, str(answer.json()["key"])


def _parked(room: str) -> str:
    return "/parked" if room == "engine" else f"/{room}/parked"


def _ids(client: httpx2.Client, path: str, least: int) -> list[str] | None:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    found = [item["id"] for item in answer.json()["items"]]
    return found if len(found) >= least else None


async def _poison(broker_url: str, tenant: str) -> None:
    """Let every room park something of the tenant's: words that it cannot read."""
    async with await aio_pika.connect(broker_url) as connection:
        channel = await connection.channel()
        exchange = await channel.get_exchange("weft.commands")
        for room in ROOMS:
            items = [
                {
                    "specversion": "1.0",
                    "id": str(new_id()),
                    "source": "x",
                    "type": "nobody.knows",
                    "tenantid": tenant,
                    "data": {"a": number},
                }
                for number in range(2)
            ]
            body = json.dumps(items).encode()
            await exchange.publish(aio_pika.Message(body, content_type="application/cloudevents-batch+json"), f"{room}.inbox")


@contextmanager
def log_since(path: Any) -> Iterator[list[str]]:
    """What is added to a log meanwhile, line by line, once it is left."""
    start = path.stat().st_size
    lines: list[str] = []
    yield lines
    with path.open("rb") as log:
        log.seek(start)
        lines += log.read().decode("utf-8", "replace").splitlines()
