"""Quotas of a tenant: starts by HTTP over them are refused or wait, as the tenant has it; what events start always waits."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from weft_contracts.definitions import WorkflowChanged
from weft_contracts.directory import TenantChanged
from weft_contracts.executions import StartExecution
from weft_engine.app import build
from weft_engine.store import quotas
from weft_runtime.clock import new_id
from weft_runtime.testing import eventually, running_service, tell

from tests.services.engine.conftest import Engine

HOLD = [{"id": "hold", "type": "state", "with": {"signals": {"go": {}}}}]


async def tenant(engine: Engine, name: str, *, revision: int = 1, **quotas: Any) -> httpx2.AsyncClient:
    """A tenant with these quotas and a workflow `q` that waits for a signal."""
    changed = TenantChanged(tenant=name, name=name, tier="standard", revision=revision, settings={"quotas": quotas})
    await tell(engine.service, changed)
    document = {"format": "weft/v1", "slug": "q", "name": "q", "nodes": HOLD}
    published = WorkflowChanged(slug="q", name="q", revision=1, status="active", active_version=1, definition=document)
    await tell(engine.service, published, tenant=name)
    return engine.service.client(tenant=name)


async def start(client: httpx2.AsyncClient, **headers: str) -> httpx2.Response:
    return await client.post("/api/v1/workflows/q/trigger", json={}, headers=headers)


async def statuses(client: httpx2.AsyncClient, ids: list[str]) -> list[str]:
    """Of each; that of the answer while it is not here yet."""
    return [str((await client.get(f"/api/v1/executions/{one}")).json()["status"]) for one in ids]


async def come_to(client: httpx2.AsyncClient, ids: list[str], wanted: list[str]) -> None:
    async def look() -> bool | None:
        return sorted(await statuses(client, ids)) == sorted(wanted) or None

    await eventually(look, f"{len(ids)} executions are {wanted}")


async def test_starts_over_the_rate_are_refused_with_when_to_come_again_and_the_key_stays_usable(engine: Engine) -> None:
    client = await tenant(engine, "hasty", starts_per_s=0.5, starts_burst=2, on_exceeded="refuse")
    accepted = [await start(client) for _ in range(2)]
    refused = await start(client, **{"Idempotency-Key": "again"})
    assert [one.status_code for one in accepted] == [202, 202]
    assert (refused.status_code, refused.json()["code"], refused.json()["quota"]) == (429, "quota_exceeded", "starts_per_s")
    shown = {name: refused.headers[name] for name in ("Retry-After", "RateLimit-Policy", "RateLimit")}
    assert shown == {"Retry-After": "2", "RateLimit-Policy": '"starts_per_s";q=2;w=4', "RateLimit": '"starts_per_s";r=0;t=2'}
    await come_to(client, [one.json()["execution_id"] for one in accepted], ["waiting", "waiting"])
    engine.service.clock.advance(timedelta(seconds=2))
    client = engine.service.client(tenant="hasty")
    again = await start(client, **{"Idempotency-Key": "again"})
    assert (again.status_code, "Idempotent-Replayed" in again.headers) == (202, False)
    assert (await start(client)).status_code == 429


async def test_starts_over_the_rate_wait_where_that_is_asked_for_and_begin_as_the_rate_lets_them(engine: Engine) -> None:
    client = await tenant(engine, "patient", starts_per_s=1, starts_burst=2)
    ids = [(await start(client)).json()["execution_id"] for _ in range(5)]
    await come_to(client, ids, ["waiting", "waiting", "queued", "queued", "queued"])
    engine.service.clock.advance(timedelta(seconds=1))
    client = engine.service.client(tenant="patient")
    await come_to(client, ids, ["waiting"] * 3 + ["queued"] * 2)
    engine.service.clock.advance(timedelta(seconds=2))
    await come_to(engine.service.client(tenant="patient"), ids, ["waiting"] * 5)


async def test_what_waits_says_for_which_quota_and_since_when(engine: Engine) -> None:
    client = await tenant(engine, "asking", starts_per_s=0.01, live_executions=7)
    ids = [(await start(client)).json()["execution_id"] for _ in range(3)]
    await come_to(client, ids, ["waiting", "queued", "queued"])

    async def at_its_gates() -> list[dict[str, Any]] | None:
        told = [(await client.get(f"/api/v1/executions/{one}/explain")).json() for one in ids]
        # Accepted is not yet arrived: where it waits is known when its partition has put it there.
        return told if sum(bool(one["queued_for"]) for one in told) == 2 else None

    told = await eventually(at_its_gates, "two stand at the gates")
    gates = [{gate["name"]: (gate["limit"], gate["live"], gate["ahead"]) for gate in one["queued_for"]} for one in told]
    queued = sorted((one for one in gates if one), key=lambda one: one["starts_per_s"][2])
    assert queued == [{"starts_per_s": (0.01, None, place), "live_executions": (7.0, 1, place)} for place in (0, 1)]
    assert [[gate["name"] for gate in one["queued_for"] if gate["full"]] for one in told if one["queued_for"]] == [["starts_per_s"]] * 2
    sentences = [sentence for one in told for sentence in one["because"] if one["queued_for"]]
    assert ["quota starts_per_s, 0.01 a second, since 20" in sentence for sentence in sentences] == [True, True]


async def test_too_many_living_are_refused_where_that_is_asked_for_until_one_ends(engine: Engine) -> None:
    client = await tenant(engine, "crowded", live_executions=1, on_exceeded={"live_executions": "refuse"})
    first = (await start(client)).json()["execution_id"]
    refused = await start(client)
    assert (refused.status_code, refused.json()["code"], refused.json()["quota"]) == (429, "quota_exceeded", "live_executions")
    assert refused.headers["RateLimit-Policy"] == '"live_executions";q=1'
    await come_to(client, [first], ["waiting"])
    assert (await start(client)).status_code == 429
    await client.post(f"/api/v1/executions/{first}/signals/go")

    async def accepted() -> bool | None:
        return (await start(client)).status_code == 202 or None

    await eventually(accepted, "there is a place again")


@pytest.mark.parametrize("mode", ["refuse", "queue"])
async def test_what_an_event_starts_over_a_quota_waits_and_is_not_lost(engine: Engine, mode: str) -> None:
    name = f"eventful-{mode}"
    client = await tenant(engine, name, starts_per_s=1, starts_burst=1, on_exceeded=mode)
    ids = [new_id() for _ in range(3)]
    async with engine.service.context.owner_transaction(name) as uow:
        uow.say(*(StartExecution(execution_id=one, workflow="q", workflow_version=1) for one in ids))
    await come_to(client, [str(one) for one in ids], ["waiting", "queued", "queued"])
    engine.service.clock.advance(timedelta(seconds=1))
    await come_to(engine.service.client(tenant=name), [str(one) for one in ids], ["waiting", "waiting", "queued"])


async def test_a_quota_that_is_raised_holds_for_those_that_wait_already(engine: Engine) -> None:
    client = await tenant(engine, "growing", live_executions=1)
    ids = [(await start(client)).json()["execution_id"] for _ in range(3)]
    await come_to(client, ids, ["waiting", "queued", "queued"])
    await tenant(engine, "growing", revision=2, live_executions=2)
    await come_to(client, ids, ["waiting", "waiting", "queued"])
    await tenant(engine, "growing", revision=3)
    await come_to(client, ids, ["waiting", "waiting", "waiting"])


async def test_of_those_that_wait_the_one_with_the_highest_priority_begins_first(engine: Engine) -> None:
    client = await tenant(engine, "ranked", live_executions=1)
    first = (await start(client)).json()["execution_id"]
    await come_to(client, [first], ["waiting"])
    low, high = new_id(), new_id()
    async with engine.service.context.owner_transaction("ranked") as uow:
        uow.say(StartExecution(execution_id=low, workflow="q", workflow_version=1, priority=1))
        uow.say(StartExecution(execution_id=high, workflow="q", workflow_version=1, priority=8))

    async def both_wait() -> bool | None:
        async with engine.service.context.transaction("ranked") as uow:
            return [one.ahead for one in await quotas.standings(uow, low)] == [1] or None

    await eventually(both_wait, "the one of low priority waits behind the other")
    await client.post(f"/api/v1/executions/{first}/signals/go")
    await come_to(client, [str(low), str(high)], ["waiting", "queued"])
    assert await statuses(client, [str(high)]) == ["waiting"]


async def test_of_many_starts_at_once_at_two_engines_no_more_than_the_quota_get_in(
    engine: Engine, database_url: str, broker_url: str
) -> None:
    here = await tenant(engine, "double", starts_per_s=1, starts_burst=4, on_exceeded="refuse")
    async with running_service(build, database_url, broker_url, clock=engine.service.clock, issuer=engine.service.issuer) as other:
        there = other.client(tenant="double")
        answers = await asyncio.gather(*(start(client) for client in (here, there) for _ in range(4)))
    assert sorted(one.status_code for one in answers) == [202] * 4 + [429] * 4
