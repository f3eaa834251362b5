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

from tests.flows.hostile.documents import APPROVED, BANK, CLOCK, DEFINITION, EVENT, HOOKS, PASSWORD, SHOP, TEMPLATE, WEEK, bodies
from tests.support.meshes import publish, published

ROOMS = ("definitions", "engine", "events", "tasks", "analytics", "gateway")
_CANARIES = (SHOP["secrets"]["password"], *BANK["secrets"].values(), *HOOKS["secrets"].values())


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
        for slug in ("hostile-rule", "hostile-other"):
            assert admin.post("/rules", json={**APPROVED, "slug": slug}).status_code == 201
        publish(admin, CLOCK)
        schedules = until(lambda: _ids(admin, "/schedules", 2), "schedules")
        calendars = ("hostile-week", "hostile-night")
        for calendar in calendars:
            for zone in ("UTC", "Asia/Tokyo"):
                assert admin.put(f"/calendars/{calendar}", json={**WEEK, "zone": zone}).status_code < 300
        connections = [admin.post("/connections", json=body).json()["id"] for body in (BANK, HOOKS, SHOP)]
        templates = [f"hostile-template-{number}" for number in range(3)]
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
        span = {"from": "2026-01-01T00:00:00Z"}
        backtested = [admin.post("/workflows/hostile/backtest", json=span).json()["id"] for _ in range(2)]
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
        **{f"/rules/{{slug}}{path}": ("hostile-rule", "hostile-other") for path in ("", "/rows", "/test")},
        "backtest_id": backtested,
        "connection_id": connections,
        "source_id": sources,
        "table": tables,
        "/templates/{slug}": templates,
        **{f"{_parked(room)}/{{parked_id}}": ids for room, ids in parked.items()},
    }
    keys = {"": key, "tenants.manage": operating}
    return World(tenant, keys, other_key, known, bodies(tenant), (PASSWORD, *_CANARIES, key, operating, *secrets))


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
